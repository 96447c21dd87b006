/* kin's lock: some survivor's keeper finds its holder dead and says so in the lock. */

#include "death/death.h"
#include "harness_kin.h"

#include <kin.h>

static kin_lock *lock;

static void open_lock(void)
{
    harness_must(kin_init(NULL, NULL), "kin_init");
    harness_must(kin_lock_create(NULL, &lock), "kin_lock_create");
}

static void hold(void)
{
    harness_must(kin_lock_acquire(lock, KIN_FOREVER), "kin_lock_acquire");
}

static bool wait_for_lock(void)
{
    int code = kin_lock_acquire(lock, KIN_FOREVER);
    harness_must(code, "kin_lock_acquire");
    return code == KIN_OWNER_DIED;
}

static void restore(void)
{
    harness_must(kin_lock_mark_consistent(lock), "kin_lock_mark_consistent");
    harness_must(kin_lock_release(lock), "kin_lock_release");
}

const death_subject death_measured = {open_lock, hold, wait_for_lock, restore, &harness_kin};
