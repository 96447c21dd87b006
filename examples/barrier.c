/*
 * A barrier: workers go from phase to phase together, and one is killed on the way. See
 * docs/guide/locks.md.
 */
#define _DEFAULT_SOURCE
#include <kin.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { WORKERS = 3, PHASES = 3 };

/* In memory that children share. */
static struct {
    _Atomic int sum;
    int phase; /* written by the action alone, while nobody else runs */
} * work;

static kin_barrier *end_of_phase; /* what is open here is open in every child */

/* Runs once a phase, when all are there, before any goes on. */
static int report(kin_call *call)
{
    (void)call;
    work->phase++;
    printf("phase %d: the sum is %d, by %u workers\n", work->phase, work->sum,
           (unsigned)kin_barrier_party_count(end_of_phase));
    fflush(stdout);
    return 0;
}
KIN_FUNCTION(report)

static int run_phases(kin_call *call)
{
    int number = 0;
    memcpy(&number, kin_call_bytes(call).data, sizeof number);
    kin_barrier_join(end_of_phase); /* our death counts wherever it meets us */
    for (int phase = 1; phase <= PHASES; phase++) {
        if (phase == 2 && number == WORKERS) {
            raise(SIGKILL);
        }
        work->sum += number;
        int r = kin_barrier_wait(end_of_phase, KIN_FOREVER);
        if (r < 0) {
            return kin_call_fail(call, r, "the others are gone");
        }
    }
    kin_barrier_leave(end_of_phase);
    return 0;
}
KIN_FUNCTION(run_phases)

int main(int argc, char **argv)
{
    kin_init(&argc, &argv);
    work = mmap(NULL, sizeof *work, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (work == MAP_FAILED ||
        kin_barrier_create(
            WORKERS,
            KIN_OPTIONS(kin_barrier_options, .on_death = KIN_BARRIER_SHRINK, .action = report),
            &end_of_phase) < 0) {
        return 1;
    }
    kin_process *workers[WORKERS] = {NULL};
    for (int i = 0; i < WORKERS; i++) {
        int number = i + 1;
        if (kin_process_start_bytes(run_phases, &number, sizeof number, NULL, &workers[i]) < 0) {
            return 1;
        }
    }
    for (int i = 0; i < WORKERS; i++) {
        kin_process_join(workers[i], KIN_FOREVER);
        kin_process_free(workers[i]);
    }
    printf("%u workers are left\n", (unsigned)kin_barrier_party_count(end_of_phase));
    kin_barrier_free(end_of_phase);
    return 0;
}
