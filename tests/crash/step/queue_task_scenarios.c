/*
 * Joinable queues, the end of queues, and a reaper whose dead had all kinds of things in hand:
 * tasks, claims and reservations, of those more than are noted. Those who sleep hear of each end.
 */
#include "step/messages.h"

#include "family/death.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/reservation.h>
#include <poll.h>

enum { OPEN = 10 };

/* --- victims --- */

static void get_and_do(void)
{
    CRASH_CHECK(kin_queue_get_bytes(scene.queue, KIN_FOREVER, &scene.board->message) == 0);
    CRASH_CHECK(kin_queue_task_done(scene.queue) == 0);
    atomic_store(&scene.board->is_done, 1);
}

static void claim_and_do(void)
{
    kin_claim claim;
    uint32_t seed = messages_claim(KIN_FOREVER, &claim);
    CRASH_CHECK(seed != 0);
    messages_acknowledge(&claim, seed);
}

static void join(void)
{
    CRASH_CHECK(kin_queue_join(scene.queue, KIN_FOREVER) >= 0);
}

static void shut_down(void)
{
    CRASH_CHECK(kin_queue_shutdown(scene.queue) == 0);
}

static void reap(void)
{
    kin__death_reap(scene.board->prey);
}

/* --- contexts --- */

static void join_as_context(void)
{
    messages_say_waiting();
    join();
}

static void get_until_shut(void)
{
    kin_message message;
    messages_say_waiting();
    CRASH_CHECK(kin_queue_get_bytes(scene.queue, KIN_FOREVER, &message) == -EPIPE);
}

static void claim_until_shut(void)
{
    kin_claim claim;
    messages_say_waiting();
    CRASH_CHECK(kin_queue_claim(scene.queue, KIN_FOREVER, &claim) == -EPIPE);
}

static void put_until_shut(void)
{
    unsigned char byte = 0;
    messages_say_waiting();
    CRASH_CHECK(kin_queue_put_bytes(scene.queue, &byte, 1, KIN_FOREVER) == -EPIPE);
}

static void poll_until_shut(void)
{
    struct pollfd ready = {.events = POLLIN};
    CRASH_CHECK(kin_queue_event_fd(scene.queue, &ready.fd) == 0);
    messages_say_waiting();
    CRASH_CHECK(poll(&ready, 1, -1) == 1);
    scene.queue = kin_queue_free(scene.queue);
}

static void take_if_any(void)
{
    messages_take(KIN_NOW);
}

/* --- prey: one that dies with everything in hand --- */

static void hold_everything(void)
{
    kin_message message;
    kin_claim claim;
    kin_reservation reservation;
    CRASH_CHECK(kin_queue_get_bytes(scene.queue, KIN_NOW, &message) == 0);
    kin_message_free(&message);
    atomic_fetch_add(&scene.board->received[SEED_FIRST], 1); /* and never done */
    for (int i = 0; i < 2; i++) {
        CRASH_CHECK(messages_claim(KIN_NOW, &claim) == SEED_FIRST);
    }
    for (int i = 0; i < OPEN; i++) {
        size_t size = i % 2 == 0 ? BYTES_SMALL : BYTES_LARGE;
        CRASH_CHECK(kin_queue_reserve(scene.queue, size, KIN_NOW, &reservation) == 0);
    }
    messages_put(SEED_PREY);
}

/* --- setups --- */

static void set_up(size_t bytes, uint64_t count, const kin_queue_options *options)
{
    message_bytes = bytes;
    message_has_handle = false;
    messages_create_with(options);
    for (uint64_t i = 0; i < count; i++) {
        messages_put(SEED_FIRST);
    }
}

static const kin_queue_options joinable = {.size = sizeof joinable, .is_joinable = true};

static void set_up_task_small(void)
{
    set_up(BYTES_SMALL, 2, &joinable);
    messages_start_sleeper(join_as_context);
}

static void set_up_task_large(void)
{
    set_up(BYTES_LARGE, 0, &joinable);
    messages_put(SEED_VICTIM);
    messages_put(SEED_FIRST);
    messages_start_sleeper(join_as_context);
}

static void set_up_to_join(void)
{
    set_up(BYTES_SMALL, 1, &joinable);
}

static void set_up_joined_twice(void)
{
    set_up_to_join();
    messages_start_sleeper(join_as_context);
}

static void set_up_letter(void)
{
    set_up(BYTES_LARGE, 4,
           KIN_OPTIONS(kin_queue_options, .is_joinable = true, .delivery_count_max = 1));
}

static void set_up_held(void)
{
    set_up(BYTES_LARGE, 4,
           KIN_OPTIONS(kin_queue_options, .is_joinable = true, .item_count_max = OPEN + 4));
}

static void set_up_held_small(void)
{
    set_up(BYTES_SMALL, 4, &joinable);
}

static void set_up_held_and_joined(void)
{
    set_up_held();
    messages_start_sleeper(join_as_context);
}

