/* kin_connection, as kin_pipe_create makes it. */

#include "connection/exchange.h"
#include "harness_kin.h"

#include <kin.h>
#include <string.h>

static kin_connection *ends[2];
static kin_connection *kept;
static bool is_of_objects; /* the message is one, with its number in it */

static void open_pipe(bool is_two_way)
{
    harness_must(kin_init(NULL, NULL), "kin_init");
    is_of_objects = harness_number_or("objects", 0) != 0;
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

/* {'id': number, 'name': 'Ada Lovelace', 'score': 0.75, 'active': True} */
static kin_object *make_object(void)
{
    kin_object *object = kin_dict_create();
    harness_must(kin_dict_set_text(object, "id", kin_object_from_int(0)), "id");
    harness_must(kin_dict_set_text(object, "name", kin_object_from_text("Ada Lovelace")), "name");
    harness_must(kin_dict_set_text(object, "score", kin_object_from_float(0.75)), "score");
    harness_must(kin_dict_set_text(object, "active", kin_object_from_bool(true)), "active");
    return object;
}

static void send_object(const void *message)
{
    static kin_object *object;
    uint64_t number;
    if (object == NULL) {
        object = make_object();
    }
    memcpy(&number, message, sizeof number);
    harness_must(kin_dict_set_text(object, "id", kin_object_from_uint(number)), "id");
    harness_must(kin_connection_send(kept, object, KIN_FOREVER), "send");
}

static void receive_object(void *message)
{
    kin_object *object = NULL;
    uint64_t number = 0;
    harness_must(kin_connection_receive(kept, KIN_FOREVER, &object), "receive");
    harness_must(kin_object_to_uint(kin_dict_get_text(object, "id"), &number), "id");
    memcpy(message, &number, sizeof number);
    kin_object_free(object);
}

static void send_message(const void *message, size_t bytes)
{
    if (is_of_objects) {
        send_object(message);
        return;
    }
    harness_must(kin_connection_send_bytes(kept, message, bytes, KIN_FOREVER), "send");
}

static void receive_message(void *message, size_t bytes)
{
    size_t size = 0;
    if (is_of_objects) {
        receive_object(message);
        return;
    }
    harness_must(kin_connection_receive_into(kept, message, bytes, KIN_FOREVER, &size), "receive");
    if (size != bytes) {
        harness_die("a message has %zu bytes, not %zu", size, bytes);
    }
}

const exchange_subject exchange_measured = {open_pipe,       keep,        leave, send_message,
                                            receive_message, &harness_kin};
