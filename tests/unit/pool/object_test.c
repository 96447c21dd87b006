/* Maps over objects: what functions see of their arguments, results, and what fails. */
#include "support.h"

#include "base/fault.h"
#include "family/runtime.h"
#include "unit/alone.h"

#include <string.h>

/* --- what runs in workers --- */

static int square_int(kin_call *call)
{
    int64_t number = kin_call_int(call, 0);
    if (number > INT32_MAX) {
        return kin_call_fail(call, -ERANGE, "%lld is too large to square", (long long)number);
    }
    return kin_call_return_int(call, number * number);
}
KIN_FUNCTION(square_int)

static int give_back(kin_call *call)
{
    return kin_call_return(call, kin_object_ref(kin_call_object(call)));
}
KIN_FUNCTION(give_back)

static int describe(kin_call *call)
{
    char text[200];
    const char *name = kin_call_text(call, 0);
    double weight = kin_call_float(call, 1);
    int64_t number = kin_call_int(call, 2);
    snprintf(text, sizeof text, "%zu %s %.1f %lld", kin_call_argument_count(call),
             name == NULL ? "" : name, weight, (long long)number);
    return kin_call_return_text(call, text);
}
KIN_FUNCTION(describe)

static int return_nothing(kin_call *call)
{
    (void)call;
    return 0;
}
KIN_FUNCTION(return_nothing)

static int return_garbage(kin_call *call)
{
    return kin_call_return_bytes(call, "garbage", 7);
}
KIN_FUNCTION(return_garbage)

static int return_fd(kin_call *call)
{
    kin_object *fd = NULL;
    int r = kin_object_from_fd(STDOUT_FILENO, &fd);
    return r < 0 ? r : kin_call_return(call, fd);
}
KIN_FUNCTION(return_fd)

static int return_half_and_twice(kin_call *call)
{
    int r = kin_call_return_text(call, "first");
    return r < 0 ? r : kin_call_return_float(call, kin_call_float(call, 0) / 2);
}
KIN_FUNCTION(return_half_and_twice)

/* A new queue with one message, which nobody but the result keeps alive. */
static int return_queue(kin_call *call)
{
    kin_queue *queue = NULL;
    kin_object *handle = NULL;
    int r = kin_queue_create(NULL, &queue);
    if (r == 0) {
        r = kin_queue_put(queue, kin_call_argument(call, 0), KIN_NOW);
    }
    if (r == 0) {
        r = kin_object_from_handle(kin_queue_handle(queue), &handle);
    }
    kin_queue_free(queue);
    return r < 0 ? r : kin_call_return(call, handle);
}
KIN_FUNCTION(return_queue)

/* Arguments: a queue, a number for it. */
static int put_into(kin_call *call)
{
    kin_handle handle = {0};
    kin_queue *queue = NULL;
    int r = kin_object_to_handle(kin_call_argument(call, 0), &handle);
    if (r == 0) {
        r = kin_queue_attach(handle, &queue);
    }
    if (r == 0) {
        r = kin_queue_put(queue, kin_call_argument(call, 1), KIN_NOW);
    }
    kin_queue_free(queue);
    return r;
}
KIN_FUNCTION(put_into)

static int write_to_fd(kin_call *call)
{
    int fd = kin_object_fd(kin_call_argument(call, 0));
    const char *text = kin_call_text(call, 1);
    return fd < 0 ? fd : write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -EIO;
}
KIN_FUNCTION(write_to_fd)

static int die_on_three(kin_call *call)
{
    if (kin_call_int(call, 0) == 3) {
        raise(SIGKILL);
    }
    return square_int(call);
}
KIN_FUNCTION(die_on_three)

/* --- */

/* Maps, frees the inputs, and compares the results with those expected, freed as well. */
static void check_map(kin_pool *pool, kin_function *function, kin_object *inputs,
                      kin_object *expected)
{
    kin_object *results = NULL;
    CHECK_EQUAL(kin_pool_map(pool, function, inputs, NULL, KIN_FOREVER, &results), 0);
    CHECK_EQUAL(kin_object_equal(results, expected), 1);
    kin_object_free(results);
    kin_object_free(expected);
    kin_object_free(inputs);
}

