/* kin's: permits and locks have owners, whose death gives them back. */

#include "harness_kin.h"
#include "sync/steps.h"

#include <kin.h>

static kin_semaphore *semaphores[2];
static kin_rwlock *rwlock;
static kin_barrier *barrier;

static void open_family(void)
{
    harness_must(kin_init(NULL, NULL), "kin_init");
}

static void open_semaphores(uint32_t permits, bool is_bounded)
{
    open_family();
    harness_must(kin_semaphore_create(permits,
                                      KIN_OPTIONS(kin_semaphore_options, .is_bounded = is_bounded),
                                      &semaphores[0]),
                 "kin_semaphore_create");
    harness_must(kin_semaphore_create(0, NULL, &semaphores[1]), "kin_semaphore_create");
}

static void open_rwlock(void)
{
    open_family();
    harness_must(kin_rwlock_create(NULL, &rwlock), "kin_rwlock_create");
}

static void open_barrier(unsigned party_count)
{
    open_family();
    harness_must(kin_barrier_create(party_count, NULL, &barrier), "kin_barrier_create");
}

static void acquire(unsigned which)
{
    harness_must(kin_semaphore_acquire(semaphores[which], KIN_FOREVER), "kin_semaphore_acquire");
}

static void release(unsigned which)
{
    harness_must(kin_semaphore_release(semaphores[which], 1), "kin_semaphore_release");
}

static uint32_t permits_left(void)
{
    return kin_semaphore_value(semaphores[0]);
}

static void acquire_read(void)
{
    harness_must(kin_rwlock_acquire_read(rwlock, KIN_FOREVER), "kin_rwlock_acquire_read");
}

static void acquire_write(void)
{
    harness_must(kin_rwlock_acquire_write(rwlock, KIN_FOREVER), "kin_rwlock_acquire_write");
}

static void release_rwlock(void)
{
    harness_must(kin_rwlock_release(rwlock), "kin_rwlock_release");
}

static bool wait(void)
{
    int place = kin_barrier_wait(barrier, KIN_FOREVER);
    harness_must(place, "kin_barrier_wait");
    return place == 0;
}

static const steps_operations operations = {
    acquire, release, acquire_read, release_rwlock, acquire_write, release_rwlock, wait,
};

STEPS_LOOPS(operations)

const steps_subject steps_measured = {
    open_semaphores, open_rwlock, open_barrier, run_permits,  run_turns,
    run_rwlock,      run_barrier, permits_left, &harness_kin,
};
