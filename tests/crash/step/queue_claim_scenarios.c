/*
 * Claims: a consumer that is killed with a message in hand, or while it ends a claim in either way,
 * has acknowledged it or has not. Also dead letters, the end of a closed queue, and segments that
 * are retired by an acknowledgement.
 */
#include "step/messages.h"

#include "family/heap.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/reservation.h>
#include <kin/wait.h>
#include <poll.h>

static kin_claim claim_of_victim; /* its own */
static kin_claim claim_of_stage;

/* --- victims --- */

static void claim_and_acknowledge(void)
{
    kin_claim claim;
    uint32_t seed = messages_claim(KIN_FOREVER, &claim);
    CRASH_CHECK(seed != 0);
    messages_acknowledge(&claim, seed);
}

static void claim_and_refuse(void)
{
    kin_claim claim;
    CRASH_CHECK(messages_claim(KIN_FOREVER, &claim) != 0);
    CRASH_CHECK(kin_queue_refuse(scene.queue, &claim) == 0);
}

static void prepare_claim(void)
{
    CRASH_CHECK(messages_claim(KIN_NOW, &claim_of_victim) == SEED_VICTIM);
}

static void acknowledge(void)
{
    messages_acknowledge(&claim_of_victim, SEED_VICTIM);
}

static void refuse(void)
{
    CRASH_CHECK(kin_queue_refuse(scene.queue, &claim_of_victim) == 0);
}

static void acknowledge_dead_letter(void)
{
    kin_claim claim;
    uint32_t seed = messages_claim_dead_letter(&claim);
    CRASH_CHECK(seed != 0);
    messages_acknowledge(&claim, seed);
}

static void refuse_dead_letter(void)
{
    kin_claim claim;
    CRASH_CHECK(messages_claim_dead_letter(&claim) != 0);
    CRASH_CHECK(kin_queue_refuse(scene.queue, &claim) == 0);
}

static void close_queue(void)
{
    CRASH_CHECK(kin_queue_close(scene.queue) == 0);
}

static void close_and_acknowledge(void)
{
    close_queue();
    acknowledge();
}

static void use_bell(void)
{
    int fd = -1;
    struct pollfd ready = {.events = POLLIN};
    CRASH_CHECK(kin_queue_event_fd(scene.queue, &fd) == 0);
    ready.fd = fd;
    CRASH_CHECK(poll(&ready, 1, -1) == 1);
    claim_and_acknowledge();
}

static void wait_for_many(void)
{
    kin_event *event = NULL;
    CRASH_CHECK(kin_event_create(NULL, &event) == 0);
    kin_wait_item items[] = {kin_wait_for_event(event), kin_wait_for_queue(scene.queue)};
    CRASH_CHECK(kin_wait_many(items, 1, kin_within_ms(1)) == -ETIMEDOUT);
    CRASH_CHECK(kin_wait_many(items, 2, KIN_FOREVER) == 1);
    kin_event_free(event);
    claim_and_acknowledge();
}

/* --- contexts, and prey --- */

static void claim_as_context(void)
{
    kin_claim claim;
    messages_say_waiting();
    uint32_t seed = messages_claim(KIN_FOREVER, &claim);
    CRASH_CHECK(seed != 0);
    messages_acknowledge(&claim, seed);
}

static void claim_two(void)
{
    kin_claim claims[2];
    CRASH_CHECK(messages_claim(KIN_NOW, &claims[0]) != 0);
    CRASH_CHECK(messages_claim(KIN_NOW, &claims[1]) != 0);
}

static void put_if_none(void)
{
    if (kin_queue_item_count(scene.queue) == 0) {
        messages_put(SEED_SURVIVOR);
    }
}

/* --- setups --- */

static void set_up_with(size_t bytes, const kin_queue_options *options)
{
    message_bytes = bytes;
    message_has_handle = false;
    messages_create_with(options);
    messages_put(SEED_VICTIM);
    messages_put(SEED_FIRST);
}

static void set_up_small(void)
{
    set_up_with(BYTES_SMALL, NULL);
}

static void set_up_large(void)
{
    set_up_with(BYTES_LARGE, NULL);
}

