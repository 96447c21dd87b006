/*
 * The queue: what producers do besides a single put, and consumers besides a single get. Several
 * messages in one call, messages with handles, and reservations: committed, given up, and more of
 * them open than are noted.
 */
#include "step/messages.h"

#include "family/heap.h"

#include <kin/reservation.h>
#include <poll.h>

enum { BATCH = 3, OPEN = 11 };

/* --- victims --- */

static void put_many(void)
{
    unsigned char bytes[BYTES_LARGE];
    kin_bytes messages[BATCH];
    crash_fill(bytes, message_bytes, SEED_VICTIM);
    for (int i = 0; i < BATCH; i++) {
        messages[i] = (kin_bytes){bytes, message_bytes};
    }
    atomic_fetch_add(&scene.board->intended[SEED_VICTIM], BATCH);
    CRASH_CHECK(kin_queue_put_many_bytes(scene.queue, messages, BATCH, KIN_FOREVER) == BATCH);
    atomic_fetch_add(&scene.board->sent[SEED_VICTIM], BATCH);
}

static void get_many(void)
{
    int r = kin_queue_get_many_bytes(scene.queue, BATCH, KIN_FOREVER, scene.board->batch);
    CRASH_CHECK(r == BATCH);
    atomic_store(&scene.board->is_done, 1);
}

static void put(void)
{
    messages_put(SEED_VICTIM);
}

static void get(void)
{
    CRASH_CHECK(kin_queue_get_bytes(scene.queue, KIN_FOREVER, &scene.board->message) == 0);
    atomic_store(&scene.board->is_done, 1);
}

static void reserve(kin_reservation *ret_reservation)
{
    CRASH_CHECK(kin_queue_reserve(scene.queue, message_bytes, KIN_FOREVER, ret_reservation) == 0);
    crash_fill(ret_reservation->data, message_bytes, SEED_VICTIM);
}

static void reserve_and_commit(void)
{
    kin_reservation reservation;
    atomic_fetch_add(&scene.board->intended[SEED_VICTIM], 1);
    reserve(&reservation);
    CRASH_CHECK(kin_queue_commit(scene.queue, &reservation) == 0);
    atomic_fetch_add(&scene.board->sent[SEED_VICTIM], 1);
}

static void reserve_and_abandon(void)
{
    kin_reservation reservation;
    reserve(&reservation);
    CRASH_CHECK(kin_queue_abandon(scene.queue, &reservation) == 0);
}

static kin_reservation open[OPEN]; /* the victim's own */

static void reserve_many(void)
{
    for (int i = 0; i < OPEN; i++) {
        reserve(&open[i]);
    }
    messages_put(SEED_FIRST); /* behind them all */
}

/* Takes what is behind the open ones, commits one in the middle, gives up its neighbour. */
static void work_among_many(void)
{
    CRASH_CHECK(kin_queue_get_bytes(scene.queue, KIN_NOW, &scene.board->message) == 0);
    atomic_fetch_add(&scene.board->intended[SEED_VICTIM], 1);
    CRASH_CHECK(kin_queue_commit(scene.queue, &open[5]) == 0);
    atomic_fetch_add(&scene.board->sent[SEED_VICTIM], 1);
    CRASH_CHECK(kin_queue_abandon(scene.queue, &open[6]) == 0);
    CRASH_CHECK(kin_queue_abandon(scene.queue, &open[10]) == 0);
    CRASH_CHECK(kin_queue_item_count(scene.queue) == OPEN - 2);
}

/* --- contexts --- */

static void produce(void)
{
    messages_say_waiting();
    messages_put(SEED_CONTEXT);
}

static void consume(void)
{
    messages_say_waiting();
    CRASH_CHECK(messages_take(KIN_FOREVER) != 0);
}

/* Waits for the queue's fd: what is put is heard, whoever died on the way. */
static void poll_for_one(void)
{
    struct pollfd ready = {.events = POLLIN};
    CRASH_CHECK(kin_queue_event_fd(scene.queue, &ready.fd) == 0);
    messages_say_waiting();
    do {
        CRASH_CHECK(poll(&ready, 1, -1) == 1);
    } while (messages_take(KIN_NOW) == 0);
    scene.queue = kin_queue_free(scene.queue);
}

static void take_if_any(void)
{
    messages_take(KIN_NOW);
}

/* --- setups --- */

