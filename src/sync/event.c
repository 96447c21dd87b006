/**
 * kin_event: an event count (family/sleep.h) of which FLAG says "set".
 *
 * A set raises the count and the flag in one step, so that it lets each waiter through once: also
 * one that finds the flag clear again, by the count, and none that began to wait after the clear.
 * Then it wakes all. SLEEPERS stays until that is done, so a setter that is stopped in between does
 * not keep the next one from waking; it is cleared if the word is still the same, and whoever goes
 * to sleep has seen the flag clear, so then it is not.
 */
#include "sync/event.h"

#include "family/bell.h"
#include "family/reference.h"
#include "sync/type.h"

#include <errno.h>
#include <kin/error.h>

/* Peer death: one that dies while it sets has counted the set or not; the reaper makes all who
 * wait look again, so a set that was counted is seen. Waiters leave nothing but SLEEPERS. */
struct event_shared {
    _Atomic uint32_t count; /* event count; written by whoever sets, clears or waits */
};

struct kin_event {
    struct kin__object object;
    kin__bell_place bell; /* of kin_event_event_fd */
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
    if (event != NULL) {
        kin__bell_free(&event->bell);
    }
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
    uint32_t value = atomic_load(&shared->count);
    uint32_t raised = 0;
    do {
        raised = (value + KIN__COUNT_STEP) | KIN__COUNT_FLAG;
    } while (!atomic_compare_exchange_weak(&shared->count, &value, raised));
    if (raised & KIN__COUNT_SLEEPERS) {
        kin__os_futex_wake(&shared->count, UINT32_MAX);
        atomic_compare_exchange_strong(&shared->count, &raised, raised & ~KIN__COUNT_SLEEPERS);
    }
    return 0;
}

int kin_event_clear(kin_event *event)
{
    struct event_shared *shared = NULL;
    int r = find_shared(event, &shared);
    if (r == 0) {
        atomic_fetch_and(&shared->count, ~KIN__COUNT_FLAG);
        kin__bell_rearm(&event->bell);
    }
    return r;
}

bool kin_event_is_set(const kin_event *event)
{
    struct event_shared *shared = NULL;
    return find_shared(event, &shared) == 0 && atomic_load(&shared->count) & KIN__COUNT_FLAG;
}

int kin__event_count(const kin_event *event, _Atomic uint32_t **ret_count)
{
    struct event_shared *shared = NULL;
    int r = find_shared(event, &shared);
    if (r == 0) {
        *ret_count = &shared->count;
    }
    return r;
}

static int wait(struct event_shared *shared, kin_timeout timeout)
{
    int r = 0;
    uint32_t start = atomic_load(&shared->count);
    struct kin__spin spin = kin__spin_begin_alone();
    for (;;) {
        if (kin__event_has_come(atomic_load(&shared->count), start)) {
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
        if (kin__event_has_come(key, start)) {
            return 0;
        }
        r = kin__sleep(&shared->count, key, timeout);
        if (r < 0) {
            return r;
        }
    }
}

int kin_event_wait(kin_event *event, kin_timeout timeout)
{
    struct event_shared *shared = NULL;
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = find_shared(event, &shared);
    }
    if (r == 0) {
        r = wait(shared, timeout);
        if (r < 0) {
            kin__bell_rearm(&event->bell);
        }
    }
    return r;
}

static bool is_set(const void *object)
{
    return kin_event_is_set(object);
}

int kin_event_event_fd(kin_event *event, int *ret_fd)
{
    struct event_shared *shared = NULL;
    int r = ret_fd == NULL ? -EINVAL : find_shared(event, &shared);
    if (r < 0) {
        return r;
    }
    struct kin__bell_plan plan = {.count = &shared->count, .is_ready = is_set, .object = event};
    return kin__bell_fd(&event->bell, &plan, ret_fd);
}