static void set_up_limited(void)
{
    set_up_with(BYTES_LARGE, KIN_OPTIONS(kin_queue_options, .item_count_max = 2));
}

static void set_up_letter_small(void)
{
    set_up_with(BYTES_SMALL, KIN_OPTIONS(kin_queue_options, .delivery_count_max = 1));
}

static void set_up_letter_large(void)
{
    set_up_with(BYTES_LARGE, KIN_OPTIONS(kin_queue_options, .delivery_count_max = 1));
}

static void make_letters(void)
{
    for (int i = 0; i < 2; i++) {
        CRASH_CHECK(messages_claim(KIN_NOW, &claim_of_stage) != 0);
        CRASH_CHECK(kin_queue_refuse(scene.queue, &claim_of_stage) == 0);
    }
    CRASH_CHECK(kin_queue_dead_letter_count(scene.queue) == 2);
}

static void set_up_letters(void)
{
    set_up_letter_large();
    make_letters();
}

static void set_up_handles(void)
{
    message_bytes = BYTES_SMALL;
    messages_create_with(NULL);
    CRASH_CHECK(kin_event_create(NULL, &scene.event) == 0);
    message_has_handle = true;
    messages_put(SEED_VICTIM);
    messages_put(SEED_FIRST);
}

static void set_up_empty(void)
{
    message_bytes = BYTES_LARGE;
    message_has_handle = false;
    messages_create(0);
}

static void set_up_other_waits(void)
{
    set_up_empty();
    messages_start_sleeper(claim_as_context);
}

static kin_claim claim_in_between;

/* In front of the victim's message stand a full segment, in which one message is claimed, and
 * behind it one that nobody is in: the acknowledgement frees it, or the one before. */
static void set_up_segments(void)
{
    message_bytes = BYTES_SMALL;
    message_has_handle = false;
    messages_create(0);
    uint64_t count = messages_fill_segment();
    CRASH_CHECK(messages_claim(KIN_NOW, &claim_in_between) == SEED_FIRST);
    for (uint64_t i = 1; i < count; i++) {
        CRASH_CHECK(messages_take(KIN_NOW) == SEED_FIRST);
    }
    for (uint64_t i = 0; i < 511; i++) { /* the second segment */
        messages_put(SEED_FIRST);
    }
    messages_put(SEED_VICTIM);
    messages_put(SEED_FIRST);
    for (uint64_t i = 0; i < 511; i++) {
        CRASH_CHECK(messages_take(KIN_NOW) == SEED_FIRST);
    }
}

/* The same, and nothing is claimed: all that stands before is to be retired. */
static void set_up_retire(void)
{
    set_up_segments();
    messages_acknowledge(&claim_in_between, SEED_FIRST);
}

/* --- survivors --- */

static void check_order(void)
{
    static const uint32_t others[] = {SEED_FIRST, 0};
    messages_check_order(1, others);
}

static void put_and_check_order(void)
{
    static const uint32_t others[] = {SEED_FIRST, SEED_SURVIVOR, 0};
    crash_await_reaped(scene.board->victim);
    messages_put(SEED_SURVIVOR);
    messages_check_order(1, others);
}

static void claim_at_once(void)
{
    kin_claim claim;
    uint32_t seed = messages_claim(KIN_FOREVER, &claim);
    CRASH_CHECK(seed != 0);
    messages_acknowledge(&claim, seed);
}

static void end_letters(void)
{
    kin_claim claim;
    crash_await_reaped(scene.board->victim);
    uint64_t count = kin_queue_dead_letter_count(scene.queue);
    CRASH_CHECK(count >= 1 && count <= 2);
    while (count-- > 0) {
        uint32_t seed = messages_claim_dead_letter(&claim);
        CRASH_CHECK(seed != 0);
        messages_acknowledge(&claim, seed);
    }
    CRASH_CHECK(messages_claim_dead_letter(&claim) == 0);
}

static void put_survivor(void)
{
    messages_put(SEED_SURVIVOR);
}

/* Closed by the victim or by the survivor: the others come to the end by themselves. */
static void close_and_look(void)
{
    kin_message message;
    close_queue();
    while (messages_take(KIN_FOREVER) != 0) {
    }
    CRASH_CHECK(kin_queue_get_bytes(scene.queue, KIN_NOW, &message) == -EPIPE);
}

