#define _GNU_SOURCE
/* P7, P8, P11: start methods, what children have of their parent, the log. */
#include "scenario.h"

#include <fcntl.h>

/* --- start methods --- */

void scenario_methods(void)
{
    out("the default is what was asked for: %s", TRUTH(kin_context_method(NULL) == method));
    attempt("set again", kin_context_set_default(method, false));
    attempt("force", kin_context_set_default(method, true));
    attempt("unknown", kin_context_get((kin_start_method)99) == NULL ? -EINVAL : 0);
    for (int i = KIN_FORK; i <= KIN_FORKSERVER; i++) {
        out("%s", kin_context_name(kin_context_get((kin_start_method)i)));
    }
}

void scenario_by_context(void)
{
    for (int i = KIN_FORK; i <= KIN_FORKSERVER; i++) {
        const kin_context *context = kin_context_get((kin_start_method)i);
        kin_process *process = start_with(end_with, KIN_TUPLE(kin_object_from_int(5)),
                                          (kin_process_options){.context = context});
        out("%s: %d", kin_context_name(context), end_of(process));
    }
}

static int look_at_fd(kin_call *call)
{
    (void)call;
    out("fd is open: %s", TRUTH(fcntl(FD, F_GETFD) >= 0));
    return 0;
}
KIN_FUNCTION(look_at_fd)

void scenario_open_fds(void)
{
    REQUIRE(fcntl(0, F_DUPFD_CLOEXEC, FD) == FD);
    end_of(start(look_at_fd, NULL));
    close(FD);
}

/* --- memory --- */

static int changed;
static int marker = 1;

static int change(kin_call *call)
{
    (void)call;
    changed++;
    out("in the child: %d", changed);
    return 0;
}
KIN_FUNCTION(change)

void scenario_memory_is_not_shared(void)
{
    end_of(start(change, NULL));
    out("in the parent: %d", changed);
}

static int look_at_marker(kin_call *call)
{
    (void)call;
    out("a global is %d", marker);
    return 0;
}
KIN_FUNCTION(look_at_marker)

void scenario_memory_is_copied(void)
{
    marker = 2;
    end_of(start(look_at_marker, NULL));
    marker = 1;
}

/* --- what children are given --- */

static int send_one(kin_call *call)
{
    kin_connection *connection = NULL;
    kin_object *dict = kin_dict_create();
    kin_dict_set_text(
        dict, "a", KIN_LIST(kin_object_from_int(1), kin_object_from_float(2.5), kin_object_none()));
    int r = kin_connection_adopt_fd(dup(given_fd(call)), NULL, &connection);
    if (r == 0) {
        r = kin_connection_send(connection, dict, KIN_FOREVER);
    }
    kin_connection_free(connection);
    kin_object_free(dict);
    return r;
}
KIN_FUNCTION(send_one)

static void show(const kin_object *object, char *text, size_t size)
{
    if (kin_object_format(object, text, size) < 0) {
        text[0] = '\0';
    }
}

void scenario_pipe_(void)
{
    char text[100];
    kin_connection *reader = NULL, *writer = NULL;
    kin_object *got = NULL;
    REQUIRE(kin_pipe_create(false, &reader, &writer) == 0);
    kin_process *process = start(send_one, KIN_TUPLE(pass_on(kin_connection_fd(writer))));
    kin_connection_free(writer);
    REQUIRE(kin_connection_receive(reader, KIN_FOREVER, &got) == 0);
    show(got, text, sizeof text);
    out("%s", text);
    kin_object_free(got);
    attempt("receive more", kin_connection_receive(reader, KIN_FOREVER, &got));
    out("code %d", end_of(process));
    kin_connection_free(reader);
}

/* The handle in argument 0. */
static kin_handle given_handle(kin_call *call)
{
    kin_handle handle;
    REQUIRE(kin_object_to_handle(kin_call_argument(call, 0), &handle) == 0);
    return handle;
}

static kin_object *hand_out(kin_handle handle)
{
    kin_object *object = NULL;
    REQUIRE(kin_object_from_handle(handle, &object) == 0);
    return object;
}

static void put(kin_queue *queue, kin_object *object)
{
    REQUIRE(kin_queue_put(queue, object, KIN_FOREVER) == 0);
    kin_object_free(object);
}

static int put_two(kin_call *call)
{
    kin_queue *queue = NULL;
    REQUIRE(kin_queue_attach(given_handle(call), &queue) == 0);
    put(queue, kin_object_from_text("first"));
    put(queue, KIN_TUPLE(kin_object_from_int(2)));
    kin_queue_free(queue);
    return 0;
}
KIN_FUNCTION(put_two)

void scenario_queue(void)
{
    kin_queue *queue = NULL;
    char text[2][100];
    REQUIRE(kin_queue_create(NULL, &queue) == 0);
    kin_process *process = start(put_two, KIN_TUPLE(hand_out(kin_queue_handle(queue))));
    for (int i = 0; i < 2; i++) {
        kin_object *got = NULL;
        REQUIRE(kin_queue_get(queue, KIN_FOREVER, &got) == 0);
        show(got, text[i], sizeof text[i]);
        kin_object_free(got);
    }
    out("%s %s", text[0], text[1]);
    out("code %d", end_of(process));
    kin_queue_free(queue);
}

static int set_event(kin_call *call)
{
    kin_event *event = NULL;
    REQUIRE(kin_event_attach(given_handle(call), &event) == 0);
    int r = kin_event_set(event);
    kin_event_free(event);
    return r;
}
KIN_FUNCTION(set_event)

void scenario_event(void)
{
    kin_event *event = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    out("set: %s", TRUTH(kin_event_is_set(event)));
    kin_process *process = start(set_event, KIN_TUPLE(hand_out(kin_event_handle(event))));
    REQUIRE(kin_event_wait(event, KIN_FOREVER) == 0);
    out("set: %s", TRUTH(kin_event_is_set(event)));
    end_of(process);
    kin_event_free(event);
}

/* --- the log --- */

static int log_message(kin_call *call)
{
    kin_log(KIN_LOG_WARNING, "%s", kin_call_text(call, 0));
    return 0;
}
KIN_FUNCTION(log_message)

static void repeat_stderr(void)
{
    const char *text = said_on_stderr();
    if (text[0] != '\0') {
        out("%.*s", (int)strlen(text) - 1, text);
    }
}

void scenario_log_of_a_life(void)
{
    said_on_stderr();
    kin_log_to_stderr(KIN_LOG_INFO);
    end_of(start_with(return_nothing, NULL, (kin_process_options){.name = "logged"}));
    repeat_stderr();
}

void scenario_log_of_the_program(void)
{
    kin_log(KIN_LOG_INFO, "of the parent");
    kin_log(KIN_LOG_DEBUG, "too much");
    repeat_stderr();
}

void scenario_log_levels(void)
{
    kin_log_level_set(KIN_LOG_WARNING);
    end_of(start_with(log_message, KIN_TUPLE(kin_object_from_text("of the child")),
                      (kin_process_options){.name = "logged"}));
    repeat_stderr();
}
