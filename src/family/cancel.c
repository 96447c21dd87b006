#include "family/cancel.h"

#include "family/bell.h"
#include "family/reference.h"
#include "family/sleep.h"

#include <errno.h>
#include <kin/error.h>

/* In the family's memory. All processes write it. Peer death: the flag is set or not; if it is,
 * the reaper makes all who wait look again. */
struct cancel_shared {
    _Atomic uint32_t fired; /* event count; FLAG: the token has fired */
};

struct kin_cancel {
    struct kin__object object;
    kin__bell_place bell; /* of kin__cancel_fd */
};

static const struct kin__type cancel_type = {.id = KIN__TYPE_CANCEL, .name = "cancel"};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&cancel_type);
}

int kin_cancel_create(kin_cancel **ret_cancel)
{
    static const struct kin__object_plan plan = {.type = KIN__TYPE_CANCEL,
                                                 .size = sizeof **ret_cancel,
                                                 .bytes = sizeof(struct cancel_shared)};
    return kin__object_create(&plan, ret_cancel);
}

int kin_cancel_attach(kin_handle handle, kin_cancel **ret_cancel)
{
    return kin__object_attach(KIN__TYPE_CANCEL, sizeof **ret_cancel, handle, ret_cancel);
}

kin_cancel *kin_cancel_free(kin_cancel *cancel)
{
    if (cancel != NULL) {
        kin__bell_free(&cancel->bell);
    }
    kin__object_free(cancel);
    return NULL;
}

kin_handle kin_cancel_handle(const kin_cancel *cancel)
{
    return kin__object_handle(cancel);
}

int kin_cancel_request(kin_cancel *cancel)
{
    struct cancel_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__object_enter(cancel, &shared, &self);
    if (r < 0) {
        return r;
    }
    atomic_fetch_or(&shared->fired, KIN__COUNT_FLAG);
    kin__count_raise(&shared->fired, UINT32_MAX);
    return 0;
}

bool kin_cancel_is_requested(const kin_cancel *cancel)
{
    if (cancel == NULL || kin__self() == NULL || cancel->object.shared == NULL) {
        return false;
    }
    const struct cancel_shared *shared = cancel->object.shared;
    return atomic_load(&shared->fired) & KIN__COUNT_FLAG;
}

_Atomic uint32_t *kin__cancel_count(kin_cancel *cancel)
{
    struct cancel_shared *shared = cancel->object.shared;
    return shared == NULL ? NULL : &shared->fired;
}

static bool has_fired(const void *object)
{
    return kin_cancel_is_requested(object);
}

int kin__cancel_fd(kin_cancel *cancel, int *ret_fd)
{
    struct cancel_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__object_enter(cancel, &shared, &self);
    if (r < 0) {
        return r;
    }
    struct kin__bell_plan plan = {.count = &shared->fired, .is_ready = has_fired, .object = cancel};
    return kin__bell_fd(&cancel->bell, &plan, ret_fd);
}
