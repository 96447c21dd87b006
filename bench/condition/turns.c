/* Two laps: a short one that nobody measures, and the measured one. The processes stand on two CPUs
 * in turn, so that each notifies one on the other. */

#include "condition/turns.h"

#define WARM_UP_COUNT 1000
#define CPU_COUNT 2

static volatile uint64_t *turn; /* under the lock */
static unsigned process_count;
static uint64_t goal;

static void take_turns(unsigned index, uint64_t limit)
{
    bool is_over = false;
    while (!is_over) {
        turns_measured.acquire();
        while (*turn % process_count != index && *turn < limit) {
            turns_measured.wait();
        }
        is_over = *turn >= limit;
        *turn += is_over ? 0 : 1;
        turns_measured.notify_all();
        turns_measured.release();
    }
}

static void take_part(unsigned index)
{
    harness_pin(index % CPU_COUNT);
    harness_meet();
    take_turns(index, WARM_UP_COUNT);
    harness_meet();
    harness_begin();
    take_turns(index, WARM_UP_COUNT + goal);
    harness_end();
}

int main(int argc, char **argv)
{
    harness_open(argc, argv);
    goal = harness_number("turns");
    process_count = (unsigned)harness_number("processes");
    turn = harness_share(sizeof *turn);
    turns_measured.open();
    harness_run(turns_measured.starter, process_count, take_part);
    if (*turn != WARM_UP_COUNT + goal) {
        harness_die("a turn was taken twice, or not at all");
    }
    harness_report((double)goal / harness_seconds());
    return 0;
}
