#include "sync/deadlock/report.h"

#include "os/symbol.h"
#include "sync/deadlock/wait.h"

#include <kin/export.h>
#include <stdarg.h>
#include <stdio.h>

enum { TEXT_BYTES = 8192, SITE_BYTES = 256 };

struct report {
    char text[TEXT_BYTES];
    size_t used; /* below TEXT_BYTES */
};

KIN_PRINTF(2, 3) static void add(struct report *report, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof report->text - report->used;
    int length = vsnprintf(report->text + report->used, room, format, arguments);
    va_end(arguments);
    if (length > 0) {
        report->used += (size_t)length < room ? (size_t)length : room - 1;
    }
}

/* A name that another process has written: it need not end. */
static void add_name(struct report *report, const char *name)
{
    if (name[0] != '\0') {
        add(report, " \"%.*s\"", (int)KIN__NAME_BYTES - 1, name);
    }
}

static void add_process(struct report *report, uint32_t owner)
{
    const struct kin__member *process = kin__member_of(owner);
    if (process == NULL) {
        add(report, "a process that is gone");
        return;
    }
    add(report, "process %u", process->pid);
    add_name(report, process->name);
}

static void add_thread(struct report *report, uint32_t owner)
{
    const struct kin__member *thread = kin__member_of(owner);
    if (thread == NULL) {
        add(report, "a thread that is gone");
        return;
    }
    add(report, "thread %u of ", thread->tid);
    add_process(report, thread->process);
}

static void add_lock(struct report *report, uint32_t index)
{
    const struct kin__entry *entry = kin__entry_at(index);
    const struct kin__mutex *mutex = kin__mutex_find(index);
    if (mutex == NULL) {
        add(report, "a lock that is gone");
        return;
    }
    add(report, "%s %u", kin__types[entry->type]->name, index);
    add_name(report, mutex->name);
}

/* A lock and where its holder acquired it. */
static void add_held_lock(struct report *report, uint32_t index)
{
    char site[SITE_BYTES] = "";
    const struct kin__mutex *mutex = kin__mutex_find(index);
    add_lock(report, index);
    if (mutex != NULL) {
        uint64_t address = atomic_load_explicit(&mutex->site, memory_order_relaxed);
        kin__os_symbol_format(address - (address != 0), site, sizeof site); /* it returns there */
        add(report, ", acquired at %s,", site);
    }
}

static void tell(kin_deadlock_kind kind, uint32_t thread_count, const struct report *report)
{
    kin_deadlock deadlock = {.kind = kind, .thread_count = thread_count, .text = report->text};
    mtx_lock(&kin__deadlocks.lock);
    kin_deadlock_callback *callback = kin__deadlocks.callback;
    void *user = kin__deadlocks.user;
    mtx_unlock(&kin__deadlocks.lock);
    if (callback != NULL) {
        callback(&deadlock, user);
    }
}

/* One who waits: what it holds is what the one before it in the circle waits for. */
static void add_step(struct report *report, const struct kin__deadlock_step *before,
                     const struct kin__deadlock_step *step)
{
    add(report, "  ");
    add_thread(report, step->waiter);
    if (kin__wait_kind(before->edge) == KIN__WAIT_PROCESS) {
        add(report, " is to end its process");
    } else {
        add(report, " holds ");
        add_held_lock(report, kin__wait_target(before->edge));
    }
    add(report, " and waits for ");
    if (kin__wait_kind(step->edge) == KIN__WAIT_PROCESS) {
        add_process(report, kin__wait_target(step->edge));
        add(report, " to end\n");
    } else {
        add_lock(report, kin__wait_target(step->edge));
        add(report, "\n");
    }
}

void kin__report_cycle(const struct kin__deadlock_cycle *cycle)
{
    struct report report = {.used = 0};
    if (cycle->count == 1) {
        add(&report, "deadlock: a thread waits for itself\n");
    } else {
        add(&report, "deadlock: %u threads wait for each other\n", cycle->count);
    }
    for (uint32_t i = 0; i < cycle->count; i++) {
        const struct kin__deadlock_step *before = &cycle->steps[i == 0 ? cycle->count - 1 : i - 1];
        add_step(&report, before, &cycle->steps[i]);
    }
    tell(KIN_DEADLOCK_CYCLE, cycle->count, &report);
}

void kin__report_order(const struct kin__thread *self, uint32_t held, uint32_t acquired)
{
    struct report report = {.used = 0};
    add(&report, "lock order: two locks are taken in both orders\n  ");
    add_thread(&report, self->owner);
    add(&report, " holds ");
    add_held_lock(&report, held);
    add(&report, " and acquires ");
    add_lock(&report, acquired);
    add(&report, ", which was held before when the other was acquired\n");
    tell(KIN_DEADLOCK_ORDER, 1, &report);
}
