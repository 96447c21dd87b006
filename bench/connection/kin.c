/* kin_connection, as kin_pipe_create makes it. */

#include "connection/exchange.h"
#include "harness_kin.h"

#include <kin.h>

static kin_connection *ends[2];
static kin_connection *kept;

static void open_pipe(bool is_two_way)
{
    harness_must(kin_init(NULL, NULL), "kin_init");
    harness_must(kin_pipe_create(is_two_way, &ends[0], &ends[1]), "kin_pipe_create");
}

static void keep(unsigned end)
{
    kept = ends[end];
    kin_connection_free(ends[1 - end]);
}

static void leave(void)
{
    kin_connection_free(ends[0]);
    kin_connection_free(ends[1]);
}

static void send_message(const void *message, size_t bytes)
{
    harness_must(kin_connection_send_bytes(kept, message, bytes, KIN_FOREVER), "send");
}

static void receive_message(void *message, size_t bytes)
{
    size_t size = 0;
    harness_must(kin_connection_receive_into(kept, message, bytes, KIN_FOREVER, &size), "receive");
    if (size != bytes) {
        harness_die("a message has %zu bytes, not %zu", size, bytes);
    }
}

const exchange_subject exchange_measured = {open_pipe,       keep,        leave, send_message,
                                            receive_message, &harness_kin};
