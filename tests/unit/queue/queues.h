/* What the tests of queues share: short forms of put and get, and a look inside. */
#ifndef UNIT_QUEUES_H
#define UNIT_QUEUES_H

#include "family/sleep.h"
#include "family/verify.h"
#include "queue/layout.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/claim.h>
#include <kin/error.h>
#include <kin/queue.h>
#include <kin/reservation.h>
#include <stdlib.h>

static inline kin_queue *new_queue(const kin_queue_options *options)
{
    kin_queue *queue = NULL;
    begin();
    REQUIRE(kin_queue_create(options, &queue) == 0);
    return queue;
}

static inline struct queue_shared *inside(const kin_queue *queue)
{
    return queue->object.shared;
}

/* --- numbers as messages --- */

static inline int put_number(kin_queue *queue, uint64_t number, kin_timeout timeout)
{
    return kin_queue_put_bytes(queue, &number, sizeof number, timeout);
}

/* The number, or a code. */
static inline int64_t get_number(kin_queue *queue, kin_timeout timeout)
{
    kin_message message;
    uint64_t number = 0;
    int r = kin_queue_get_bytes(queue, timeout, &message);
    if (r < 0) {
        return r;
    }
    CHECK_EQUAL(kin_message_bytes(&message).size, sizeof number);
    memcpy(&number, kin_message_bytes(&message).data, sizeof number);
    kin_message_free(&message);
    return (int64_t)number;
}

/* --- messages of any size that carry a number and can be checked --- */

/* Byte `at` of message `number`. */
static inline unsigned char byte_of(uint64_t number, size_t at)
{
    return (unsigned char)(number * 31 + at * 7 + (at >> 8));
}

static inline int put_pattern(kin_queue *queue, uint64_t number, size_t size, kin_timeout timeout)
{
    unsigned char *bytes = malloc(size + 1);
    REQUIRE(bytes != NULL);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = byte_of(number, i);
    }
    int r = kin_queue_put_bytes(queue, bytes, size, timeout);
    free(bytes);
    return r;
}

/* Takes the message and compares it. Its size, or a code. */
static inline int64_t get_pattern(kin_queue *queue, uint64_t number, kin_timeout timeout)
{
    kin_message message;
    size_t wrong = 0;
    int r = kin_queue_get_bytes(queue, timeout, &message);
    if (r < 0) {
        return r;
    }
    kin_bytes bytes = kin_message_bytes(&message);
    const unsigned char *data = bytes.data;
    for (size_t i = 0; i < bytes.size; i++) {
        wrong += data[i] != byte_of(number, i);
    }
    CHECK_EQUAL(wrong, 0);
    kin_message_free(&message);
    CHECK_EQUAL(message.size, 0);
    return (int64_t)bytes.size;
}

/* --- forced interleavings: what a put or a get has done when its thread is stopped --- */

/* A producer has reserved a slot and not committed. Within the first segment. */
static inline struct slot *reserve_by_hand(kin_queue *queue, uint64_t size, uint64_t block)
{
    struct queue_shared *shared = inside(queue);
    struct kin__thread *self = kin__self();
    kin__queue_lock_tail(shared, kin__object_index(&queue->object), self);
    uint64_t ticket = atomic_load(&shared->tail);
    struct slot *slot = kin__segment_slot(kin__segment_at(atomic_load(&shared->tail_segment)),
                                          ticket);
    shared->bytes_put += size;
    slot->about = kin__slot_about(size, 0, 0);
    slot->bytes_end = shared->bytes_put;
    slot->block = block;
    atomic_store(&slot->state, kin__slot_word(ticket, SLOT_RESERVED, self->owner));
    atomic_store(&shared->tail, ticket + 1);
    kin__lock_release(&shared->tail_lock, self);
    return slot;
}

/* It goes on. */
static inline void commit_by_hand(kin_queue *queue, struct slot *slot, uint64_t number)
{
    uint64_t ticket = atomic_load(&slot->state) & 0xfffffff;
    memcpy(slot->small, &number, sizeof number);
    atomic_exchange(&slot->state, kin__slot_word(ticket, SLOT_READY, 0));
    kin__count_raise(&inside(queue)->items, 1);
}

/* A consumer has leased the oldest message, which is at the head. */
static inline struct slot *lease_by_hand(kin_queue *queue)
{
    struct queue_shared *shared = inside(queue);
    struct kin__thread *self = kin__self();
    kin__queue_lock_head(shared, kin__object_index(&queue->object), self);
    uint64_t ticket = shared->head.ticket++;
    struct slot *slot = kin__segment_slot(kin__segment_at(shared->head.segment), ticket);
    CHECK_EQUAL(kin__slot_state(atomic_load(&slot->state)), SLOT_READY);
    atomic_store(&slot->state, kin__slot_word(ticket, SLOT_LEASED, self->owner));
    atomic_fetch_add(&shared->bytes_taken, kin__slot_bytes(slot));
    atomic_fetch_add(&shared->taken, 1);
    kin__lock_release(&shared->head_lock, self);
    return slot;
}

/* Says that it has come this far, numbers[0], and stays inside of the queue until killed. */
static inline void stay_in(kin_queue *queue)
{
    atomic_store(&kin__self()->member->doing, kin__object_index(&queue->object));
    atomic_fetch_add(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

/* A child that does something by hand and stays; it is there when this returns. */
static inline pid_t start_staying(child_body *body, kin_queue *queue)
{
    uint64_t before = atomic_load(&numbers[0]);
    pid_t pid = child_start(body, queue);
    await_number(0, before + 1);
    return pid;
}

/* --- what the family's memory is like --- */

static inline void check_is_whole_at(const char *place)
{
    char report[4096] = "";
    if (kin__family_verify(kin__family.memory, report, sizeof report) != 0) {
        test_fail(place, "the family's memory is not whole: %s", report);
    }
}
#define CHECK_IS_WHOLE() check_is_whole_at(TEST_HERE)

struct block_count {
    uint64_t owner;
    uint64_t count;
};

static inline void count_block(void *user, const struct kin__block_header *header, uint64_t offset,
                               uint64_t bytes)
{
    struct block_count *count = user;
    (void)offset;
    (void)bytes;
    count->count += atomic_load(&header->owner) == count->owner;
}

static inline uint64_t blocks_of(uint64_t owner)
{
    struct block_count count = {.owner = owner};
    kin__heap_each(&kin__family.memory, count_block, &count);
    return count.count;
}

/* Blocks of the queue: one is the queue itself, one at least a segment. */
static inline uint64_t blocks_of_queue(const kin_queue *queue)
{
    return blocks_of(kin__queue_owner(kin__object_index(&queue->object)));
}

static inline uint64_t blocks_of_process(void)
{
    return blocks_of(kin__block_of_member(kin__family.owner));
}

#endif
