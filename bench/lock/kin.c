/* kin's lock: after the death of its holder the next one knows. */

#include "harness_kin.h"
#include "lock/section.h"

#include <kin.h>

static kin_lock *lock;

static void open_lock(void)
{
    bool is_fair = harness_number_or("fair", 0) != 0;
    harness_must(kin_init(NULL, NULL), "kin_init");
    harness_must(kin_lock_create(KIN_OPTIONS(kin_lock_options, .is_fair = is_fair), &lock),
                 "kin_lock_create");
}

static uint64_t count_to(uint64_t limit, volatile uint64_t *counter)
{
    uint64_t count = 0;
    for (uint64_t now = 0; now < limit;) {
        harness_must(kin_lock_acquire(lock, KIN_FOREVER), "kin_lock_acquire");
        now = *counter;
        if (now < limit) {
            *counter = ++now;
            count++;
        }
        harness_must(kin_lock_release(lock), "kin_lock_release");
    }
    return count;
}

const section_subject section_measured = {open_lock, count_to, &harness_kin};
