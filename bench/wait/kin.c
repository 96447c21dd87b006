/* kin_wait_many, on pipes or on queues. */

#include "harness_kin.h"
#include "wait/rounds.h"

#include <kin.h>

static kin_wait_item items[ROUNDS_THINGS_MAX];
static unsigned item_count;
static bool has_queues;

static void open_things(unsigned count)
{
    harness_must(kin_init(NULL, NULL), "kin_init");
    has_queues = harness_number_or("queues", 0) != 0;
    item_count = count;
    if (!has_queues) {
        rounds_open_pipes(count);
    }
    for (unsigned i = 0; i < count; i++) {
        kin_queue *queue = NULL;
        if (has_queues) {
            harness_must(kin_queue_create(NULL, &queue), "kin_queue_create");
        }
        items[i] = has_queues ? kin_wait_for_queue(queue) : kin_wait_for_read(rounds_pipes[i][0]);
    }
}

static void make_ready(unsigned thing)
{
    if (has_queues) {
        harness_must(kin_queue_put_bytes(items[thing].queue, "x", 1, KIN_NOW), "put");
    } else {
        rounds_write(thing);
    }
}

static unsigned wait_for_one(void)
{
    if (kin_wait_many(items, item_count, KIN_FOREVER) != 1) {
        harness_die("not one is ready");
    }
    unsigned thing = 0;
    while (!items[thing].is_ready) {
        thing++;
    }
    return thing;
}

static void take(unsigned thing)
{
    kin_message message;
    if (has_queues) {
        harness_must(kin_queue_get_bytes(items[thing].queue, KIN_NOW, &message), "get");
        kin_message_free(&message);
    } else {
        rounds_read(thing);
    }
}

const rounds_subject rounds_measured = {open_things, make_ready, wait_for_one, take};
