/* Functions, and one run of one. */
#include "family/call.h"

#include "fake.h"

#include <errno.h>
#include <kin/family.h>

static int echo(kin_call *call)
{
    kin_bytes input = kin_call_bytes(call);
    return kin_call_return_bytes(call, input.data, input.size);
}
KIN_FUNCTION(echo)

static int fail_aloud(kin_call *call)
{
    return kin_call_fail(call, -ERANGE, "%d is out of range", 7);
}
KIN_FUNCTION(fail_aloud)

static int fail_silently(kin_call *call)
{
    (void)call;
    return -EDOM;
}

static int count_to_three(kin_call *call)
{
    (void)call;
    return 3;
}

static int return_twice(kin_call *call)
{
    CHECK_EQUAL(kin_call_return_bytes(call, "first, and long", 15), 0);
    return kin_call_return_bytes(call, "second", 6);
}

TEST(two_functions_of_one_name_fail_init)
{
    static kin_function_entry other = {"echo", count_to_three, NULL};
    kin_function_register(&other);
    CHECK_EQUAL(kin__function_check(), KIN_EFUNCTION);
    CHECK_EQUAL(kin_init(NULL, NULL), KIN_EFUNCTION);
    CHECK(!kin__family_is_open());
}

TEST(one_function_may_be_registered_twice_under_its_name)
{
    static kin_function_entry again = {"echo", echo, NULL};
    kin_function_register(&again);
    kin_function_register(&again); /* the same entry */
    CHECK_EQUAL(kin__function_check(), 0);
    CHECK_EQUAL(kin_init(NULL, NULL), 0);
}

TEST(what_is_no_function_is_not_registered)
{
    static kin_function_entry nameless = {NULL, echo, NULL};
    static kin_function_entry empty = {"empty", NULL, NULL};
    const kin_function_entry *first = kin__functions;
    kin_function_register(NULL);
    kin_function_register(&nameless);
    kin_function_register(&empty);
    CHECK_EQUAL(kin__function_check(), 0);
    CHECK(kin__functions == first);
}

TEST(a_call_returns_its_bytes)
{
    kin_call call = {.input = {.data = "hello", .size = 5}, .attempt = 2};
    CHECK_EQUAL(kin_call_attempt(&call), 2);
    CHECK_EQUAL(kin__call_run(&call, echo), 0);
    REQUIRE(call.output.size == 5);
    CHECK_BYTES(call.output.data, "hello", 5);
    CHECK(call.error == NULL);
    kin__call_end(&call);
}

TEST(a_second_result_replaces_the_first)
{
    kin_call call = {0};
    CHECK_EQUAL(kin__call_run(&call, return_twice), 0);
    REQUIRE(call.output.size == 6);
    CHECK_BYTES(call.output.data, "second", 6);
    kin__call_end(&call);
}

TEST(a_result_of_no_bytes_needs_no_data)
{
    kin_call call = {0};
    CHECK_EQUAL(kin_call_return_bytes(&call, NULL, 0), 0);
    CHECK_EQUAL(kin_call_return_bytes(&call, "", 0), 0);
    CHECK_EQUAL(call.output.size, 0);
    CHECK_EQUAL(kin_call_return_bytes(&call, NULL, 1), -EINVAL);
    kin__call_end(&call);
}

TEST(a_count_passes_through)
{
    kin_call call = {0};
    CHECK_EQUAL(kin__call_run(&call, count_to_three), 3);
    CHECK(call.error == NULL);
    kin__call_end(&call);
}

TEST(a_failure_carries_code_message_and_place)
{
    kin_call call = {0};
    CHECK_EQUAL(kin__call_run(&call, fail_aloud), -ERANGE);
    REQUIRE(call.error != NULL);
    CHECK_EQUAL(kin_error_code(call.error), -ERANGE);
    CHECK_STRING(kin_error_message(call.error), "7 is out of range");
    CHECK_STRING(kin_error_function(call.error), "fail_aloud");
    CHECK(kin_error_line(call.error) > 0);
    kin__call_end(&call);
    CHECK(call.error == NULL);
}

TEST(a_function_that_says_nothing_fails_with_the_text_of_its_code)
{
    kin_call call = {0};
    CHECK_EQUAL(kin__call_run(&call, fail_silently), -EDOM);
    CHECK_EQUAL(kin_error_code(call.error), -EDOM);
    CHECK_STRING(kin_error_message(call.error), kin_code_text(-EDOM));
    kin__call_end(&call);
}

TEST(a_failure_with_a_code_that_is_none_is_einval)
{
    kin_call call = {0};
    CHECK_EQUAL(kin_call_fail(&call, 0, "zero"), -EINVAL);
    CHECK_EQUAL(kin_error_code(call.error), -EINVAL);
    CHECK_EQUAL(kin_call_fail(&call, 5, "positive"), -EINVAL);
    CHECK_EQUAL(kin_error_code(call.error), -EINVAL);
    CHECK_STRING(kin_error_message(call.error), "positive"); /* the last one counts */
    kin__call_end(&call);
}

TEST(call_functions_refuse_null)
{
    CHECK_EQUAL(kin_call_bytes(NULL).size, 0);
    CHECK(kin_call_bytes(NULL).data == NULL);
    CHECK_EQUAL(kin_call_attempt(NULL), 0);
    CHECK_EQUAL(kin_call_return_bytes(NULL, "x", 1), -EINVAL);
    CHECK_EQUAL(kin_call_fail(NULL, -EDOM, "nobody"), -EINVAL);
}
