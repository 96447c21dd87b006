/* Side 0 sends, side 1 answers. There are two ways to take the time.
 *
 * Without a pause, side 0 looks at the clock after each `group` round trips. On one CPU this is all
 * that it takes: neither side can run before the other sleeps. On two CPUs both run all the time,
 * and who looks around before he sleeps need not sleep.
 *
 * With `pause_us`, each side keeps its CPU busy for so long before it sends; by then the other side
 * has given up looking around, and sleeps. The word is the time at which it is sent, the way takes
 * as long as from then until the receiver looks at the clock, and a round trip is the way there and
 * the way back.
 *
 * Where both must sleep, the kernel's count of how often they did is looked at in the end: a
 * subject that does not sleep is no match for one that does. */

#define _GNU_SOURCE /* for RUSAGE_THREAD */

#include "latency/round_trip.h"

#include <stdlib.h>
#include <sys/resource.h>

#define WARM_UP_COUNT 256

static struct {
    uint64_t sample_count;
    uint64_t group; /* round trips a sample */
    int64_t pause_ns;
    unsigned cpu_count;
} plan;

/* Shared. */
static double *samples; /* ns of a round trip; written by side 0 */
static int64_t *there;  /* ns of the way there; written by side 1 */

static uint64_t sleep_count(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return (uint64_t)usage.ru_nvcsw;
}

/* Whether who waited for each of `count` words slept most times. On a machine where others work, a
 * side may get its CPU too late to be asleep in time. */
static void check_sleep(uint64_t sleeps_before, uint64_t count)
{
    uint64_t sleeps = sleep_count() - sleeps_before;
    if (sleeps < count / 2) {
        harness_die("slept %llu times in %llu waits", (unsigned long long)sleeps,
                    (unsigned long long)count);
    }
}

static void bounce_ask(uint64_t sample_count, uint64_t group)
{
    int64_t begin_ns = harness_now_ns();
    for (uint64_t sample = 0; sample < sample_count; sample++) {
        for (uint64_t number = sample; number < sample + group; number++) {
            round_trip_measured.send(0, number);
            if (round_trip_measured.receive(0) != number) {
                harness_die("the wrong word came back");
            }
        }
        int64_t end_ns = harness_now_ns();
        samples[sample] = (double)(end_ns - begin_ns) / (double)group;
        begin_ns = end_ns;
    }
}

static void bounce_answer(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        round_trip_measured.send(1, round_trip_measured.receive(1));
    }
}

static void send_after_pause(unsigned side)
{
    int64_t now_ns = harness_now_ns();
    int64_t until_ns = now_ns + plan.pause_ns;
    while (now_ns < until_ns) {
        now_ns = harness_now_ns();
    }
    round_trip_measured.send(side, (uint64_t)now_ns);
}

/* How long the next word was on its way. */
static int64_t receive_ns(unsigned side)
{
    uint64_t sent_ns = round_trip_measured.receive(side);
    return harness_now_ns() - (int64_t)sent_ns;
}

static void paused_ask(uint64_t sample_count)
{
    for (uint64_t sample = 0; sample < sample_count; sample++) {
        send_after_pause(0);
        int64_t back_ns = receive_ns(0);
        samples[sample] = (double)(there[sample] + back_ns); /* the answer came after it */
    }
}

static void paused_answer(uint64_t sample_count)
{
    for (uint64_t sample = 0; sample < sample_count; sample++) {
        there[sample] = receive_ns(1);
        send_after_pause(1);
    }
}

static void take_turns(unsigned side, uint64_t sample_count, uint64_t group)
{
    if (plan.pause_ns != 0) {
        (side == 0 ? paused_ask : paused_answer)(sample_count);
    } else if (side == 0) {
        bounce_ask(sample_count, group);
    } else {
        bounce_answer(sample_count * group);
    }
}

static void take_part(unsigned side)
{
    harness_pin(plan.cpu_count == 1 ? 0 : side);
    harness_meet();
    take_turns(side, WARM_UP_COUNT < plan.sample_count ? WARM_UP_COUNT : plan.sample_count, 1);
    harness_meet();
    uint64_t sleeps = sleep_count();
    take_turns(side, plan.sample_count, plan.group);
    if (plan.pause_ns != 0 || plan.cpu_count == 1) {
        check_sleep(sleeps, plan.sample_count * plan.group);
    }
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    harness_open(argc, argv);
    plan.sample_count = harness_number("samples");
    plan.group = harness_number_or("group", 1);
    plan.pause_ns = (int64_t)harness_number_or("pause_us", 0) * 1000;
    plan.cpu_count = (unsigned)harness_number("cpus");
    if (plan.pause_ns != 0 && plan.group != 1) {
        harness_die("with a pause, each round trip is a sample");
    }
    samples = harness_share(plan.sample_count * sizeof *samples);
    there = harness_share(plan.sample_count * sizeof *there);
    if (plan.cpu_count == 1) { /* as a program that is started on one CPU: it knows that */
        harness_pin(0);
    }
    round_trip_measured.open();
    harness_run(round_trip_measured.starter, 2, take_part);

    qsort(samples, plan.sample_count, sizeof *samples, compare);
    harness_report(samples[plan.sample_count / 2]);
    return 0;
}
