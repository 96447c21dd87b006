#include "family/verify.h"

#include "base/allocate.h"
#include "base/arithmetic.h"
#include "family/directory.h"
#include "family/member.h"

#include <stdarg.h>
#include <stdio.h>

/* What the checks of one memory share. */
struct check {
    struct kin__verifier verifier; /* first: the callbacks get this */
    const struct kin__family_shared *shared;
    uint64_t *references; /* found in blocks, by directory index; NULL: no memory for it */
};

void kin__verify_fail(struct kin__verifier *verifier, const char *format, ...)
{
    verifier->failure_count++;
    size_t left = verifier->report_bytes - verifier->report_used;
    if (verifier->report == NULL || left <= 1) {
        return;
    }
    va_list values;
    va_start(values, format);
    int size = vsnprintf(verifier->report + verifier->report_used, left, format, values);
    va_end(values);
    if (size > 0 && (size_t)size + 1 < left) {
        verifier->report_used += (size_t)size;
        verifier->report[verifier->report_used++] = '\n';
        verifier->report[verifier->report_used] = '\0';
    }
}

static const struct kin__family_shared *shared_of(const struct kin__verifier *verifier)
{
    return kin__memory_shared(&verifier->memory);
}

static const struct kin__member *member_at(const struct kin__verifier *verifier, uint32_t slot)
{
    return kin__region_at(&verifier->memory, &shared_of(verifier)->members, slot);
}

static struct kin__entry *entry_at(const struct kin__verifier *verifier, uint32_t index)
{
    return kin__region_at(&verifier->memory, &shared_of(verifier)->directory, index);
}

bool kin__verify_is_live(const struct kin__verifier *verifier, uint32_t owner)
{
    const struct kin__member *member = member_at(verifier, kin__owner_slot(owner));
    uint64_t word = member == NULL ? 0 : atomic_load(&member->word);
    return owner != 0 && kin__word_generation(word) == kin__owner_generation(owner) &&
           kin__word_state(word) != KIN__MEMBER_FREE;
}

/* --- header and members --- */

static bool region_is_sound(const struct kin__region *region, uint64_t bytes)
{
    uint64_t size = 0;
    return kin__u64_multiply(region->capacity, region->element_bytes, &size) &&
           region->offset <= bytes && size <= bytes - region->offset &&
           atomic_load(&region->used) <= region->capacity &&
           (uint64_t)atomic_load(&region->used) * region->element_bytes <=
               atomic_load(&region->committed);
}

/* False: nothing else can be looked at. */
static bool check_header(struct check *check)
{
    struct kin__verifier *verifier = &check->verifier;
    const struct kin__family_shared *shared = check->shared;
    uint64_t bytes = verifier->memory.bytes;
    if (bytes < sizeof *shared || shared->magic != KIN__MEMORY_MAGIC ||
        shared->layout != KIN__MEMORY_LAYOUT || shared->bytes > bytes) {
        kin__verify_fail(verifier, "header: not a family's memory of this layout");
        return false;
    }
    if (!region_is_sound(&shared->members, bytes) || !region_is_sound(&shared->directory, bytes) ||
        !region_is_sound(&shared->chunks, bytes) || shared->heap_offset > bytes ||
        shared->chunks.capacity > (bytes - shared->heap_offset) / KIN__CHUNK_BYTES) {
        kin__verify_fail(verifier, "header: a region lies outside of the memory");
        return false;
    }
    return true;
}

static void check_member(struct check *check, uint32_t slot)
{
    struct kin__verifier *verifier = &check->verifier;
    const struct kin__member *member = member_at(verifier, slot);
    uint64_t word = atomic_load(&member->word);
    uint32_t state = kin__word_state(word);
    uint32_t role = kin__word_role(word);
    if (state > KIN__MEMBER_REAPING ||
        (state != KIN__MEMBER_FREE && role != KIN__MEMBER_THREAD && role != KIN__MEMBER_PROCESS)) {
        kin__verify_fail(verifier, "member %u: no such state or role", slot);
    }
    if (state == KIN__MEMBER_LIVE && !kin__verify_is_live(verifier, member->process)) {
        kin__verify_fail(verifier, "member %u: lives, but its process does not", slot);
    }
    if (state == KIN__MEMBER_REAPING && !kin__verify_is_live(verifier, kin__word_by(word))) {
        kin__verify_fail(verifier, "member %u: reaped by nobody", slot);
    }
}