static kin_object *ints(int64_t first, int64_t end, bool are_squares)
{
    kin_object *list = kin_list_create();
    for (int64_t i = first; i < end; i++) {
        kin_list_append(list, kin_object_from_int(are_squares ? i * i : i));
    }
    return list;
}

TEST(a_map_over_a_range_a_list_or_a_tuple_gives_a_list)
{
    kin_pool *pool = pool_with(NULL);
    check_map(pool, square_int, kin_object_from_range(0, 10), ints(0, 10, true));
    check_map(pool, square_int, ints(3, 6, false), ints(3, 6, true));
    check_map(pool, square_int, KIN_TUPLE(kin_object_from_int(7)), ints(7, 8, true));
    check_map(pool, square_int, kin_list_create(), kin_list_create());
    kin_pool_free(pool);
    CHECK_MEMORY_ALONE();
}

TEST_WITH(many_more_tasks_than_fit_into_the_ring_are_mapped_in_order, .limit_seconds = 60)
{
    kin_pool *pool = pool_with(NULL);
    check_map(pool, square_int, kin_object_from_range(0, 3000), ints(0, 3000, true));
    kin_pool_free(pool);
}

TEST(inputs_and_results_of_all_kinds_and_sizes_come_and_go)
{
    static char data[300000];
    memset(data, 'x', sizeof data);
    kin_pool *pool = pool_with(NULL);
    kin_object *list = kin_list_create();
    static const size_t sizes[] = {0, 60, 80, 90, 100, 110, 5000, 16384, 100000, 300000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        kin_object *dict = kin_dict_create();
        kin_dict_set_text(dict, "data", kin_object_from_bytes(data, sizes[i]));
        kin_dict_set_text(dict, "size", kin_object_from_int((int64_t)sizes[i]));
        kin_list_append(list, dict);
    }
    kin_list_append(list, kin_object_none());
    kin_list_append(list, KIN_LIST(kin_object_from_float(1.5), kin_tuple_from(NULL, 0)));
    check_map(pool, give_back, kin_object_ref(list), list);
    kin_pool_free(pool);
    CHECK_MEMORY_ALONE();
}

TEST(a_tuple_is_the_arguments_of_its_task)
{
    kin_pool *pool = pool_with(NULL);
    check_map(pool, describe,
              KIN_LIST(KIN_TUPLE(kin_object_from_text("a"), kin_object_from_float(2.5),
                                 kin_object_from_int(-3)),
                       KIN_TUPLE(kin_object_from_text("b"), kin_object_from_int(4),
                                 kin_object_from_bool(true))),
              KIN_LIST(kin_object_from_text("3 a 2.5 -3"), kin_object_from_text("3 b 4.0 1")));
    check_map(pool, return_nothing, kin_object_from_range(0, 2),
              KIN_LIST(kin_object_none(), kin_object_none()));
    check_map(pool, return_half_and_twice, kin_object_from_range(1, 2),
              KIN_LIST(kin_object_from_float(0.5)));
    kin_pool_free(pool);
}

/* The code with which a map over one input, which is freed, fails, and the reason. */
static int failure_of(kin_pool *pool, kin_function *function, kin_object *input, char *reason,
                      size_t size)
{
    kin_object *inputs = KIN_LIST(input);
    kin_object *results = NULL;
    kin_pool_results *outcomes = NULL;
    int r = kin_pool_map(pool, function, inputs, NULL, KIN_FOREVER, &results);
    CHECK(results == NULL);
    CHECK_EQUAL(kin_pool_map(pool, function, inputs,
                             KIN_OPTIONS(kin_pool_map_options, .ret_outcomes = &outcomes),
                             KIN_FOREVER, &results),
                0);
    CHECK_EQUAL(kin_object_kind(kin_object_at(results, 0)), KIN_KIND_NONE);
    CHECK_EQUAL(kin_pool_results_at(outcomes, 0)->code, r);
    snprintf(reason, size, "%s", kin_error_message(kin_pool_results_at(outcomes, 0)->error));
    kin_object_free(results);
    kin_object_free(inputs);
    kin_pool_results_free(outcomes);
    return r;
}

