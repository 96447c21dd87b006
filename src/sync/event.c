/**
 * kin_event: an event count (family/sleep.h) of which FLAG says "set".
 *
 * Setting changes the flag first, then raises the count, which wakes all; a set that finds the
 * flag set raises again, so that a setter that died in between has cost nobody anything. A
 * waiter that finds the count raised returns even if the flag is clear again: it was set
 * meanwhile.
 */
#include "family/reference.h"
#include "family/sleep.h"
#include "sync/type.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/event.h>

/* Peer death: one that dies while it sets has counted the set or not; the reaper makes all who
 * wait look again, so a set that was counted is seen. Waiters leave nothing but SLEEPERS. */
struct event_shared {
    _Atomic uint32_t count; /* event count; written by whoever sets, clears or waits */
    _Atomic uint32_t sets;  /* number of times that it was set: what a waiter has not missed */
};

struct kin_event {
    struct kin__object object;
};

static const struct kin__type event_type = {.id = KIN__TYPE_EVENT, .name = "event"};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&event_type);
}

int kin_event_create(const kin_event_options *options, kin_event **ret_event)
{
    static const kin_event_options defaults = {.size = sizeof defaults};
    options = options == NULL ? &defaults : options;
    if (options->size != sizeof *options) {
        return -EINVAL;
    }
    struct kin__object_plan plan = {.type = KIN__TYPE_EVENT,
                                    .scope = options->scope,
                                    .size = sizeof **ret_event,
                                    .bytes = sizeof(struct event_shared)};
    return kin__object_create(&plan, ret_event);
}

int kin_event_attach(kin_handle handle, kin_event **ret_event)
{
    return kin__object_attach(KIN__TYPE_EVENT, sizeof **ret_event, handle, ret_event);
}

kin_event *kin_event_free(kin_event *event)
{
    kin__object_free(event);
    return NULL;
}

kin_handle kin_event_handle(const kin_event *event)
{
    return kin__object_handle(event);
}

/* The child of a plain fork becomes a member here: before that, nothing keeps the event alive for
 * it. */
static int find_shared(const kin_event *event, struct event_shared **ret_shared)
{
    struct kin__thread *self = NULL;
    return kin__object_enter(event, ret_shared, &self);
}

int kin_event_set(kin_event *event)
{
    struct event_shared *shared = NULL;
    int r = find_shared(event, &shared);
    if (r < 0) {
        return r;
    }
    atomic_fetch_or(&shared->count, KIN__COUNT_FLAG);
    atomic_fetch_add(&shared->sets, 1); /* second: killed here, a set that was not did not count */
    kin__count_raise(&shared->count, UINT32_MAX);
    return 0;
}

int kin_event_clear(kin_event *event)
{
    struct event_shared *shared = NULL;
    int r = find_shared(event, &shared);
    if (r == 0) {
        atomic_fetch_and(&shared->count, ~KIN__COUNT_FLAG);
    }
    return r;
}

bool kin_event_is_set(const kin_event *event)
{
    struct event_shared *shared = NULL;
    return find_shared(event, &shared) == 0 && atomic_load(&shared->count) & KIN__COUNT_FLAG;
}

int kin_event_wait(kin_event *event, kin_timeout timeout)
{
    struct event_shared *shared = NULL;
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = find_shared(event, &shared);
    }
    if (r < 0) {
        return r;
    }
    uint32_t sets = atomic_load(&shared->sets);
    struct kin__spin spin = kin__spin_begin();
    for (;;) {
        if (atomic_load(&shared->count) & KIN__COUNT_FLAG || atomic_load(&shared->sets) != sets) {
            return 0;
        }
        r = kin__timeout_is_over(timeout);
        if (r < 0) {
            return r;
        }
        if (kin__spin_again(&spin)) {
            continue;
        }
        uint32_t key = kin__count_prepare(&shared->count);
        if (key & KIN__COUNT_FLAG || atomic_load(&shared->sets) != sets) {
            return 0;
        }
        r = kin__sleep(&shared->count, key, timeout);
        if (r < 0) {
            return r;
        }
    }
}