static void set_up(size_t bytes, uint64_t item_count_max, uint64_t count)
{
    message_bytes = bytes;
    message_has_handle = false;
    messages_create(item_count_max);
    for (uint64_t i = 0; i < count; i++) {
        messages_put(SEED_FIRST);
    }
}

static void set_up_small(void)
{
    set_up(BYTES_SMALL, 0, 1);
}

static void set_up_large(void)
{
    set_up(BYTES_LARGE, 0, 1);
}

static void set_up_empty(void)
{
    set_up(BYTES_SMALL, 0, 0);
}

static void set_up_segment_full(void)
{
    set_up(BYTES_SMALL, 0, 0);
    uint64_t count = messages_fill_segment();
    while (count-- > 1) {
        take_if_any();
    }
}

static void set_up_full(void)
{
    set_up(BYTES_LARGE, 2, 2);
    messages_start_sleeper(produce);
}

static void set_up_consumer(void)
{
    set_up(BYTES_SMALL, 0, 0);
    messages_start_sleeper(consume);
}

static void set_up_consumer_large(void)
{
    set_up(BYTES_LARGE, 0, 0);
    messages_start_sleeper(consume);
}

static void set_up_poller(void)
{
    set_up(BYTES_SMALL, 0, 0);
    messages_start_sleeper(poll_for_one);
}

static void set_up_poller_large(void)
{
    set_up(BYTES_LARGE, 0, 0);
    messages_start_sleeper(poll_for_one);
}

static void set_up_to_get(size_t bytes, uint64_t item_count_max)
{
    set_up(bytes, item_count_max, 0);
    for (int i = 0; i < BATCH; i++) {
        messages_put(SEED_VICTIM);
    }
}

static void set_up_get_small(void)
{
    set_up_to_get(BYTES_SMALL, 0);
    messages_put(SEED_FIRST);
}

static void set_up_get_large(void)
{
    set_up_to_get(BYTES_LARGE, 0);
    messages_put(SEED_FIRST);
}

static void set_up_get_full(void)
{
    set_up_to_get(BYTES_LARGE, BATCH);
    messages_start_sleeper(produce);
    messages_start_sleeper(produce);
}

/* The oldest is the last of its segment. */
static void set_up_get_retires(void)
{
    set_up(BYTES_SMALL, 0, 0);
    uint64_t count = messages_fill_segment();
    for (int i = 0; i < BATCH; i++) {
        messages_put(SEED_VICTIM);
    }
    messages_put(SEED_FIRST);
    while (count-- > 0) {
        take_if_any();
    }
}

static void set_up_handles(size_t bytes, uint32_t seed)
{
    set_up(bytes, 0, 0);
    CRASH_CHECK(kin_event_create(NULL, &scene.event) == 0);
    message_has_handle = true;
    messages_put(seed);
}

static void set_up_handles_small(void)
{
    set_up_handles(BYTES_SMALL, SEED_FIRST);
}

static void set_up_handles_large(void)
{
    set_up_handles(BYTES_LARGE, SEED_FIRST);
}

static void set_up_get_handles(void)
{
    set_up_handles(BYTES_SMALL, SEED_VICTIM);
    messages_put(SEED_FIRST);
}

/* --- survivors --- */

static void check_order_first(void)
{
    static const uint32_t others[] = {SEED_FIRST, 0};
    messages_check_order(BATCH, others);
}

/* The queue goes on, and what is put now is last. */
static void put_and_check_order(void)
{
    static const uint32_t others[] = {SEED_FIRST, SEED_SURVIVOR, 0};
    crash_await_reaped(scene.board->victim);
    messages_put(SEED_SURVIVOR);
    messages_check_order(BATCH, others);
}

static void take_from_context(void)
{
    while (messages_received(SEED_CONTEXT) < 1) {
        CRASH_CHECK(messages_take(KIN_FOREVER) != 0);
    }
}

static void take_two_from_context(void)
{
    while (messages_received(SEED_CONTEXT) < 2) {
        CRASH_CHECK(messages_take(KIN_FOREVER) != 0);
    }
}

/* What the victim has put comes to the one who waits without anybody's help. */
static void put_for_sleeper(void)
{
    crash_await_reaped(scene.board->victim);
    if (kin_queue_item_count(scene.queue) != 0) {
        crash_await(&scene.board->received[SEED_VICTIM], 1);
    }
    messages_put(SEED_SURVIVOR);
}

static void put_survivor(void)
{
    messages_put(SEED_SURVIVOR);
}