static void check_members(struct check *check)
{
    uint32_t used = atomic_load(&check->shared->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        check_member(check, slot);
    }
}

/* --- chunks and blocks --- */

static void check_extent(struct check *check, uint32_t index, const struct kin__chunk *chunk)
{
    struct kin__verifier *verifier = &check->verifier;
    uint32_t used = atomic_load(&check->shared->chunks.used);
    if (chunk->count == 0 || chunk->count > used - index) {
        kin__verify_fail(verifier, "chunk %u: extent of %u chunks", index, chunk->count);
        return;
    }
    for (uint32_t i = 1; i < chunk->count; i++) {
        if (kin__chunk_state(atomic_load(&chunk[i].word)) != KIN__CHUNK_CLAIMED) {
            kin__verify_fail(verifier, "chunk %u: not part of the extent at %u", index + i, index);
        }
    }
}

/* The counts of idle, busy and orphaned chunks are hints: a reaper counts them beside others. */
static void check_chunks(struct check *check)
{
    struct kin__verifier *verifier = &check->verifier;
    const struct kin__family_shared *shared = check->shared;
    uint32_t used = atomic_load(&shared->chunks.used);
    for (uint32_t i = 0; i < used; i++) {
        const struct kin__chunk *chunk = kin__region_at(&verifier->memory, &shared->chunks, i);
        uint64_t word = atomic_load(&chunk->word);
        uint32_t state = kin__chunk_state(word);
        uint32_t owner = kin__chunk_owner(word);
        uint32_t count = state == KIN__CHUNK_EXTENT && chunk->count > 0 ? chunk->count : 1;
        if (state > KIN__CHUNK_EXTENT ||
            (state == KIN__CHUNK_SPAN && kin__chunk_class(word) >= KIN__SIZE_CLASS_COUNT)) {
            kin__verify_fail(verifier, "chunk %u: no such state or class", i);
        } else if (state == KIN__CHUNK_EXTENT) {
            check_extent(check, i, chunk);
        } else if (state == KIN__CHUNK_CLAIMED || (state == KIN__CHUNK_SPAN && owner != 0)) {
            if (!kin__verify_is_live(verifier, owner)) {
                kin__verify_fail(verifier, "chunk %u: claimed by nobody", i);
            }
        }
        i += count - 1;
    }
}

/* Whether the owner word of a block in use names somebody who exists. */
static bool owner_exists(const struct check *check, uint64_t owner)
{
    if (owner >> 62 == 1) {
        return kin__verify_is_live(&check->verifier, (uint32_t)owner);
    }
    uint32_t index = (uint32_t)(owner >> 32 & 0x3fffffff);
    const struct kin__entry *entry = entry_at(&check->verifier, index);
    return owner >> 62 == 2 && entry != NULL && atomic_load(&entry->state) != KIN__ENTRY_FREE &&
           owner == kin__block_of_object(index, entry->counter);
}

static void check_handle(struct check *check, uint64_t offset, const kin_handle *handle)
{
    const struct kin__entry *entry = entry_at(&check->verifier, handle->index);
    if (handle->counter == 0) {
        return;
    }
    if (entry == NULL || handle->family != check->shared->family ||
        atomic_load(&entry->state) != KIN__ENTRY_LIVE || entry->counter != handle->counter) {
        kin__verify_fail(&check->verifier, "block %#llx: holds a handle to nothing",
                         (unsigned long long)offset);
    } else if (check->references != NULL) {
        check->references[handle->index]++;
    }
}