static void take_one_first(void)
{
    CRASH_CHECK(messages_take(KIN_NOW) == SEED_FIRST);
}

/* --- ends --- */

static void finish_handles(void)
{
    messages_finish();
    scene.event = kin_event_free(scene.event);
    message_has_handle = false;
}

static void finish_segments(void)
{
    crash_await_reaped(scene.board->victim);
    messages_acknowledge(&claim_in_between, SEED_FIRST);
    messages_finish();
}

static void prepare_claim_and_take(void)
{
    prepare_claim();
    take_one_first();
}

#define GIVE (void (*)(void)) kin__block_give

#define CASE(title, surroundings, set_up_function, operation, ...)                             \
    {                                                                                          \
        .name = title, .context = surroundings, .setup = set_up_function, .victim = operation, \
        .finish = messages_finish, __VA_ARGS__                                                 \
    }

const struct scenario queue_claim_scenarios[] = {
    CASE("queue claim and acknowledge", "small", set_up_small, claim_and_acknowledge,
         .survivor = put_and_check_order),
    CASE("queue claim and acknowledge", "large", set_up_large, claim_and_acknowledge,
         .survivor = put_and_check_order),
    CASE("queue claim and acknowledge", "large, others at once", set_up_large,
         claim_and_acknowledge, .survivor = claim_at_once),
    {.name = "queue claim and acknowledge",
     .context = "with handles",
     .setup = set_up_handles,
     .victim = claim_and_acknowledge,
     .survivor = check_order,
     .finish = finish_handles},
    CASE("queue claim and acknowledge", "empty, another waits", set_up_other_waits,
         claim_and_acknowledge, .asleep = put_if_none, .survivor = put_survivor),
    CASE("queue claim and acknowledge", "another died with claims", set_up_large,
         claim_and_acknowledge, .asleep = put_if_none, .prey = {claim_two, NULL, false, NULL},
         .survivor = claim_at_once),
    CASE("queue claim and acknowledge", "another died acknowledging", set_up_large,
         claim_and_acknowledge, .prey = {claim_and_acknowledge, GIVE, true, NULL},
         .survivor = claim_at_once),
    CASE("queue claim and refuse", "small", set_up_small, claim_and_refuse,
         .survivor = put_and_check_order),
    CASE("queue claim and refuse", "large", set_up_large, claim_and_refuse,
         .survivor = put_and_check_order),
    CASE("queue claim and refuse", "bounded", set_up_limited, claim_and_refuse,
         .survivor = check_order),
    {.name = "queue claim and refuse",
     .context = "with handles",
     .setup = set_up_handles,
     .victim = claim_and_refuse,
     .survivor = check_order,
     .finish = finish_handles},
    CASE("queue refuse", "what was behind it is taken", set_up_small, refuse,
         .prepare = prepare_claim_and_take, .survivor = claim_at_once),
    CASE("queue claim and refuse", "makes a dead letter, small", set_up_letter_small,
         claim_and_refuse, .survivor = check_order),
    CASE("queue claim and refuse", "makes a dead letter, large", set_up_letter_large,
         claim_and_refuse, .survivor = check_order),
    CASE("queue claim_dead_letter", "acknowledged", set_up_letters, acknowledge_dead_letter,
         .survivor = end_letters),
    CASE("queue claim_dead_letter", "refused", set_up_letters, refuse_dead_letter,
         .survivor = end_letters),
    {.name = "queue acknowledge",
     .context = "retires a segment in the middle",
     .setup = set_up_segments,
     .prepare = prepare_claim,
     .victim = acknowledge,
     .survivor = check_order,
     .finish = finish_segments},
    CASE("queue claim and acknowledge", "retires segments", set_up_retire, claim_and_acknowledge,
         .survivor = check_order),
    CASE("queue close", "with a claim open", set_up_small, close_and_acknowledge,
         .prepare = prepare_claim, .survivor = close_and_look),
    CASE("queue event_fd", "polls and claims", set_up_small, use_bell, .survivor = claim_at_once),
    CASE("queue wait_many", "waits and claims", set_up_small, wait_for_many,
         .survivor = claim_at_once),
    {0},
};
