/* Two laps: a short one that nobody measures, and the measured one. Each process stands on a CPU of
 * its own and takes as many steps as the others. In the end there must be as many changes as the
 * processes say they have made; at the barrier, as many singled out as there were rounds; and all
 * permits must be back. */

#include "sync/steps.h"

#include <stdatomic.h>
#include <string.h>

#define WARM_UP_DIVISOR 20

struct shared {
    steps_area area;
    _Alignas(STEPS_LINE_BYTES) _Atomic uint64_t sum; /* of what the laps returned */
};

static struct shared *shared;
static uint64_t (*run)(const steps_lap *lap);
static steps_lap plan; /* of the measured lap */

static void take_part(unsigned index)
{
    steps_lap lap = plan;
    lap.index = index;
    lap.count = plan.count / WARM_UP_DIVISOR;
    harness_pin(index);
    harness_meet();
    uint64_t sum = run(&lap);
    harness_meet();
    lap.count = plan.count;
    harness_begin();
    sum += run(&lap);
    harness_end();
    atomic_fetch_add(&shared->sum, sum);
}

/* What a lap of one process adds to the count, all in all. */
static void check_sum(uint64_t expected)
{
    if (atomic_load(&shared->sum) != expected) {
        harness_die("%llu instead of %llu", (unsigned long long)shared->sum,
                    (unsigned long long)expected);
    }
}

static void check(const char *kind, uint64_t permits)
{
    uint64_t step_count = plan.count + plan.count / WARM_UP_DIVISOR;
    if (strcmp(kind, "barrier") == 0) {
        check_sum(step_count); /* rounds */
    } else {
        check_sum(shared->area.count);
    }
    if (strcmp(kind, "rwlock") != 0 && strcmp(kind, "barrier") != 0) {
        check_sum(step_count * plan.process_count);
        if (steps_measured.permits_left() != permits) {
            harness_die("%u permits are left", steps_measured.permits_left());
        }
    }
    if (strcmp(kind, "rwlock") == 0 && shared->area.count != shared->area.same_count) {
        harness_die("two wrote at once");
    }
}

int main(int argc, char **argv)
{
    harness_open(argc, argv);
    const char *kind = harness_word("kind");
    uint64_t permits = harness_number_or("permits", 1);
    shared = harness_share(sizeof *shared);
    plan = (steps_lap){.area = &shared->area,
                       .process_count = (unsigned)harness_number("processes"),
                       .count = harness_number("steps"),
                       .writes_of_10 = harness_number_or("writes_of_10", 0)};
    if (strcmp(kind, "rwlock") == 0) {
        steps_measured.open_rwlock();
        run = steps_measured.run_rwlock;
    } else if (strcmp(kind, "barrier") == 0) {
        steps_measured.open_barrier(plan.process_count);
        run = steps_measured.run_barrier;
    } else {
        steps_measured.open_semaphores((uint32_t)permits, strcmp(kind, "bounded") == 0);
        run = strcmp(kind, "turns") == 0 ? steps_measured.run_turns : steps_measured.run_permits;
    }
    harness_run(steps_measured.starter, plan.process_count, take_part);
    check(kind, permits);
    unsigned together = strcmp(kind, "barrier") == 0 ? 1 : plan.process_count;
    harness_report((double)plan.count * together / harness_seconds());
    return 0;
}