static void set_up_segment_of_tasks(void)
{
    set_up(BYTES_SMALL, 0, &joinable);
    uint64_t count = messages_fill_segment();
    messages_put(SEED_FIRST);
    messages_put(SEED_FIRST);
    while (count-- > 1) {
        take_if_any();
    }
    messages_start_sleeper(join_as_context);
}

static void set_up_shut_empty(void)
{
    set_up(BYTES_SMALL, 0, NULL);
    messages_start_sleeper(get_until_shut);
    messages_start_sleeper(claim_until_shut);
    messages_start_sleeper(poll_until_shut);
}

static void set_up_shut_full(void)
{
    set_up(BYTES_LARGE, 1,
           KIN_OPTIONS(kin_queue_options, .is_joinable = true, .item_count_max = 1));
    messages_start_sleeper(put_until_shut);
    messages_start_sleeper(join_as_context);
}

/* --- survivors --- */

/* Does what is left; who joins comes back without anybody's help. */
static void do_all(void)
{
    crash_await_reaped(scene.board->victim);
    while (messages_take(KIN_NOW) != 0) {
    }
    CRASH_CHECK(kin_queue_join(scene.queue, KIN_FOREVER) >= 0);
}

static void do_all_at_once(void)
{
    while (kin_queue_join(scene.queue, KIN_NOW) < 0) {
        take_if_any();
    }
}

/* The order of what the dead had in hand: one task is lost, what it had claimed comes first. */
static void check_what_is_left(void)
{
    static const uint32_t others[] = {SEED_FIRST, SEED_FIRST, SEED_FIRST, SEED_PREY, 0};
    crash_await_reaped(scene.board->prey);
    messages_check_order(0, others);
    CRASH_CHECK(kin_queue_join(scene.queue, KIN_FOREVER) >= 0);
}

static void check_letters_are_left(void)
{
    static const uint32_t others[] = {SEED_FIRST, SEED_PREY, 0};
    crash_await_reaped(scene.board->prey);
    messages_check_order(0, others);
    CRASH_CHECK(kin_queue_dead_letter_count(scene.queue) == 2);
    CRASH_CHECK(kin_queue_join(scene.queue, KIN_FOREVER) >= 0);
}

static void put_one_more(void)
{
    messages_put(SEED_SURVIVOR);
}

static void hold_and_do(void)
{
    put_one_more();
    do_all();
}

/* --- ends --- */

static void finish_shut(void)
{
    kin_message message;
    crash_await_reaped(scene.board->victim);
    CRASH_CHECK(kin_queue_get_bytes(scene.queue, KIN_NOW, &message) == -EPIPE);
    scene.queue = kin_queue_free(scene.queue);
}

#define CASE(title, surroundings, set_up_function, operation, ...)                             \
    {                                                                                          \
        .name = title, .context = surroundings, .setup = set_up_function, .victim = operation, \
        .finish = messages_finish, __VA_ARGS__                                                 \
    }

const struct scenario queue_task_scenarios[] = {
    CASE("queue task_done", "small, another joins", set_up_task_small, get_and_do,
         .survivor = do_all),
    CASE("queue task_done", "large, another joins", set_up_task_large, get_and_do,
         .survivor = do_all),
    CASE("queue task_done", "others at once", set_up_task_small, get_and_do,
         .survivor = do_all_at_once),
    CASE("queue task_done", "retires a segment", set_up_segment_of_tasks, get_and_do,
         .survivor = do_all),
    CASE("queue acknowledge", "of a task, another joins", set_up_task_large, claim_and_do,
         .survivor = do_all),
    CASE("queue join", "asleep", set_up_to_join, join, .asleep = take_if_any, .survivor = do_all),
    CASE("queue join", "asleep, another too", set_up_joined_twice, join, .asleep = take_if_any,
         .survivor = do_all),
    {.name = "queue shutdown",
     .context = "consumers and one that polls sleep",
     .setup = set_up_shut_empty,
     .victim = shut_down,
     .survivor = shut_down,
     .finish = finish_shut},
    {.name = "queue shutdown",
     .context = "full, a producer and one that joins sleep",
     .setup = set_up_shut_full,
     .victim = shut_down,
     .survivor = shut_down,
     .finish = finish_shut},
    CASE("queue reaper", "of one who had everything in hand", set_up_held, reap,
         .prey = {hold_everything, NULL, false, NULL}, .survivor = check_what_is_left),
    CASE("queue reaper", "of one who had everything in hand, another joins", set_up_held_and_joined,
         reap, .prey = {hold_everything, NULL, false, NULL}, .survivor = check_what_is_left),
    CASE("queue reaper", "of one who had claims that become dead letters", set_up_letter, reap,
         .prey = {hold_everything, NULL, false, NULL}, .survivor = check_letters_are_left),
    CASE("queue task_done", "another died with everything in hand", set_up_held_small, get_and_do,
         .prey = {hold_everything, NULL, false, NULL}, .survivor = hold_and_do),
    {0},
};