static void check_left_among_many(void)
{
    crash_await_reaped(scene.board->victim);
    CRASH_CHECK(kin_queue_item_count(scene.queue) <= 2);
    messages_put(SEED_SURVIVOR);
    uint32_t seed = 0;
    while ((seed = messages_take(KIN_NOW)) != SEED_SURVIVOR && seed != 0) {
    }
    CRASH_CHECK(seed == SEED_SURVIVOR);
}

/* --- ends --- */

static void finish_handles(void)
{
    messages_finish();
    scene.event = kin_event_free(scene.event);
    message_has_handle = false;
}

#define GIVE (void (*)(void)) kin__block_give

#define CASE(title, surroundings, set_up_function, operation, ...)                             \
    {                                                                                          \
        .name = title, .context = surroundings, .setup = set_up_function, .victim = operation, \
        .finish = messages_finish, __VA_ARGS__                                                 \
    }

const struct scenario queue_batch_scenarios[] = {
    CASE("queue put_many", "small", set_up_small, put_many, .survivor = put_and_check_order),
    CASE("queue put_many", "large", set_up_large, put_many, .survivor = put_and_check_order),
    CASE("queue put_many", "needs a segment", set_up_segment_full, put_many,
         .survivor = put_and_check_order),
    CASE("queue put_many", "full, another waits", set_up_full, put_many, .asleep = take_if_any,
         .survivor = take_from_context),
    CASE("queue put_many", "a consumer sleeps", set_up_consumer, put_many,
         .survivor = put_for_sleeper),
    CASE("queue put_many", "large, a consumer sleeps", set_up_consumer_large, put_many,
         .survivor = put_for_sleeper),
    CASE("queue put_many", "another died adding a segment", set_up_segment_full, put_many,
         .prey = {put_many, GIVE, false, NULL}, .survivor = put_survivor),
    CASE("queue get_many", "small", set_up_get_small, get_many, .survivor = check_order_first),
    CASE("queue get_many", "large", set_up_get_large, get_many, .survivor = check_order_first),
    CASE("queue get_many", "retires a segment", set_up_get_retires, get_many,
         .survivor = check_order_first),
    CASE("queue get_many", "full, producers sleep", set_up_get_full, get_many,
         .survivor = take_two_from_context),
    {.name = "queue put_with_handles",
     .context = "small",
     .setup = set_up_handles_small,
     .victim = put,
     .survivor = put_and_check_order,
     .finish = finish_handles},
    {.name = "queue put_with_handles",
     .context = "large",
     .setup = set_up_handles_large,
     .victim = put,
     .survivor = put_and_check_order,
     .finish = finish_handles},
    {.name = "queue get",
     .context = "with handles",
     .setup = set_up_get_handles,
     .victim = get,
     .survivor = check_order_first,
     .finish = finish_handles},
    CASE("queue reserve and commit", "small", set_up_small, reserve_and_commit,
         .survivor = put_and_check_order),
    CASE("queue reserve and commit", "large", set_up_large, reserve_and_commit,
         .survivor = put_and_check_order),
    CASE("queue reserve and commit", "full, another waits", set_up_full, reserve_and_commit,
         .asleep = take_if_any, .survivor = take_from_context),
    CASE("queue reserve and commit", "a consumer sleeps", set_up_consumer, reserve_and_commit,
         .survivor = put_for_sleeper),
    CASE("queue reserve and commit", "large, a consumer sleeps", set_up_consumer_large,
         reserve_and_commit, .survivor = put_for_sleeper),
    CASE("queue reserve and abandon", "small", set_up_small, reserve_and_abandon,
         .survivor = put_and_check_order),
    CASE("queue reserve and abandon", "large", set_up_large, reserve_and_abandon,
         .survivor = put_and_check_order),
    CASE("queue reserve and abandon", "full, another waits", set_up_full, reserve_and_abandon,
         .asleep = take_if_any, .survivor = take_from_context),
    CASE("queue reserve and abandon", "a consumer sleeps", set_up_consumer, reserve_and_abandon,
         .survivor = put_for_sleeper),
    CASE("queue reservations", "more are open than are noted", set_up_empty, work_among_many,
         .prepare = reserve_many, .survivor = check_left_among_many),
    CASE("queue put", "another polls", set_up_poller, put, .survivor = put_for_sleeper),
    CASE("queue put", "large, another polls", set_up_poller_large, put,
         .survivor = put_for_sleeper),
    CASE("queue reserve and commit", "another polls", set_up_poller, reserve_and_commit,
         .survivor = put_for_sleeper),
    {0},
};