TEST(an_argument_that_is_something_else_fails_the_task)
{
    char reason[200];
    kin_pool *pool = pool_with(NULL);
    CHECK_EQUAL(failure_of(pool, square_int, kin_object_from_text("7"), reason, sizeof reason),
                -EINVAL);
    CHECK_STRING(reason, "argument 0 is str, not int");
    CHECK_EQUAL(failure_of(pool, square_int, kin_tuple_from(NULL, 0), reason, sizeof reason),
                -EINVAL);
    CHECK_STRING(reason, "argument 0 is missing");
    CHECK_EQUAL(
        failure_of(pool, square_int, kin_object_from_uint(UINT64_MAX), reason, sizeof reason),
        -EINVAL);
    CHECK_STRING(reason, "argument 0 is an int of more than 64 bits");
    CHECK_EQUAL(failure_of(pool, describe, kin_object_from_int(7), reason, sizeof reason), -EINVAL);
    CHECK_STRING(reason, "argument 0 is int, not str");
    CHECK_EQUAL(
        failure_of(pool, square_int, kin_object_from_int(INT64_C(1) << 40), reason, sizeof reason),
        -ERANGE);
    CHECK_STRING(reason, "1099511627776 is too large to square");
    kin_pool_free(pool);
}

TEST(a_result_that_cannot_be_sent_or_read_fails_its_task)
{
    char reason[200];
    kin_pool *pool = pool_with(NULL);
    CHECK_EQUAL(failure_of(pool, return_garbage, kin_object_none(), reason, sizeof reason),
                -EBADMSG);
    CHECK(strncmp(reason, "the result is no object", 23) == 0);
    CHECK_EQUAL(failure_of(pool, return_fd, kin_object_none(), reason, sizeof reason), -EOPNOTSUPP);
    kin_pool_free(pool);
}

TEST(bytes_that_are_no_object_fail_a_function_that_wants_arguments)
{
    kin_pool *pool = pool_with(NULL);
    kin_bytes input = {"what", 4};
    kin_pool_results *results = NULL;
    REQUIRE(kin_pool_map_bytes(pool, square_int, &input, 1, KIN_FOREVER, &results) == 0);
    CHECK_EQUAL(kin_pool_results_at(results, 0)->code, -EBADMSG);
    kin_pool_results_free(results);
    kin_pool_free(pool);
}

TEST(a_worker_that_dies_costs_its_task)
{
    kin_pool *pool = pool_with(NULL);
    kin_object *inputs = kin_object_from_range(0, 6);
    kin_object *results = NULL;
    kin_pool_results *outcomes = NULL;
    CHECK_EQUAL(kin_pool_map(pool, die_on_three, inputs, NULL, KIN_FOREVER, &results), KIN_EWORKER);
    CHECK(results == NULL);
    REQUIRE(kin_pool_map(pool, die_on_three, inputs,
                         KIN_OPTIONS(kin_pool_map_options, .ret_outcomes = &outcomes), KIN_FOREVER,
                         &results) == 0);
    kin_object *expected = ints(0, 6, true);
    kin_list_set(expected, 3, kin_object_none());
    CHECK_EQUAL(kin_object_equal(results, expected), 1);
    CHECK_EQUAL(kin_pool_results_at(outcomes, 3)->code, KIN_EWORKER);
    CHECK_EQUAL(kin_pool_results_at(outcomes, 4)->code, 0);
    kin_pool_results_free(outcomes);
    kin_object_free(expected);
    kin_object_free(results);
    kin_object_free(inputs);
    kin_pool_free(pool);
}

TEST(a_queue_goes_to_a_task_and_lives_as_long_as_it)
{
    kin_pool *pool = pool_with(NULL);
    kin_queue *queue = NULL;
    kin_object *handle = NULL;
    REQUIRE(kin_queue_create(NULL, &queue) == 0);
    REQUIRE(kin_object_from_handle(kin_queue_handle(queue), &handle) == 0);
    check_map(pool, put_into, KIN_LIST(KIN_TUPLE(handle, kin_object_from_text("hello"))),
              KIN_LIST(kin_object_none()));
    kin_object *got = NULL;
    REQUIRE(kin_queue_get(queue, KIN_NOW, &got) == 0);
    CHECK_STRING(kin_object_text(got), "hello");
    kin_object_free(got);
    kin_queue_free(queue);
    kin_pool_free(pool);
    CHECK_MEMORY_ALONE();
}

