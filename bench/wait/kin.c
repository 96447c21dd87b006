/* kin_wait_many: on pipes, on connections, or on queues. */

#include "harness_kin.h"
#include "wait/rounds.h"

#include <kin.h>
#include <kin/pipe.h>

enum kind { PIPES, CONNECTIONS, QUEUES };

static kin_wait_item items[ROUNDS_THINGS_MAX];
static kin_connection *writers[ROUNDS_THINGS_MAX];
static unsigned item_count;
static enum kind kind;

static kin_wait_item open_connection(unsigned thing)
{
    kin_connection *reader = NULL;
    harness_must(kin_pipe_create(false, &reader, &writers[thing]), "kin_pipe_create");
    return kin_wait_for_connection(reader);
}

static kin_wait_item open_queue(void)
{
    kin_queue *queue = NULL;
    harness_must(kin_queue_create(NULL, &queue), "kin_queue_create");
    return kin_wait_for_queue(queue);
}

static void open_things(unsigned count)
{
    harness_must(kin_init(NULL, NULL), "kin_init");
    kind = harness_number_or("queues", 0) != 0        ? QUEUES
           : harness_number_or("connections", 0) != 0 ? CONNECTIONS
                                                      : PIPES;
    item_count = count;
    rounds_open_pipes(kind == PIPES ? count : 0);
    for (unsigned i = 0; i < count; i++) {
        items[i] = kind == PIPES         ? kin_wait_for_read(rounds_pipes[i][0])
                   : kind == CONNECTIONS ? open_connection(i)
                                         : open_queue();
    }
}

static void make_ready(unsigned thing)
{
    if (kind == QUEUES) {
        harness_must(kin_queue_put_bytes(items[thing].queue, "x", 1, KIN_NOW), "put");
    } else if (kind == CONNECTIONS) {
        harness_must(kin_connection_send_bytes(writers[thing], "x", 1, KIN_FOREVER), "send");
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
    char byte;
    size_t size = 0;
    if (kind == QUEUES) {
        harness_must(kin_queue_get_bytes(items[thing].queue, KIN_NOW, &message), "get");
        kin_message_free(&message);
    } else if (kind == CONNECTIONS) {
        harness_must(kin_connection_receive_into(items[thing].connection, &byte, 1, KIN_NOW, &size),
                     "receive");
    } else {
        rounds_read(thing);
    }
}

const rounds_subject rounds_measured = {open_things, make_ready, wait_for_one, take};
