/* Children that are given objects. */
#include "harness/test.h"

#include <errno.h>
#include <kin.h>
#include <unistd.h>

static void begin(void)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
}

static int add_up(kin_call *call)
{
    int64_t sum = 0;
    for (size_t i = 0; i < kin_call_argument_count(call); i++) {
        sum += kin_call_int(call, i);
    }
    return (int)sum;
}

static int count_arguments(kin_call *call)
{
    return (int)kin_call_argument_count(call);
}

/* Arguments: the handle of a queue, an fd. */
static int use_what_is_given(kin_call *call)
{
    kin_handle handle;
    kin_queue *queue = NULL;
    int r = kin_object_to_handle(kin_call_argument(call, 0), &handle);
    if (r == 0) {
        r = kin_queue_attach(handle, &queue);
    }
    if (r == 0) {
        r = kin_queue_put(queue, kin_object_none(), KIN_NOW);
    }
    kin_queue_free(queue);
    if (r == 0 && write(kin_object_fd(kin_call_argument(call, 1)), "x", 1) != 1) {
        r = -EIO;
    }
    return r;
}

static int exit_code_of(kin_function *function, kin_object *arguments)
{
    kin_process *process = NULL;
    int code = -1000;
    CHECK_EQUAL(kin_process_start(function, arguments, NULL, &process), 0);
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_exit_code(process, &code), 0);
    kin_process_free(process);
    kin_object_free(arguments);
    return code;
}

TEST(a_child_is_given_objects)
{
    begin();
    CHECK_EQUAL(exit_code_of(add_up, KIN_TUPLE(kin_object_from_int(3), kin_object_from_int(4))), 7);
    CHECK_EQUAL(exit_code_of(add_up, kin_object_from_int(9)), 9);
    CHECK_EQUAL(exit_code_of(add_up, kin_object_from_text("9")), 1); /* is not an int */
    CHECK_EQUAL(exit_code_of(count_arguments, kin_object_none()), 1);
    CHECK_EQUAL(exit_code_of(count_arguments, kin_tuple_from(NULL, 0)), 0);
    CHECK_EQUAL(exit_code_of(count_arguments, KIN_LIST(kin_object_none(), kin_object_none())), 1);
}

TEST(a_child_is_given_shared_objects_and_fds)
{
    begin();
    int ends[2];
    kin_queue *queue = NULL;
    kin_object *handle = NULL;
    kin_object *fd = NULL;
    kin_object *got = NULL;
    REQUIRE(pipe(ends) == 0);
    REQUIRE(kin_queue_create(NULL, &queue) == 0);
    REQUIRE(kin_object_from_handle(kin_queue_handle(queue), &handle) == 0);
    REQUIRE(kin_object_from_fd(ends[1], &fd) == 0);
    CHECK_EQUAL(exit_code_of(use_what_is_given, KIN_TUPLE(handle, fd)), 0);
    CHECK_EQUAL(kin_queue_get(queue, KIN_NOW, &got), 0);
    char byte = 0;
    CHECK_EQUAL(read(ends[0], &byte, 1), 1);
    kin_queue_free(queue);
    close(ends[0]);
    close(ends[1]);
}

TEST(a_child_without_arguments_object_is_not_started)
{
    begin();
    kin_process *process = NULL;
    CHECK_EQUAL(kin_process_start(add_up, NULL, NULL, &process), -ENOMEM);
    kin_object *none = kin_object_none();
    CHECK_EQUAL(kin_process_start(NULL, none, NULL, &process), -EINVAL);
    CHECK_EQUAL(kin_process_start(add_up, none, NULL, NULL), -EINVAL);
    CHECK(process == NULL);
}
