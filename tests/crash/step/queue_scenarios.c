/*
 * The queue: put, get and close; small messages and those that have a block; with room, full and
 * empty; with others asleep in it; where a segment is added or retired; and where the locks
 * were left by somebody who died with them.
 */
#include "step/messages.h"

#include "family/heap.h"
#include "family/member.h"

#include <errno.h>

enum { FLAG_WAITING, FLAG_CLOSED };

static uint64_t first_count; /* messages that setup has put */

static void put(void)
{
    messages_put(SEED_VICTIM);
}

static void get(void)
{
    int r = get_variant(scene.queue, KIN_FOREVER, &scene.board->message);
    if (r != 0) {
        crash_fail("get: %d", r);
    }
    atomic_store(&scene.board->is_done, 1);
}

static void put_by_prey(void)
{
    messages_put(SEED_PREY);
}

static void get_by_prey(void)
{
    kin_message message;
    CRASH_CHECK(kin_queue_get_bytes(scene.queue, KIN_FOREVER, &message) == 0);
}

/* --- contexts --- */

static void produce(void)
{
    crash_set_flag(FLAG_WAITING, 1);
    messages_put(SEED_CONTEXT);
}

static void consume(void)
{
    crash_set_flag(FLAG_WAITING, 1);
    CRASH_CHECK(messages_take(KIN_FOREVER) != 0);
}

static void consume_until_closed(void)
{
    kin_message message;
    crash_set_flag(FLAG_WAITING, 1);
    CRASH_CHECK(kin_queue_get_bytes(scene.queue, KIN_FOREVER, &message) == -EPIPE);
}

static void start_sleeper(void (*run)(void))
{
    pid_t pid = crash_start(run, NULL);
    crash_await_flag(FLAG_WAITING, 1);
    crash_await_sleep(pid);
}

static void take_one(void)
{
    CRASH_CHECK(messages_take(KIN_NOW) != 0);
}

/* Perhaps there is none, and the victim is still on its way. */
static void take_if_any(void)
{
    messages_take(KIN_NOW);
}

static void put_for_victim(void)
{
    messages_put(SEED_VICTIM);
}

static void put_if_none(void)
{
    if (kin_queue_item_count(scene.queue) == 0) {
        put_for_victim();
    }
}

/* --- setups --- */

