#include "step/messages.h"

#include "queue/layout.h"

#include <errno.h>
#include <string.h>

put_function *put_variant = kin_queue_put_bytes;
get_function *get_variant = kin_queue_get_bytes;
size_t message_bytes;
bool message_has_handle;

enum { FLAG_SLEEPER = 6 }; /* counts those that are on their way to sleep */

void messages_create_with(const kin_queue_options *options)
{
    int r = kin_queue_create(options, &scene.queue);
    if (r != 0) {
        crash_fail("no queue: %d", r);
    }
}

void messages_create(uint64_t item_count_max)
{
    kin_queue_options options = {.size = sizeof options, .item_count_max = item_count_max};
    messages_create_with(&options);
}

static bool is_joinable(void)
{
    const struct queue_shared *queue = ((const struct kin_queue *)scene.queue)->object.shared;
    return queue->is_joinable != 0;
}

void messages_put(uint32_t seed)
{
    unsigned char bytes[BYTES_LARGE];
    crash_fill(bytes, message_bytes, seed);
    atomic_fetch_add(&scene.board->intended[seed], 1);
    int r = 0;
    if (message_has_handle) {
        kin_handle handle = kin_event_handle(scene.event);
        r = kin_queue_put_with_handles(scene.queue, (kin_bytes){bytes, message_bytes}, &handle, 1,
                                       KIN_FOREVER);
    } else {
        r = put_variant(scene.queue, bytes, message_bytes, KIN_FOREVER);
    }
    if (r != 0) {
        crash_fail("put of message %u: %d", seed, r);
    }
    atomic_fetch_add(&scene.board->sent[seed], 1);
}

static uint32_t seed_of(kin_bytes bytes)
{
    for (uint32_t seed = 1; seed < 16; seed++) {
        if (bytes.size == message_bytes && crash_is_filled(bytes.data, bytes.size, seed)) {
            return seed;
        }
    }
    crash_fail("a message of %lu bytes that nobody has put", (unsigned long)bytes.size);
    return 0;
}

/* What a handle names is there as long as its message. */
static void check_handles(const kin_handle *handles, uint32_t count)
{
    kin_event *event = NULL;
    CRASH_CHECK(count == (message_has_handle ? 1 : 0));
    if (count == 1) {
        CRASH_CHECK(kin_event_attach(handles[0], &event) == 0);
        kin_event_free(event);
    }
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
    uint32_t count = 0;
    uint32_t seed = seed_of(kin_message_bytes(&message));
    const kin_handle *handles = kin_message_handles(&message, &count);
    check_handles(handles, count);
    atomic_fetch_add(&scene.board->received[seed], 1);
    kin_message_free(&message);
    if (is_joinable()) {
        CRASH_CHECK(kin_queue_task_done(scene.queue) == 0);
    }
    return seed;
}

/* By its first byte: the victim does this, and is not to be stepped through the others. */
static uint32_t look_at_seed(kin_bytes bytes)
{
    for (uint32_t seed = 1; seed < 16; seed++) {
        if (bytes.size == message_bytes && crash_is_filled(bytes.data, 1, seed)) {
            return seed;
        }
    }
    crash_fail("a claim of %lu bytes that nobody has put", (unsigned long)bytes.size);
    return 0;
}

static uint32_t look_at_claim(int r, const kin_claim *claim)
{
    if (r < 0) {
        if (r != -EAGAIN && r != -ETIMEDOUT && r != -EPIPE) {
            crash_fail("claim: %d", r);
        }
        return 0;
    }
    check_handles(claim->handles, claim->handle_count);
    return look_at_seed(claim->bytes);
}

uint32_t messages_claim(kin_timeout timeout, kin_claim *ret_claim)
{
    return look_at_claim(kin_queue_claim(scene.queue, timeout, ret_claim), ret_claim);
}

uint32_t messages_claim_dead_letter(kin_claim *ret_claim)
{
    return look_at_claim(kin_queue_claim_dead_letter(scene.queue, ret_claim), ret_claim);
}

