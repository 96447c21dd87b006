/*
 * The hammer: a process that is busy with blocks, objects, a queue and a lock of its own while
 * others are killed and reaped, so that recovery has company. It stops while the account is
 * drawn up, with nothing in hand.
 */
#define _GNU_SOURCE
#include "step/record.h"

#include "family/directory.h"
#include "family/heap.h"

#include <unistd.h>

enum { BLOCKS = 6 };

static uint64_t self(void)
{
    return kin__block_of_member(kin__family.owner);
}

static void use_blocks(const kin_event *event, uint32_t round)
{
    static const uint64_t sizes[BLOCKS] = {40, 100, 100, 3000, 30000, 200000};
    uint64_t blocks[BLOCKS];
    for (uint32_t i = 0; i < BLOCKS; i++) {
        uint64_t bytes = sizes[(i + round) % BLOCKS];
        if (kin__block_create(bytes, 2, KIN__BLOCK_BYTES, &blocks[i]) != 0) {
            crash_fail("the hammer gets no block");
            blocks[i] = 0;
            continue;
        }
        kin_handle *handles = kin__at(blocks[i]);
        CRASH_CHECK(kin__reference_add(&handles[round % 2], kin_event_handle(event)) == 0);
        crash_fill(handles + 2, 8, i + round);
    }
    for (uint32_t i = 0; i < BLOCKS && blocks[i] != 0; i++) {
        const kin_handle *handles = kin__at(blocks[i]);
        CRASH_CHECK(crash_is_filled(handles + 2, 8, i + round));
        CRASH_CHECK(kin__block_owner(blocks[i]) == self());
        kin__block_free(blocks[i], self());
    }
}

static void use_objects(uint32_t round)
{
    kin_event *event = NULL;
    kin_queue *queue = NULL;
    kin_lock *lock = NULL;
    unsigned char bytes[3000];
    size_t size = round % 2 == 0 ? 20 : sizeof bytes;
    kin_message message;
    CRASH_CHECK(kin_event_create(NULL, &event) == 0);
    use_blocks(event, round);
    CRASH_CHECK(kin_queue_create(NULL, &queue) == 0);
    CRASH_CHECK(kin_lock_create(NULL, &lock) == 0);
    CRASH_CHECK(kin_lock_acquire(lock, KIN_NOW) == 0);
    crash_fill(bytes, size, round);
    CRASH_CHECK(kin_queue_put_bytes(queue, bytes, size, KIN_NOW) == 0);
    CRASH_CHECK(kin_queue_put_bytes(queue, bytes, size, KIN_NOW) == 0);
    CRASH_CHECK(kin_queue_get_bytes(queue, KIN_NOW, &message) == 0);
    CRASH_CHECK(crash_is_filled(kin_message_bytes(&message).data, size, round));
    kin_message_free(&message);
    CRASH_CHECK(kin_lock_release(lock) == 0);
    kin_event_free(event);
    kin_queue_free(queue); /* with a message in it */
    kin_lock_free(lock);
}

static void run(void)
{
    for (uint32_t round = 0;; round++) {
        while (atomic_load(&crash_record->is_hammer_held) != 0) {
            atomic_store(&crash_record->is_hammer_still, 1);
            usleep(20);
        }
        atomic_store(&crash_record->is_hammer_still, 0);
        use_objects(round);
    }
}

void hammer_start(void)
{
    crash_stage.hammer = crash_start_member("hammer", run, NULL);
    hammer_hold(); /* it is all there now */
    hammer_release();
}

void hammer_hold(void)
{
    atomic_store(&crash_record->is_hammer_held, 1);
    double limit = crash_now() + crash_hang_ms() * 1e-3;
    while (crash_stage.hammer > 0 && atomic_load(&crash_record->is_hammer_still) == 0) {
        if (crash_now() > limit) {
            crash_hang("a process that works beside");
            return;
        }
        usleep(20);
    }
}

void hammer_release(void)
{
    atomic_store(&crash_record->is_hammer_held, 0);
    while (crash_stage.hammer > 0 && atomic_load(&crash_record->is_hammer_still) != 0 &&
           atomic_load(&crash_record->failure_count) == 0) {
        usleep(20);
    }
}
