#include "harness/test.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>

#include <kin/error.h>

#include "base/error.h"
#include "base/fault.h"

static kin_error *with_cause(kin_error *cause)
{
    kin_error_options options = {.size = sizeof(options), .cause = cause};
    return KIN_ERROR_WITH(&options, -EIO, "effect");
}

TEST(an_error_knows_what_it_was_made_of)
{
    int line = __LINE__ + 1;
    kin_error *error = KIN_ERROR(-ETIMEDOUT, "no answer from %s in %d ms", "one", 250);
    REQUIRE(error != NULL);
    CHECK_EQUAL(kin_error_code(error), -ETIMEDOUT);
    CHECK_STRING(kin_error_message(error), "no answer from one in 250 ms");
    CHECK_STRING(kin_error_file(error), __FILE__);
    CHECK_STRING(kin_error_function(error), __func__);
    CHECK_EQUAL(kin_error_line(error), line);
    CHECK(kin_error_cause(error) == NULL);
    CHECK(kin_error_backtrace(error) == NULL);
    CHECK_EQUAL(kin_error_child_count(error), 0);
    CHECK(kin_error_child(error, 0) == NULL);
    CHECK(kin_error_free(error) == NULL);
}

TEST(an_error_holds_its_cause_children_and_backtrace)
{
    kin_error *children[] = {KIN_ERROR(-EIO, "one"), KIN_ERROR(-EPIPE, "two")};
    char backtrace[] = "main\nstart\n";
    kin_error_options options = {
        .size = sizeof(options),
        .cause = KIN_ERROR(-EPERM, "because"),
        .children = children,
        .child_count = 2,
        .backtrace = backtrace,
    };
    kin_error *error = KIN_ERROR_WITH(&options, -ECANCELED, "all");
    REQUIRE(error != NULL);
    memset(backtrace, 'x', sizeof(backtrace) - 1);
    CHECK(kin_error_cause(error) == options.cause);
    CHECK_EQUAL(kin_error_child_count(error), 2);
    CHECK(kin_error_child(error, 0) == children[0]);
    CHECK(kin_error_child(error, 1) == children[1]);
    CHECK(kin_error_child(error, 2) == NULL);
    CHECK(kin_error_child(error, SIZE_MAX) == NULL);
    CHECK_STRING(kin_error_backtrace(error), "main\nstart\n");
    kin_error_free(error);
}

TEST(a_missing_error_means_out_of_memory)
{
    CHECK_EQUAL(kin_error_code(NULL), -ENOMEM);
    CHECK_STRING(kin_error_message(NULL), "no memory left");
    CHECK_STRING(kin_error_file(NULL), "");
    CHECK_STRING(kin_error_function(NULL), "");
    CHECK_EQUAL(kin_error_line(NULL), 0);
    CHECK(kin_error_cause(NULL) == NULL);
    CHECK_EQUAL(kin_error_child_count(NULL), 0);
    CHECK(kin_error_child(NULL, 0) == NULL);
    CHECK(kin_error_backtrace(NULL) == NULL);
    CHECK(kin_error_ref(NULL) == NULL);
    CHECK(kin_error_free(NULL) == NULL);
}

TEST(a_child_may_be_missing)
{
    kin_error *children[] = {NULL, KIN_ERROR(-EIO, "one")};
    kin_error_options options = {.size = sizeof(options), .children = children, .child_count = 2};
    kin_error *error = KIN_ERROR_WITH(&options, -EIO, "all");
    CHECK_EQUAL(kin_error_child_count(error), 2);
    CHECK_EQUAL(kin_error_code(kin_error_child(error, 0)), -ENOMEM);
    kin_error_free(error);
}

TEST(a_code_that_is_not_negative_is_recorded_as_einval)
{
    static const int codes[] = {0, 1, ETIMEDOUT, INT_MAX};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        kin_error *error = KIN_ERROR(codes[i], "x");
        CHECK_EQUAL(kin_error_code(error), -EINVAL);
        kin_error_free(error);
    }
}

__attribute__((format(printf, 1, 2))) static kin_error *without_place(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct kin__error_place nowhere = {0};
    kin_error *error = kin__error_create(&nowhere, NULL, -EPIPE, format, arguments);
    va_end(arguments);
    return error;
}

