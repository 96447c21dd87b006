/* Two laps: a short one that nobody measures, and the measured one. Each process stands on a CPU of
 * its own, and all go on until the goal is reached, so that the last steps are as contended as the
 * first. What the processes say they have added must be what the counter says. */

#include "lock/section.h"

#include <stdatomic.h>

#define LINE_BYTES 128
#define WARM_UP_COUNT 10000

struct shared {
    _Alignas(LINE_BYTES) volatile uint64_t counter; /* under the lock */
    _Alignas(LINE_BYTES) _Atomic uint64_t sum;
};

static struct shared *shared;
static uint64_t goal;

static void take_part(unsigned index)
{
    harness_pin(index);
    harness_meet();
    uint64_t count = section_measured.count_to(WARM_UP_COUNT, &shared->counter);
    harness_meet();
    harness_begin();
    count += section_measured.count_to(WARM_UP_COUNT + goal, &shared->counter);
    harness_end();
    atomic_fetch_add(&shared->sum, count);
}

int main(int argc, char **argv)
{
    harness_open(argc, argv);
    goal = harness_number("sections");
    shared = harness_share(sizeof *shared);
    section_measured.open();
    harness_run(section_measured.starter, (unsigned)harness_number("processes"), take_part);

    if (atomic_load(&shared->sum) != WARM_UP_COUNT + goal || shared->counter != shared->sum) {
        harness_die("two were in the section at once");
    }
    harness_report((double)goal / harness_seconds());
    return 0;
}
