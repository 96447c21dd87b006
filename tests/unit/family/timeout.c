/* kin_timeout: the values, and what a wait makes of them. */
#include "fake.h"
#include "family/sleep.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/timeout.h>

TEST(forever_has_no_deadline_and_now_has_one_that_is_past)
{
    CHECK_EQUAL(KIN_FOREVER.deadline_ns, INT64_MAX);
    CHECK(KIN_FOREVER.cancel == NULL);
    CHECK(KIN_NOW.deadline_ns > 0);
    CHECK(KIN_NOW.deadline_ns < kin_now_ns());
}

TEST(within_is_absolute_and_does_not_overflow)
{
    int64_t before_ns = kin_now_ns();
    int64_t deadline_ns = kin_within_ms(250).deadline_ns;
    int64_t after_ns = kin_now_ns();
    CHECK(deadline_ns >= before_ns + 250000000);
    CHECK(deadline_ns <= after_ns + 250000000);
    CHECK_EQUAL(kin_within_ms(INT64_MAX).deadline_ns, INT64_MAX);
    CHECK_EQUAL(kin_within_ms(INT64_MAX / 1000000).deadline_ns, INT64_MAX);
    CHECK(kin_within_ms(INT64_MAX / 1000000 - 1000000000000).deadline_ns > 0);
    CHECK(kin_within_ms(0).deadline_ns <= kin_now_ns());
    CHECK(kin_within_ms(-1).deadline_ns <= kin_now_ns());
    CHECK(kin_within_ms(INT64_MIN).deadline_ns >= before_ns);
}

TEST(by_keeps_what_it_is_given)
{
    kin_cancel *cancel = (kin_cancel *)(void *)&cancel;
    CHECK_EQUAL(kin_by(-5, cancel).deadline_ns, -5);
    CHECK(kin_by(-5, cancel).cancel == cancel);
}

TEST(a_timeout_that_is_all_zero_is_refused)
{
    kin_timeout zero = {0};
    CHECK_EQUAL(kin__timeout_check(zero), -EINVAL);
    CHECK_EQUAL(kin__timeout_check(KIN_NOW), 0);
    CHECK_EQUAL(kin__timeout_check(KIN_FOREVER), 0);
    CHECK_EQUAL(kin__timeout_check(kin_by(-1, NULL)), 0);
}

TEST(a_timeout_is_over_now_later_or_when_the_token_has_fired)
{
    kin_cancel *cancel = NULL;
    begin();
    REQUIRE(kin_cancel_create(&cancel) == 0);
    CHECK_EQUAL(kin__timeout_is_over(KIN_FOREVER), 0);
    CHECK_EQUAL(kin__timeout_is_over(kin_within_ms(100000)), 0);
    CHECK_EQUAL(kin__timeout_is_over(KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin__timeout_is_over(kin_within_ms(0)), -ETIMEDOUT);
    CHECK_EQUAL(kin__timeout_is_over(kin_by(INT64_MIN, NULL)), -ETIMEDOUT);
    CHECK_EQUAL(kin__timeout_is_over(kin_by(INT64_MAX, cancel)), 0);
    kin_cancel_request(cancel);
    CHECK_EQUAL(kin__timeout_is_over(kin_by(INT64_MAX, cancel)), -ECANCELED);
    CHECK_EQUAL(kin__timeout_is_over(kin_by(KIN_NOW.deadline_ns, cancel)), -ECANCELED);
    kin_cancel_free(cancel);
}
