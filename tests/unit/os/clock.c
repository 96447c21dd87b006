#include "os/clock.h"

#include "harness/test.h"

#include <time.h>

TEST(the_clock_is_the_monotonic_one_and_never_goes_back)
{
    struct timespec now;
    int64_t before_ns = kin__os_now_ns();
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t after_ns = kin__os_now_ns();
    int64_t between_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    CHECK(before_ns <= between_ns);
    CHECK(between_ns <= after_ns);
}

TEST(a_pause_ends)
{
    for (int i = 0; i < 100; i++) {
        kin__os_pause();
    }
}
