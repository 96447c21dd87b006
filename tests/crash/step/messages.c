#include "step/messages.h"

#include "queue/layout.h"

#include <errno.h>
#include <string.h>

put_function *put_variant = kin_queue_put_bytes;
get_function *get_variant = kin_queue_get_bytes;
size_t message_bytes;

void messages_create(uint64_t item_count_max)
{
    kin_queue_options options = {.size = sizeof options, .item_count_max = item_count_max};
    int r = kin_queue_create(&options, &scene.queue);
    if (r != 0) {
        crash_fail("no queue: %d", r);
    }
}

void messages_put(uint32_t seed)
{
    unsigned char bytes[BYTES_LARGE];
    crash_fill(bytes, message_bytes, seed);
    atomic_fetch_add(&scene.board->intended[seed], 1);
    int r = put_variant(scene.queue, bytes, message_bytes, KIN_FOREVER);
    if (r != 0) {
        crash_fail("put of message %u: %d", seed, r);
    }
    atomic_fetch_add(&scene.board->sent[seed], 1);
}

static uint32_t seed_of(const kin_message *message)
{
    kin_bytes bytes = kin_message_bytes(message);
    for (uint32_t seed = 1; seed < 16; seed++) {
        if (bytes.size == message_bytes && crash_is_filled(bytes.data, bytes.size, seed)) {
            return seed;
        }
    }
    crash_fail("a message of %lu bytes that nobody has put", (unsigned long)bytes.size);
    return 0;
}

uint32_t messages_take(kin_timeout timeout)
{
    kin_message message;
    int r = get_variant(scene.queue, timeout, &message);
    if (r < 0) {
        if (r != -EAGAIN && r != -ETIMEDOUT && r != -EPIPE) {
            crash_fail("get: %d", r);
        }
        return 0;
    }
    uint32_t seed = seed_of(&message);
    atomic_fetch_add(&scene.board->received[seed], 1);
    kin_message_free(&message);
    return seed;
}

uint64_t messages_received(uint32_t seed)
{
    return atomic_load(&scene.board->received[seed]);
}

/* Whether the victim has this message: complete in its hands when it died. */
static bool has_victim(uint32_t seed)
{
    const kin_message *message = &scene.board->message;
    if (message->size != message_bytes) {
        return false;
    }
    return message_bytes > SLOT_SMALL_BYTES ? message->place != 0 && seed == SEED_VICTIM
                                            : crash_is_filled(message->small, message_bytes, seed);
}

static void check_count(uint32_t seed)
{
    uint64_t intended = atomic_load(&scene.board->intended[seed]);
    uint64_t sent = atomic_load(&scene.board->sent[seed]);
    uint64_t received = messages_received(seed);
    uint64_t held = has_victim(seed);
    bool is_certain = atomic_load(&scene.board->is_done) != 0; /* the victim's get returned */
    if (received + held < sent || received > intended ||
        (is_certain && received + held > intended)) {
        crash_fail("message %u: put %lu of %lu times, taken %lu times, %s", seed,
                   (unsigned long)sent, (unsigned long)intended, (unsigned long)received,
                   held ? "once by the dead" : "never by the dead");
    }
}

void messages_finish(void)
{
    crash_await_reaped(scene.board->victim); /* which gives back what it had in hand */
    if (scene.board->prey != 0) {
        crash_await_reaped(scene.board->prey);
    }
    while (messages_take(KIN_NOW) != 0) {
    }
    for (uint32_t seed = 1; seed < 16; seed++) {
        check_count(seed);
    }
    CRASH_CHECK(kin_queue_item_count(scene.queue) == 0);
    scene.queue = kin_queue_free(scene.queue);
}

uint64_t messages_fill_segment(void)
{
    const struct queue_shared *queue = ((const struct kin_queue *)scene.queue)->object.shared;
    uint64_t count = kin__segment_at(queue->oldest)->slot_count;
    for (uint64_t i = 0; i < count; i++) {
        messages_put(SEED_FIRST);
    }
    return count;
}