static void check_block(void *user, const struct kin__block_header *header, uint64_t offset,
                        uint64_t bytes)
{
    struct check *check = user;
    uint64_t owner = atomic_load(&header->owner);
    if (owner == 0) {
        if (header->handle_count != 0) {
            kin__verify_fail(&check->verifier, "block %#llx: is free and has handles",
                             (unsigned long long)offset);
        }
        return;
    }
    if (!owner_exists(check, owner)) {
        kin__verify_fail(&check->verifier, "block %#llx: belongs to nobody",
                         (unsigned long long)offset);
    }
    if (header->handle_count * sizeof(kin_handle) > bytes ||
        !kin__memory_has(&check->verifier.memory, offset, bytes)) {
        kin__verify_fail(&check->verifier, "block %#llx: %u handles do not fit",
                         (unsigned long long)offset, header->handle_count);
        return;
    }
    const kin_handle *handles = kin__memory_at(&check->verifier.memory, offset);
    for (uint32_t i = 0; i < header->handle_count; i++) {
        check_handle(check, offset, &handles[i]);
    }
}

/* --- objects --- */

struct search {
    uint64_t offset;
    uint64_t owner;
};

static void match_block(void *user, const struct kin__block_header *header, uint64_t offset,
                        uint64_t bytes)
{
    struct search *search = user;
    (void)bytes;
    if (offset == search->offset) {
        search->owner = atomic_load(&header->owner);
    }
}

uint64_t kin__verify_block_owner(const struct kin__verifier *verifier, uint64_t offset)
{
    struct search search = {.offset = offset};
    kin__heap_each(&verifier->memory, match_block, &search);
    return search.owner;
}

static void check_object(struct check *check, uint32_t index, const struct kin__entry *entry)
{
    struct kin__verifier *verifier = &check->verifier;
    const struct kin__type *type = entry->type < KIN__TYPE_COUNT ? kin__types[entry->type] : NULL;
    uint64_t owner = kin__verify_block_owner(verifier, entry->block);
    if (type == NULL) {
        kin__verify_fail(verifier, "object %u: no such type", index);
        return;
    }
    if (entry->counter > check->shared->directory_counter) {
        kin__verify_fail(verifier, "object %u: its counter was never given", index);
    }
    if (check->references != NULL && entry->references != check->references[index]) {
        kin__verify_fail(verifier, "object %u: %llu references, %llu handles", index,
                         (unsigned long long)entry->references,
                         (unsigned long long)check->references[index]);
    }
    if (owner != kin__block_of_object(index, entry->counter)) {
        kin__verify_fail(verifier, "object %u: its block is not its own", index);
    } else if (type->verify != NULL) {
        uint64_t at = kin__object_offset(entry->block, entry->handle_count);
        type->verify(verifier, index, kin__memory_at(&verifier->memory, at));
    }
}

static void check_objects(struct check *check)
{
    uint32_t used = atomic_load(&check->shared->directory.used);
    for (uint32_t index = 1; index < used; index++) {
        const struct kin__entry *entry = entry_at(&check->verifier, index);
        uint32_t state = atomic_load(&entry->state);
        if (state == KIN__ENTRY_LIVE) {
            check_object(check, index, entry);
        } else if (state == KIN__ENTRY_DYING &&
                   !kin__verify_is_live(&check->verifier, atomic_load(&entry->freer))) {
            kin__verify_fail(&check->verifier, "object %u: freed by nobody", index);
        } else if (state > KIN__ENTRY_DYING) {
            kin__verify_fail(&check->verifier, "object %u: no such state", index);
        }
    }
}

uint32_t kin__family_verify(struct kin__memory memory, char *report, size_t report_bytes)
{
    struct check check = {
        .verifier = {.memory = memory, .report = report, .report_bytes = report_bytes},
        .shared = kin__memory_shared(&memory)};
    if (report != NULL && report_bytes > 0) {
        report[0] = '\0';
    }
    if (!check_header(&check)) {
        return check.verifier.failure_count;
    }
    uint32_t used = atomic_load(&check.shared->directory.used);
    check.references = kin__allocate_zeroed((used + 1) * sizeof *check.references);
    check_members(&check);
    check_chunks(&check);
    kin__heap_each(&memory, check_block, &check);
    check_objects(&check);
    kin__release(check.references);
    return check.verifier.failure_count;
}