TEST(without_a_format_the_message_is_the_text_of_the_code)
{
    const char *volatile none = NULL;
    kin_error *errors[] = {without_place("%s", ""), without_place(none, 0)};
    for (size_t i = 0; i < 2; i++) {
        CHECK_STRING(kin_error_message(errors[i]), kin_code_text(-EPIPE));
        kin_error_free(errors[i]);
    }
}

TEST(an_error_may_have_no_place)
{
    kin_error *error = kin_error_create_at(NULL, -3, NULL, NULL, -EIO, "x");
    CHECK_STRING(kin_error_file(error), "");
    CHECK_STRING(kin_error_function(error), "");
    CHECK_EQUAL(kin_error_line(error), 0);
    kin_error_free(error);
    error = without_place("%d", 12);
    CHECK_STRING(kin_error_message(error), "12");
    CHECK_STRING(kin_error_file(error), "");
    kin_error_free(error);
}

TEST(options_that_make_no_sense_are_defaults)
{
    kin_error_options options = {.size = 0, .child_count = 3};
    kin_error *error = KIN_ERROR_WITH(&options, -EIO, "x");
    CHECK_EQUAL(kin_error_child_count(error), 0);
    kin_error_free(error);
    options.size = sizeof(options);
    error = KIN_ERROR_WITH(&options, -EIO, "x");
    CHECK_EQUAL(kin_error_child_count(error), 0);
    kin_error_free(error);
}

TEST(children_beyond_all_memory_are_no_error_at_all)
{
    kin_error *child = NULL;
    kin_error_options options = {
        .size = sizeof(options), .children = &child, .child_count = SIZE_MAX};
    CHECK(KIN_ERROR_WITH(&options, -EIO, "x") == NULL);
    options.child_count = SIZE_MAX / sizeof(child);
    CHECK(KIN_ERROR_WITH(&options, -EIO, "x") == NULL);
}

TEST(an_error_lives_until_its_last_reference_goes)
{
    kin_error *shared = KIN_ERROR(-EIO, "shared");
    kin_error *first = with_cause(kin_error_ref(shared));
    kin_error *second = with_cause(kin_error_ref(shared));
    kin_error_free(shared);
    kin_error_free(first);
    CHECK_STRING(kin_error_message(kin_error_cause(second)), "shared");
    kin_error_free(second);
}

TEST(a_chain_of_many_causes_ends_without_a_deep_stack)
{
    kin_error *error = NULL;
    for (int i = 0; i < 100000; i++) {
        error = with_cause(error);
        REQUIRE(error != NULL);
    }
    kin_error_free(error);
}

static void *refer_and_free(void *error)
{
    for (int i = 0; i < 10000; i++) {
        CHECK_EQUAL(kin_error_code(kin_error_ref(error)), -EIO);
        kin_error_free(error);
    }
    return kin_error_free(error);
}

TEST(threads_may_share_an_error)
{
    pthread_t threads[4];
    kin_error *error = with_cause(KIN_ERROR(-EPERM, "cause"));
    for (size_t i = 0; i < 4; i++) {
        REQUIRE(pthread_create(&threads[i], NULL, refer_and_free, kin_error_ref(error)) == 0);
    }
    kin_error_free(error);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
}

#if defined(KIN_FAULTS) && KIN_FAULTS

TEST(without_memory_there_is_no_error_and_the_parts_stay_the_callers)
{
    kin_error *cause = KIN_ERROR(-EPERM, "cause");
    kin_error *child = KIN_ERROR(-EPIPE, "child");
    kin_error_options options = {
        .size = sizeof(options), .cause = cause, .children = &child, .child_count = 1};
    kin_error *error = NULL;
    uint64_t n = 0;
    while (error == NULL) {
        CHECK_EQUAL(kin_error_code(cause), -EPERM);
        CHECK_EQUAL(kin_error_code(child), -EPIPE);
        kin__allocation_fail_at(++n);
        error = KIN_ERROR_WITH(&options, -EIO, "effect");
        kin__allocation_fail_at(0);
    }
    CHECK_EQUAL(n, 2);
    kin_error_free(error);
}

#endif
