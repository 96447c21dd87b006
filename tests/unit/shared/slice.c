/* Which items a slice means: as Python has it. */
#include "shared/slice.h"

#include "harness/test.h"

#include <errno.h>

static uint64_t first_of(kin_slice slice, uint64_t length)
{
    struct kin__slice_range range;
    REQUIRE(kin__slice_resolve(slice, length, &range) == 0);
    return range.first;
}

static void check(kin_slice slice, uint64_t length, uint64_t first, uint64_t count)
{
    CHECK_EQUAL(kin_slice_length(slice, length), count);
    CHECK(count == 0 || first_of(slice, length) == first);
}

TEST(a_slice_is_what_python_means_by_it)
{
    check((kin_slice){0, 10, 1}, 10, 0, 10);
    check((kin_slice){2, 5, 1}, 10, 2, 3);
    check((kin_slice){2, 5, 2}, 10, 2, 2);
    check((kin_slice){-3, INT64_MAX, 1}, 10, 7, 3);
    check((kin_slice){-3, -1, 1}, 10, 7, 2);
    check((kin_slice){0, -1, 1}, 10, 0, 9);
    check((kin_slice){5, 2, 1}, 10, 0, 0);
    check((kin_slice){10, 20, 1}, 10, 0, 0);
    check((kin_slice){-100, 3, 1}, 10, 0, 3);
    check((kin_slice){0, 10, 3}, 10, 0, 4);
    check((kin_slice){0, 9, 3}, 10, 0, 3);
    check((kin_slice){9, 0, -1}, 10, 9, 9);
    check((kin_slice){5, 2, -1}, 10, 5, 3);
    check((kin_slice){5, 2, -2}, 10, 5, 2);
    check((kin_slice){2, 5, -1}, 10, 0, 0);
    check((kin_slice){100, -100, -1}, 10, 9, 10);
    check((kin_slice){100, -100, -4}, 10, 9, 3);
}

TEST(the_ends_of_the_numbers_are_the_ends_of_the_array)
{
    check((kin_slice){0, INT64_MAX, 1}, 10, 0, 10);
    check((kin_slice){INT64_MIN, INT64_MAX, 1}, 10, 0, 10);
    check((kin_slice){INT64_MAX, INT64_MIN, -1}, 10, 9, 10);
    check((kin_slice){INT64_MAX, INT64_MIN, INT64_MIN}, 10, 9, 1);
    check((kin_slice){INT64_MIN, INT64_MAX, INT64_MAX}, 10, 0, 1);
}

TEST(an_empty_array_has_empty_slices)
{
    check((kin_slice){0, INT64_MAX, 1}, 0, 0, 0);
    check((kin_slice){INT64_MAX, INT64_MIN, -1}, 0, 0, 0);
    check((kin_slice){-1, 1, 1}, 0, 0, 0);
}

TEST(a_slice_without_step_is_refused)
{
    struct kin__slice_range range;
    CHECK_EQUAL(kin__slice_resolve((kin_slice){0, 1, 0}, 10, &range), -EINVAL);
    CHECK_EQUAL(kin_slice_length((kin_slice){0, 1, 0}, 10), 0);
}
