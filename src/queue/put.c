/**
 * Putting. A put is: write the block, if the message is large; reserve a slot under the tail
 * lock; write the message, or hand the block to the queue; commit; wake a consumer if one
 * sleeps. Several messages pass in one hold of the lock.
 */
#include "object/pickle.h"
#include "queue/tail.h"

#include <errno.h>
#include <kin/error.h>
#include <limits.h>
#include <string.h>

static bool is_large(const struct incoming *message)
{
    return message->size > SLOT_SMALL_BYTES || message->handle_count != 0;
}

/* Writes the references in front of a large message. 0, or -ESTALE: one leads to nothing. */
static int write_handles(const struct incoming *message, const kin_handle *handles)
{
    kin_handle *references = kin__at(message->block);
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < message->handle_count; i++) {
        r = kin__reference_add(&references[i], handles[i]);
    }
    return r;
}

static void free_block(struct incoming *message)
{
    if (message->block != 0) {
        kin__block_free(message->block, kin__block_of_member(kin__family.owner));
        message->block = 0;
    }
}

/* Writes the block of a large message. 0, or -ENOMEM, -ESTALE. */
static int write_block(struct incoming *message, const kin_handle *handles)
{
    uint64_t place = message->handle_count * sizeof(kin_handle);
    int r = kin__block_create(place + message->size, message->handle_count, KIN__BLOCK_BYTES,
                              &message->block);
    if (r < 0) {
        return r;
    }
    r = write_handles(message, handles);
    if (r < 0) {
        free_block(message);
    } else if (message->encoding != NULL) {
        kin__encoding_copy(message->encoding, kin__at(message->block + place));
    } else if (message->size != 0) {
        memcpy(kin__at(message->block + place), message->data, message->size);
    }
    return r;
}

/* The bytes go into the slot, or the block to the queue. */
static void fill(const struct putting *put, const struct incoming *message)
{
    if (message->block != 0) {
        kin__block_give(message->block, kin__block_of_member(kin__family.owner),
                        kin__queue_owner(put->index));
    } else {
        kin__small_copy(message->slot->small, message->data, message->size);
    }
}

/* Puts the first of several messages, at least one, whose blocks are written. How many, or a
 * code. */
static int put_some(struct putting *put, struct incoming *messages, uint32_t count,
                    kin_timeout timeout)
{
    int r = kin__tail_reserve(put, messages, count, timeout);
    for (int i = 0; i < r; i++) {
        fill(put, &messages[i]);
    }
    if (r > 0) {
        kin__tail_commit(put, messages, (uint32_t)r);
    }
    return r;
}

/* 0, or -EINVAL, -EMSGSIZE. */
static int check_size(const struct putting *put, const void *data, size_t size)
{
    uint64_t most = put->queue->message_bytes_max;
    if (data == NULL && size != 0) {
        return -EINVAL;
    }
    return size > MESSAGE_BYTES_MAX || (most != 0 && size > most) ? -EMSGSIZE : 0;
}

int kin__put_one(struct putting *put, struct incoming *message, const kin_handle *handles,
                 kin_timeout timeout)
{
    int r = check_size(put, message->data, message->size);
    if (r == 0 && !is_large(message) && message->size != 0 &&
        kin__tail_put_small(put, message->data, message->size) == 0) {
        return 0;
    }
    if (r == 0 && is_large(message)) {
        r = write_block(message, handles);
    }
    if (r == 0) {
        r = put_some(put, message, 1, timeout);
        if (r < 0) {
            free_block(message);
        }
    }
    return r < 0 ? r : 0;
}

int kin_queue_put_bytes(kin_queue *queue, const void *data, size_t size, kin_timeout timeout)
{
    struct putting put;
    struct incoming message = {.data = data, .size = size};
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = kin__put_begin(queue, &put);
    }
    if (r == 0) {
        r = kin__put_one(&put, &message, NULL, timeout);
        kin__put_end(&put);
    }
    return r;
}

int kin_queue_put_with_handles(kin_queue *queue, kin_bytes bytes, const kin_handle *handles,
                               uint32_t handle_count, kin_timeout timeout)
{
    struct putting put;
    struct incoming message = {
        .data = bytes.data, .size = bytes.size, .handle_count = handle_count};
    int r = kin__timeout_check(timeout);
    if (r == 0 && (handle_count > MESSAGE_HANDLES_MAX || (handles == NULL && handle_count != 0))) {
        r = -EINVAL;
    }
    if (r == 0) {
        r = kin__put_begin(queue, &put);
    }
    if (r == 0) {
        r = kin__put_one(&put, &message, handles, timeout);
        kin__put_end(&put);
    }
    return r;
}

/* Puts up to BATCH_MAX messages. How many; less than `count` if the time was over, or a code. */
static int put_round(struct putting *put, const kin_bytes *messages, uint32_t count,
                     kin_timeout timeout)
{
    struct incoming round[BATCH_MAX];
    uint32_t ready = 0;
    uint32_t done = 0;
    int r = 0;
    for (; ready < count && r == 0; ready += r == 0) {
        round[ready] = (struct incoming){.data = messages[ready].data,
                                         .size = messages[ready].size};
        r = check_size(put, messages[ready].data, messages[ready].size);
        if (r == 0 && is_large(&round[ready])) {
            r = write_block(&round[ready], NULL);
        }
    }
    int put_result = 0;
    while (done < ready && put_result >= 0) {
        put_result = put_some(put, &round[done], ready - done, timeout);
        done += put_result > 0 ? (uint32_t)put_result : 0;
    }
    for (uint32_t i = done; i < ready; i++) {
        free_block(&round[i]);
    }
    r = put_result < 0 ? put_result : r;
    return done != 0 ? (int)done : r;
}

int kin_queue_put_many_bytes(kin_queue *queue, const kin_bytes *messages, uint32_t count,
                             kin_timeout timeout)
{
    struct putting put;
    uint32_t done = 0;
    int r = kin__timeout_check(timeout);
    if (r == 0 && ((messages == NULL && count != 0) || count > INT_MAX)) {
        r = -EINVAL;
    }
    if (r == 0) {
        r = kin__put_begin(queue, &put);
    }
    if (r < 0) {
        return r;
    }
    while (done < count && r >= 0) {
        uint32_t wanted = count - done < BATCH_MAX ? count - done : BATCH_MAX;
        r = put_round(&put, messages + done, wanted, timeout);
        done += r > 0 ? (uint32_t)r : 0;
        if (r >= 0 && (uint32_t)r < wanted) { /* why, the next round would say */
            break;
        }
    }
    kin__put_end(&put);
    return done != 0 ? (int)done : r;
}