void messages_acknowledge(kin_claim *claim, uint32_t seed)
{
    atomic_fetch_add(&scene.board->ending[seed], 1);
    CRASH_CHECK(kin_queue_acknowledge(scene.queue, claim) == 0);
    atomic_fetch_add(&scene.board->ended[seed], 1);
}

void messages_say_waiting(void)
{
    atomic_fetch_add(&scene.board->flags[FLAG_SLEEPER], 1);
}

void messages_start_sleeper(void (*run)(void))
{
    uint64_t before = atomic_load(&scene.board->flags[FLAG_SLEEPER]);
    pid_t pid = crash_start(run, NULL);
    crash_await_flag(FLAG_SLEEPER, before + 1);
    crash_await_sleep(pid);
}

void messages_check_order(uint64_t count, const uint32_t *others)
{
    crash_await_reaped(scene.board->victim);
    for (;;) {
        uint32_t seed = messages_take(KIN_NOW);
        if (seed == SEED_VICTIM && count > 0) {
            count--;
            continue;
        }
        if (seed != *others) {
            crash_fail("message %u comes where %u should", seed, *others);
        }
        if (*others == 0) {
            break;
        }
        others++;
    }
}

uint64_t messages_received(uint32_t seed)
{
    return atomic_load(&scene.board->received[seed]);
}

/* Whether a message of the victim's is this one: complete in its hands when it died. */
static bool is_held(const kin_message *message, uint32_t seed)
{
    if (message->size != message_bytes) {
        return false;
    }
    return message_bytes > SLOT_SMALL_BYTES || message_has_handle
               ? message->place != 0 && seed == SEED_VICTIM
               : crash_is_filled(message->small, message_bytes, seed);
}

static uint64_t count_held(uint32_t seed)
{
    uint64_t held = is_held(&scene.board->message, seed);
    for (size_t i = 0; i < sizeof scene.board->batch / sizeof *scene.board->batch; i++) {
        held += is_held(&scene.board->batch[i], seed);
    }
    return held;
}

static void check_count(uint32_t seed)
{
    uint64_t intended = atomic_load(&scene.board->intended[seed]);
    uint64_t sent = atomic_load(&scene.board->sent[seed]);
    uint64_t received = messages_received(seed);
    uint64_t held = count_held(seed);
    uint64_t ending = atomic_load(&scene.board->ending[seed]);
    uint64_t ended = atomic_load(&scene.board->ended[seed]);
    bool is_certain = atomic_load(&scene.board->is_done) != 0; /* the victim's get returned */
    if (received + held + ending < sent || received + ended > intended ||
        (is_certain && received + held + ended > intended)) {
        crash_fail("message %u: put %lu of %lu times, taken %lu times, acknowledged %lu of %lu, "
                   "%lu in the hands of the dead",
                   seed, (unsigned long)sent, (unsigned long)intended, (unsigned long)received,
                   (unsigned long)ended, (unsigned long)ending, (unsigned long)held);
    }
}

void messages_finish(void)
{
    crash_await_reaped(scene.board->victim); /* which gives back what it had in hand */
    if (scene.board->prey != 0) {
        crash_await_reaped(scene.board->prey);
    }
    kin_claim claim;
    uint32_t dead_seed = 0;
    while (messages_take(KIN_NOW) != 0) {
    }
    while ((dead_seed = messages_claim_dead_letter(&claim)) != 0) {
        messages_acknowledge(&claim, dead_seed);
    }
    for (uint32_t seed = 1; seed < 16; seed++) {
        check_count(seed);
    }
    CRASH_CHECK(kin_queue_item_count(scene.queue) == 0);
    CRASH_CHECK(kin_queue_dead_letter_count(scene.queue) == 0);
    CRASH_CHECK(!is_joinable() || kin_queue_join(scene.queue, KIN_NOW) >= 0);
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
