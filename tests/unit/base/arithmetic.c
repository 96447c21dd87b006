#include "harness/test.h"

#include "base/arithmetic.h"

TEST(sums_that_fit_are_exact_and_others_leave_the_result_alone)
{
    size_t size = 5;
    CHECK(kin__size_add(SIZE_MAX - 1, 1, &size));
    CHECK(size == SIZE_MAX);
    CHECK(!kin__size_add(SIZE_MAX, 1, &size));
    CHECK(size == SIZE_MAX);
}

TEST(products_that_fit_are_exact_and_others_leave_the_result_alone)
{
    size_t size = 5;
    CHECK(kin__size_multiply(SIZE_MAX / 3, 3, &size));
    CHECK(size == SIZE_MAX / 3 * 3);
    CHECK(!kin__size_multiply(SIZE_MAX / 3 + 1, 3, &size));
    CHECK(kin__size_multiply(0, SIZE_MAX, &size));
    CHECK_EQUAL(size, 0);
    uint64_t number = 5;
    CHECK(kin__u64_multiply(UINT32_MAX, UINT32_MAX, &number));
    CHECK(number == UINT64_C(0xfffffffe00000001));
    CHECK(!kin__u64_multiply(UINT64_C(1) << 32, UINT64_C(1) << 32, &number));
    CHECK(number == UINT64_C(0xfffffffe00000001));
}

TEST(powers_of_two_are_recognised)
{
    CHECK(!kin__u64_is_power_of_two(0));
    for (unsigned exponent = 0; exponent < 64; exponent++) {
        uint64_t power = UINT64_C(1) << exponent;
        CHECK(kin__u64_is_power_of_two(power));
        CHECK(exponent == 0 || !kin__u64_is_power_of_two(power | 1));
        CHECK_EQUAL(kin__u64_log2(power), exponent);
        CHECK_EQUAL(kin__u64_log2(power | (power - 1)), exponent);
    }
}

TEST(rounding_up_to_a_power_of_two_keeps_powers_of_two)
{
    CHECK_EQUAL(kin__u64_ceil_power_of_two(0), 1);
    CHECK_EQUAL(kin__u64_ceil_power_of_two(1), 1);
    CHECK_EQUAL(kin__u64_ceil_power_of_two(2), 2);
    CHECK_EQUAL(kin__u64_ceil_power_of_two(3), 4);
    CHECK_EQUAL(kin__u64_ceil_power_of_two(4), 4);
    CHECK_EQUAL(kin__u64_ceil_power_of_two(1025), 2048);
    CHECK(kin__u64_ceil_power_of_two((UINT64_C(1) << 62) + 1) == UINT64_C(1) << 63);
    CHECK(kin__u64_ceil_power_of_two(UINT64_C(1) << 63) == UINT64_C(1) << 63);
}

TEST(aligning_goes_up_and_keeps_what_is_aligned)
{
    CHECK_EQUAL(kin__u64_align_up(0, 64), 0);
    CHECK_EQUAL(kin__u64_align_up(1, 64), 64);
    CHECK_EQUAL(kin__u64_align_up(64, 64), 64);
    CHECK(kin__u64_align_up(UINT64_MAX - 100, 64) == UINT64_MAX - 63);
}
