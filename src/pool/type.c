/*
 * The pool as an object of the family: what is taken back when a worker dies, and when the last
 * process lets go of the pool.
 *
 * Repair runs before the blocks of the dead are freed. A result whose block the dead worker had
 * given to the pool is given back to it, so that it is freed with its other blocks: nothing is
 * freed here, so a repair that is done twice (the first reaper was killed) frees nothing that has
 * become another's.
 */
#include "family/directory.h"
#include "family/heap.h"
#include "family/member.h"
#include "family/verify.h"
#include "pool/pool.h"

static uint64_t object_owner(uint32_t index)
{
    return kin__block_of_object(index, kin__entry_at(index)->counter);
}

/* Whether the sizes in the header fit the block: it is another process's word. */
static bool is_sound(const struct kin__pool_shared *shared, uint64_t bytes)
{
    return shared->magic == KIN__POOL_MAGIC && shared->worker_count <= KIN__POOL_WORKERS_MAX &&
           shared->capacity <= KIN__POOL_SLOTS_MAX && shared->capacity > 0 &&
           (shared->capacity & (shared->capacity - 1)) == 0 &&
           kin__pool_bytes(shared->worker_count, shared->capacity) <= bytes;
}

static bool is_usable(uint32_t index, const struct kin__pool_shared *shared)
{
    uint64_t block = kin__entry_at(index)->block;
    uint64_t bytes = kin__block_capacity(block);
    uint64_t skipped = kin__offset_of(shared) - block;
    return bytes > skipped && is_sound(shared, bytes - skipped);
}

/* Takes the result of a task that will not be DONE by the worker that began it out of the slot. */
static void drop_output(uint32_t index, struct kin__slot *slot, uint32_t dead)
{
    uint64_t block = atomic_load(&slot->output_block);
    uint64_t dead_process = kin__block_of_member(kin__member_of(dead)->process);
    if (block != 0) {
        kin__block_give(block, object_owner(index), dead_process);
    }
    atomic_store(&slot->output_block, 0);
}

static void repair(uint32_t index, void *at, uint32_t dead)
{
    struct kin__pool_shared *shared = at;
    if (!is_usable(index, shared)) {
        return;
    }
    for (uint32_t i = 0; i < shared->capacity; i++) {
        uint64_t word = atomic_load(&kin__pool_slot_at(shared, i)->word);
        uint32_t worker = kin__slot_worker(word);
        if (kin__slot_state(word) == KIN__SLOT_RUNNING && worker < shared->worker_count &&
            atomic_load(&kin__pool_worker_at(shared, worker)->thread) == dead) {
            drop_output(index, kin__pool_slot_at(shared, i), dead);
        }
    }
}

static void free_blocks(uint32_t index, void *at)
{
    struct kin__pool_shared *shared = at;
    if (!is_usable(index, shared)) {
        return;
    }
    for (uint32_t i = 0; i < shared->capacity; i++) {
        struct kin__slot *slot = kin__pool_slot_at(shared, i);
        kin__block_free(atomic_load(&slot->input_block), object_owner(index));
        kin__block_free(atomic_load(&slot->output_block), object_owner(index));
    }
}

static void verify_slot(struct kin__verifier *verifier, uint32_t index,
                        struct kin__pool_shared *shared, uint32_t position)
{
    const struct kin__memory *memory = &verifier->memory;
    const struct kin__entry *entry = kin__region_at(memory, &kin__memory_shared(memory)->directory,
                                                    index);
    const struct kin__slot *slot = kin__pool_slot_at(shared, position);
    uint64_t owner = kin__block_of_object(index, entry->counter);
    uint64_t word = atomic_load(&slot->word);
    uint64_t input = atomic_load(&slot->input_block);
    uint64_t output = atomic_load(&slot->output_block);
    uint32_t state = kin__slot_state(word);
    if (state > KIN__SLOT_LOST) {
        kin__verify_fail(verifier, "pool %u: slot %u has state %u", index, position, state);
    }
    if (kin__slot_worker(word) >= shared->worker_count) {
        kin__verify_fail(verifier, "pool %u: slot %u names worker %u of %u", index, position,
                         kin__slot_worker(word), shared->worker_count);
    }
    if (state != KIN__SLOT_FREE && input != 0 &&
        kin__verify_block_owner(verifier, input) != owner) {
        kin__verify_fail(verifier, "pool %u: the input of slot %u is not the pool's", index,
                         position);
    }
    if (state == KIN__SLOT_DONE && output != 0 &&
        kin__verify_block_owner(verifier, output) != owner) {
        kin__verify_fail(verifier, "pool %u: the result of slot %u is not the pool's", index,
                         position);
    }
}

static void verify(struct kin__verifier *verifier, uint32_t index, const void *at)
{
    struct kin__pool_shared *shared = (struct kin__pool_shared *)(uintptr_t)at;
    uint64_t offset = (uint64_t)((const unsigned char *)at - verifier->memory.base);
    if (!is_sound(shared, verifier->memory.bytes - offset)) {
        kin__verify_fail(verifier, "pool %u: the header is broken", index);
        return;
    }
    uint64_t tail = atomic_load(&shared->tail);
    if ((atomic_load(&shared->head) & KIN__POSITION_MASK) > tail) {
        kin__verify_fail(verifier, "pool %u: head is beyond tail", index);
    }
    for (uint32_t i = 0; i < shared->capacity; i++) {
        verify_slot(verifier, index, shared, i);
    }
}

const struct kin__type kin__pool_type = {
    .id = KIN__TYPE_POOL,
    .name = "pool",
    .repair = repair,
    .free = free_blocks,
    .verify = verify,
};
