/* kin's condition, with a lock of its own. Whoever dies in it holds nobody up. */

#include "condition/turns.h"
#include "harness_kin.h"

#include <kin.h>

static kin_condition *condition;

static void open_condition(void)
{
    harness_must(kin_init(NULL, NULL), "kin_init");
    harness_must(kin_condition_create(NULL, &condition), "kin_condition_create");
}

static void acquire(void)
{
    harness_must(kin_condition_acquire(condition, KIN_FOREVER), "kin_condition_acquire");
}

static void release(void)
{
    harness_must(kin_condition_release(condition), "kin_condition_release");
}

static void wait(void)
{
    harness_must(kin_condition_wait(condition, KIN_FOREVER), "kin_condition_wait");
}

static void notify_all(void)
{
    harness_must(kin_condition_notify_all(condition), "kin_condition_notify_all");
}

const turns_subject turns_measured = {open_condition, acquire,    release,
                                      wait,           notify_all, &harness_kin};
