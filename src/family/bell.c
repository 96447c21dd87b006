#include "family/bell.h"

#include "base/allocate.h"
#include "family/keeper.h"
#include "family/runtime.h"
#include "os/event_fd.h"
#include "os/memory.h"

#include <errno.h>

struct kin__bell {
    struct kin__errand errand;
    struct kin__bell_plan plan;
    int fd;
    uint32_t process;      /* whose it is */
    uint32_t generation;   /* of kin__family */
    _Atomic bool is_armed; /* written under the errand lock, with what that means for the fd */
};

/* In the keeper, under the errand lock. */
static bool look(struct kin__errand *errand)
{
    struct kin__bell *bell = KIN_CONTAINER_OF(errand, struct kin__bell, errand);
    if (!atomic_load(&bell->is_armed)) {
        return false;
    }
    if (!bell->plan.is_ready(bell->plan.object)) {
        return true;
    }
    atomic_store(&bell->is_armed, false); /* first: who sees the fd readable can arm it again */
    kin__os_event_fd_ring(bell->fd);
    return false;
}

static bool is_own(const struct kin__bell *bell)
{
    return bell != NULL && bell->process == kin__family.owner &&
           bell->generation == kin__family.generation;
}

static void discard(struct kin__bell *bell)
{
    if (bell != NULL) {
        kin__os_close(bell->fd);
        kin__release(bell);
    }
}

static int create(const struct kin__bell_plan *plan, struct kin__bell **ret_bell)
{
    struct kin__bell *bell = kin__allocate_zeroed(sizeof *bell);
    if (bell == NULL) {
        return -ENOMEM;
    }
    int r = kin__os_event_fd_create(&bell->fd);
    if (r < 0) {
        kin__release(bell);
        return r;
    }
    bell->errand = (struct kin__errand){.count = plan->count, .look = look};
    bell->plan = *plan;
    bell->process = kin__family.owner;
    bell->generation = kin__family.generation;
    bool is_ready = plan->is_ready(plan->object);
    if (is_ready) {
        kin__os_event_fd_ring(bell->fd);
    }
    atomic_store(&bell->is_armed, !is_ready);
    *ret_bell = bell;
    return 0;
}

int kin__bell_fd(kin__bell_place *place, const struct kin__bell_plan *plan, int *ret_fd)
{
    struct kin__bell *bell = NULL;
    struct kin__bell *found = atomic_load(place);
    if (!is_own(found)) {
        int r = kin__keeper_need();
        if (r == 0) {
            r = create(plan, &bell);
        }
        if (r < 0) {
            return r;
        }
        if (atomic_compare_exchange_strong(place, &found, bell)) {
            discard(found); /* the parent's */
            kin__errand_add(&bell->errand);
            kin__keeper_tell();
            found = bell;
        } else { /* another thread was faster */
            discard(bell);
        }
    }
    *ret_fd = found->fd;
    return 0;
}

void kin__bell_rearm(kin__bell_place *place)
{
    struct kin__bell *bell = atomic_load(place);
    if (!is_own(bell) || atomic_load(&bell->is_armed)) {
        return;
    }
    mtx_lock(&kin__family.errand_lock);
    if (!atomic_load(&bell->is_armed)) { /* no other thread has done it */
        kin__os_event_fd_clear(bell->fd);
        atomic_store(&bell->is_armed, true);
    }
    mtx_unlock(&kin__family.errand_lock);
    kin__keeper_tell();
}

void kin__bell_free(kin__bell_place *place)
{
    struct kin__bell *bell = atomic_load(place);
    if (is_own(bell)) {
        kin__errand_remove(&bell->errand);
    }
    discard(bell);
}