TEST(a_queue_comes_back_from_a_task_that_has_let_go_of_it)
{
    kin_pool *pool = pool_with(NULL);
    kin_object *inputs = kin_object_from_range(0, 20);
    kin_object *results = NULL;
    REQUIRE(kin_pool_map(pool, return_queue, inputs, NULL, KIN_FOREVER, &results) == 0);
    for (size_t i = 0; i < 20; i++) {
        kin_handle handle;
        kin_queue *queue = NULL;
        kin_object *got = NULL;
        int64_t number = -1;
        REQUIRE(kin_object_to_handle(kin_object_at(results, i), &handle) == 0);
        REQUIRE(kin_queue_attach(handle, &queue) == 0);
        REQUIRE(kin_queue_get(queue, KIN_NOW, &got) == 0);
        kin_object_to_int(got, &number);
        CHECK_EQUAL(number, i);
        kin_object_free(got);
        kin_queue_free(queue);
    }
    kin_object_free(results);
    kin_object_free(inputs);
    kin_pool_free(pool);
    CHECK_MEMORY_ALONE();
}

TEST(an_fd_goes_to_a_task)
{
    kin_pool *pool = pool_with(NULL);
    int ends[2];
    char text[6] = "";
    kin_object *fd = NULL;
    REQUIRE(pipe(ends) == 0);
    REQUIRE(kin_object_from_fd(ends[1], &fd) == 0);
    check_map(pool, write_to_fd, KIN_LIST(KIN_TUPLE(fd, kin_object_from_text("hello"))),
              KIN_LIST(kin_object_none()));
    CHECK_EQUAL(read(ends[0], text, 5), 5);
    CHECK_STRING(text, "hello");
    close(ends[0]);
    close(ends[1]);
    kin_pool_free(pool);
}

static int send_through(kin_call *call)
{
    kin_handle name;
    kin_connection *connection;
    int r = kin_object_to_handle(kin_call_argument(call, 0), &name);
    int fd = dup(kin_object_fd(kin_call_argument(call, 1)));
    r = r == 0 ? kin_connection_attach(name, fd, &connection) : r;
    if (r == 0) {
        r = kin_connection_send_bytes(connection, "hello", 5, KIN_FOREVER);
        kin_connection_free(connection);
    }
    return r < 0 ? r : kin_call_return_int(call, r);
}
KIN_FUNCTION(send_through)

TEST(an_end_of_a_pipe_goes_to_a_task)
{
    kin_pool *pool = pool_with(NULL);
    kin_connection *near = NULL;
    kin_connection *far = NULL;
    kin_object *handle = NULL;
    kin_object *fd = NULL;
    REQUIRE(kin_pipe_create(true, &near, &far) == 0);
    REQUIRE(kin_object_from_handle(kin_connection_handle(far), &handle) == 0);
    REQUIRE(kin_object_from_fd(kin_connection_fd(far), &fd) == 0);
    check_map(pool, send_through, KIN_LIST(KIN_TUPLE(handle, fd)),
              KIN_LIST(kin_object_from_int(0)));
    char text[6] = "";
    size_t size = 0;
    CHECK_EQUAL(kin_connection_receive_into(near, text, 5, KIN_NOW, &size), 0);
    CHECK_STRING(text, "hello");
    kin_connection_free(near);
    kin_connection_free(far);
    kin_pool_free(pool);
}

static int refuse_state(const kin_object *instance, kin_object **ret_state)
{
    (void)instance;
    (void)ret_state;
    return -EBUSY;
}

static kin_class secret = {.module = "m", .name = "Secret", .getstate = refuse_state};
KIN_CLASS(secret)

