/* The first process starts one that waits, and again and again one that holds and is killed. The
 * time runs from the kill, which the first process does once the kernel says that the waiter
 * sleeps, until the waiter has returned from its wait. */

#include "death/death.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOOK_US 500

enum { WAITER, HOLDER };

static struct shared {
    _Atomic uint64_t held_count;    /* written by each holder once it holds */
    _Atomic uint64_t wait_count;    /* written by the waiter before it waits */
    _Atomic uint64_t told_count;    /* written by the waiter once it knows */
    _Atomic int64_t told_ns;        /* when that was */
    _Atomic uint64_t restore_count; /* written by the waiter: the next holder may come */
    _Atomic int32_t waiter_pid;
} * shared;

static uint64_t death_count;

static void await(const _Atomic uint64_t *count, uint64_t goal)
{
    while (atomic_load(count) < goal) {
        usleep(LOOK_US);
    }
}

static void do_wait(void)
{
    atomic_store(&shared->waiter_pid, (int32_t)getpid());
    for (uint64_t count = 1; count <= death_count; count++) {
        await(&shared->held_count, count);
        atomic_store(&shared->wait_count, count);
        bool is_told = death_measured.wait();
        atomic_store(&shared->told_ns, harness_now_ns());
        if (!is_told) {
            harness_die("nobody said that the holder died");
        }
        atomic_store(&shared->told_count, count);
        death_measured.restore();
        atomic_store(&shared->restore_count, count);
    }
}

static void do_hold(void)
{
    death_measured.hold();
    atomic_fetch_add(&shared->held_count, 1);
    for (;;) {
        pause();
    }
}

static void take_part(unsigned index)
{
    (index == WAITER ? do_wait : do_hold)();
}

/* Whether the waiter sleeps, as the kernel says: the letter after the name in parentheses. */
static bool is_asleep(void)
{
    char path[64];
    char name[64];
    char state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)atomic_load(&shared->waiter_pid));
    FILE *file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%*d (%63[^)]) %c", name, &state) != 2) {
        harness_die("cannot read %s", path);
    }
    fclose(file);
    return state == 'S';
}

/* ns from the kill until the waiter knew. */
static double measure_one(uint64_t count)
{
    death_measured.starter->start(HOLDER);
    await(&shared->wait_count, count);
    do {
        usleep(LOOK_US);
    } while (!is_asleep());
    int64_t begin_ns = harness_now_ns();
    death_measured.starter->kill(HOLDER);
    await(&shared->told_count, count);
    double elapsed_ns = (double)(atomic_load(&shared->told_ns) - begin_ns);
    death_measured.starter->join(HOLDER);
    await(&shared->restore_count, count);
    return elapsed_ns;
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
    death_count = harness_number("deaths");
    uint64_t percentile = harness_number("percentile");
    shared = harness_share(sizeof *shared);
    double *samples = harness_share(death_count * sizeof *samples);

    death_measured.open();
    harness_prepare(2, take_part);
    death_measured.starter->start(WAITER);
    for (uint64_t count = 1; count <= death_count; count++) {
        samples[count - 1] = measure_one(count);
    }
    death_measured.starter->join(WAITER);

    qsort(samples, death_count, sizeof *samples, compare);
    uint64_t at = death_count * percentile / 100;
    harness_report(samples[at < death_count ? at : death_count - 1] / 1000);
    return 0;
}