static void set_up(size_t bytes, uint64_t item_count_max, uint64_t count)
{
    message_bytes = bytes;
    first_count = count;
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

static void set_up_full(void)
{
    set_up(BYTES_LARGE, 2, 2);
    start_sleeper(produce);
}

static void set_up_consumer(void)
{
    set_up(BYTES_SMALL, 0, 0);
    start_sleeper(consume);
}

static void set_up_consumer_large(void)
{
    set_up(BYTES_LARGE, 0, 0);
    start_sleeper(consume);
}

static void set_up_to_close(void)
{
    set_up(BYTES_SMALL, 0, 0);
    start_sleeper(consume_until_closed);
}

static void set_up_segment_full(void)
{
    set_up(BYTES_SMALL, 0, 0);
    first_count = messages_fill_segment();
}

static void set_up_get_small(void)
{
    set_up(BYTES_SMALL, 0, 0);
    put_for_victim();
    messages_put(SEED_FIRST);
    first_count = 1;
}

static void set_up_get_large(void)
{
    set_up(BYTES_LARGE, 0, 0);
    put_for_victim();
    messages_put(SEED_FIRST);
    first_count = 1;
}

static void set_up_retire(void)
{
    set_up_segment_full();
    put_for_victim();
    messages_put(SEED_FIRST);
    for (uint64_t i = 0; i < first_count; i++) {
        take_one();
    }
    first_count++;
}

static void set_up_get_full(void)
{
    set_up(BYTES_LARGE, 1, 0);
    put_for_victim();
    start_sleeper(produce);
}

/* --- survivors --- */

/* The order of what is left, once the dead are reaped. */
static void put_and_take_all(void)
{
    uint64_t left = first_count;
    crash_await_reaped(scene.board->victim);
    messages_put(SEED_SURVIVOR);
    while (left-- > 0) {
        CRASH_CHECK(messages_take(KIN_FOREVER) == SEED_FIRST);
    }
    uint32_t seed = messages_take(KIN_FOREVER);
    if (seed == SEED_VICTIM) {
        seed = messages_take(KIN_FOREVER);
    }
    CRASH_CHECK(seed == SEED_SURVIVOR);
    CRASH_CHECK(messages_take(KIN_NOW) == 0);
}

static void put_and_take_at_once(void)
{
    messages_put(SEED_SURVIVOR);
    CRASH_CHECK(messages_take(KIN_FOREVER) != 0);
}

static void take_and_put(void)
{
    while (messages_received(SEED_CONTEXT) == 0) {
        CRASH_CHECK(messages_take(KIN_FOREVER) != 0);
    }
    messages_put(SEED_SURVIVOR);
    while (messages_received(SEED_SURVIVOR) == 0) {
        CRASH_CHECK(messages_take(KIN_FOREVER) != 0);
    }
}

/* What the victim has put comes to the one who sleeps without anybody's help. */
static void put_for_sleeper(void)
{
    crash_await_reaped(scene.board->victim);
    if (kin_queue_item_count(scene.queue) != 0) {
        crash_await(&scene.board->received[SEED_VICTIM], 1);
    }
    messages_put(SEED_SURVIVOR);
}

static void take_in_order(void)
{
    crash_await_reaped(scene.board->victim);
    uint32_t seed = messages_take(KIN_FOREVER);
    if (seed == SEED_VICTIM) {
        seed = messages_take(KIN_FOREVER);
    }
    CRASH_CHECK(seed == SEED_FIRST);
    CRASH_CHECK(messages_take(KIN_NOW) == 0);
}

static void take_at_once(void)
{
    CRASH_CHECK(messages_take(KIN_FOREVER) != 0);
}

static void take_from_context(void)
{
    while (messages_received(SEED_CONTEXT) == 0) {
        CRASH_CHECK(messages_take(KIN_FOREVER) != 0);
    }
}

static void put_survivors(void)
{
    messages_put(SEED_SURVIVOR);
}

static void close_queue(void)
{
    CRASH_CHECK(kin_queue_close(scene.queue) == 0);
}

/* --- ends --- */

static void finish_close(void)
{
    CRASH_CHECK(kin_queue_is_closed(scene.queue));
    scene.queue = kin_queue_free(scene.queue);
}

#define GIVE (void (*)(void)) kin__block_give

const struct scenario queue_scenarios[] = {
    {.name = "queue put",
     .context = "small",
     .setup = set_up_small,
     .victim = put,
     .survivor = put_and_take_all,
     .finish = messages_finish},
    {.name = "queue put",
     .context = "large",
     .setup = set_up_large,
     .victim = put,
     .survivor = put_and_take_all,
     .finish = messages_finish},
    {.name = "queue put",
     .context = "large, others at once",
     .setup = set_up_large,
     .victim = put,
     .survivor = put_and_take_at_once,
     .finish = messages_finish},
    {.name = "queue put",
     .context = "needs a segment",
     .setup = set_up_segment_full,
     .victim = put,
     .survivor = put_and_take_all,
     .finish = messages_finish},
    {.name = "queue put",
     .context = "full, another waits",
     .setup = set_up_full,
     .victim = put,
     .asleep = take_if_any,
     .survivor = take_and_put,
     .finish = messages_finish},
    {.name = "queue put",
     .context = "a consumer sleeps",
     .setup = set_up_consumer,
     .victim = put,
     .survivor = put_for_sleeper,
     .finish = messages_finish},
    {.name = "queue put",
     .context = "large, a consumer sleeps",
     .setup = set_up_consumer_large,
     .victim = put,
     .survivor = put_for_sleeper,
     .finish = messages_finish},
    {.name = "queue put",
     .context = "another died adding a segment",
     .setup = set_up_segment_full,
     .prey = {put_by_prey, GIVE, false, NULL},
     .victim = put,
     .survivor = put_and_take_all,
     .finish = messages_finish},
    {.name = "queue put",
     .context = "another died having added a segment",
     .setup = set_up_segment_full,
     .prey = {put_by_prey, GIVE, true, NULL},
     .victim = put,
     .survivor = put_and_take_all,
     .finish = messages_finish},
    {.name = "queue get",
     .context = "small",
     .setup = set_up_get_small,
     .victim = get,
     .survivor = take_in_order,
     .finish = messages_finish},
    {.name = "queue get",
     .context = "large",
     .setup = set_up_get_large,
     .victim = get,
     .survivor = take_in_order,
     .finish = messages_finish},
    {.name = "queue get",
     .context = "large, others at once",
     .setup = set_up_get_large,
     .victim = get,
     .survivor = take_at_once,
     .finish = messages_finish},
    {.name = "queue get",
     .context = "retires a segment",
     .setup = set_up_retire,
     .victim = get,
     .survivor = take_in_order,
     .finish = messages_finish},
    {.name = "queue get",
     .context = "full, a producer sleeps",
     .setup = set_up_get_full,
     .victim = get,
     .survivor = take_from_context,
     .finish = messages_finish},
    {.name = "queue get",
     .context = "empty, another waits",
     .setup = set_up_consumer,
     .victim = get,
     .asleep = put_if_none,
     .survivor = put_survivors,
     .finish = messages_finish},
    {.name = "queue get",
     .context = "another died retiring a segment",
     .setup = set_up_retire,
     .prey = {get_by_prey, GIVE, false, NULL},
     .victim = get,
     .survivor = take_at_once,
     .finish = messages_finish},
    {.name = "queue get",
     .context = "another died having retired a segment",
     .setup = set_up_retire,
     .prey = {get_by_prey, GIVE, true, NULL},
     .victim = get,
     .survivor = take_at_once,
     .finish = messages_finish},
    {.name = "queue close",
     .context = "a consumer sleeps",
     .setup = set_up_to_close,
     .victim = close_queue,
     .survivor = close_queue,
     .finish = finish_close},
    {0},
};