TEST(an_input_that_cannot_be_encoded_ends_the_map)
{
    kin_pool *pool = pool_with(NULL);
    kin_object *instance = NULL;
    kin_object *results = NULL;
    REQUIRE(kin_instance_create(&secret, kin_tuple_from(NULL, 0), &instance) == 0);
    kin_object *inputs = ints(0, 100, false);
    kin_list_set(inputs, 50, instance);
    CHECK_EQUAL(kin_pool_map(pool, square_int, inputs, NULL, KIN_FOREVER, &results), -EBUSY);
    kin_object *many = kin_list_create();
    for (int i = 0; i < 256; i++) {
        kin_object *fd = NULL;
        REQUIRE(kin_object_from_fd(0, &fd) == 0);
        kin_list_append(many, fd);
    }
    kin_list_set(inputs, 50, many);
    CHECK_EQUAL(kin_pool_map(pool, square_int, inputs, NULL, KIN_FOREVER, &results), KIN_ELIMIT);
    CHECK(results == NULL);
    kin_object_free(inputs);
    check_map(pool, square_int, kin_object_from_range(0, 10), ints(0, 10, true));
    kin_pool_free(pool);
    CHECK_MEMORY_ALONE();
}

TEST(misuse_of_map_is_refused)
{
    kin_pool *pool = pool_with(NULL);
    kin_object *results = NULL;
    kin_object *range = kin_object_from_range(0, 3);
    kin_object *text = kin_object_from_text("abc");
    kin_pool_map_options options = {.size = 1};
    CHECK_EQUAL(kin_pool_map(pool, square_int, text, NULL, KIN_FOREVER, &results), -EINVAL);
    CHECK_EQUAL(kin_pool_map(pool, square_int, NULL, NULL, KIN_FOREVER, &results), -ENOMEM);
    CHECK_EQUAL(kin_pool_map(pool, NULL, range, NULL, KIN_FOREVER, &results), -EINVAL);
    CHECK_EQUAL(kin_pool_map(pool, square_int, range, &options, KIN_FOREVER, &results), -EINVAL);
    CHECK_EQUAL(kin_pool_map(pool, square_int, range, NULL, KIN_FOREVER, NULL), -EINVAL);
    CHECK_EQUAL(kin_pool_map(NULL, square_int, range, NULL, KIN_FOREVER, &results), -EINVAL);
    CHECK_EQUAL(kin_pool_map(pool, square_int, range, NULL, (kin_timeout){0}, &results), -EINVAL);
    CHECK_EQUAL(kin_pool_close(pool), 0);
    CHECK_EQUAL(kin_pool_map(pool, square_int, range, NULL, KIN_FOREVER, &results), -EPIPE);
    CHECK(results == NULL);
    kin_object_free(range);
    kin_object_free(text);
    kin_pool_free(pool);
}

TEST(a_map_that_takes_too_long_is_given_up)
{
    kin_pool *pool = pool_with(NULL);
    kin_object *range = kin_object_from_range(0, 10);
    kin_object *results = NULL;
    CHECK_EQUAL(kin_pool_map(pool, wait_for_ever, range, NULL, kin_within_ms(20), &results),
                -ETIMEDOUT);
    CHECK(results == NULL);
    kin_pool_terminate(pool);
    kin_object_free(range);
    kin_pool_free(pool);
}

#ifdef KIN_FAULTS

TEST(without_memory_a_map_fails_and_leaves_nothing)
{
    static char data[40000];
    kin_pool *pool = pool_with(NULL);
    kin_queue *queue = NULL;
    kin_object *handle = NULL;
    REQUIRE(kin_queue_create(NULL, &queue) == 0);
    REQUIRE(kin_object_from_handle(kin_queue_handle(queue), &handle) == 0);
    kin_object *inputs = KIN_LIST(kin_object_from_bytes(data, sizeof data), handle,
                                  kin_object_from_text("text"), kin_list_create());
    int r = -ENOMEM;
    for (uint64_t n = 1; r == -ENOMEM; n++) {
        kin_object *results = NULL;
        kin__allocation_fail_at(n);
        r = kin_pool_map(pool, give_back, inputs, NULL, KIN_FOREVER, &results);
        kin__allocation_fail_at(0);
        CHECK(r == 0 || r == -ENOMEM);
        kin_object_free(results);
    }
    CHECK_EQUAL(r, 0);
    kin_object_free(inputs);
    kin_queue_free(queue);
    kin_pool_free(pool);
    CHECK_MEMORY_ALONE();
}

#endif
