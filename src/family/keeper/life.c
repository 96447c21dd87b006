#include "family/keeper/life.h"

#include "family/death.h"
#include "family/member.h"
#include "family/sleep.h"

int kin__life_begin(void)
{
    struct kin__os_robust *robust = &kin__family.life_robust;
    int r = kin__os_robust_find(robust);
    if (r == 0) { /* for the case that it ends before the process does */
        r = kin__os_thread_end_set(kin__family.thread_end, &kin__thread_current);
    }
    if (r == 0) {
        r = kin__os_life_list(*robust, &kin__family.member->life);
    }
    if (r == 0) {
        atomic_store(&kin__family.life_thread, &kin__thread_current);
    }
    return r;
}

bool kin__life_is_here(void)
{
    return atomic_load(&kin__family.life_thread) == &kin__thread_current;
}

bool kin__life_is_elsewhere(void)
{
    return atomic_load(&kin__family.life_thread) != NULL && !kin__life_is_here();
}

void kin__life_drop(void)
{
    if (kin__life_is_here()) {
        kin__os_life_unlist(kin__family.life_robust, &kin__family.member->life);
        atomic_store(&kin__family.life_thread, NULL);
    }
}

void kin__life_speak(void)
{
    struct kin__thread *self = &kin__thread_current;
    if (kin__family.member != NULL) { /* NULL: of a fork that a finalizer has made */
        atomic_store(&kin__family.member->given, 0);
    }
    if (kin__life_is_here() && self->generation != kin__family.generation) {
        *self = (struct kin__thread){.generation = kin__family.generation,
                                     .member = kin__family.member,
                                     .owner = kin__family.owner,
                                     .id = kin__os_thread_id(),
                                     .robust = kin__family.life_robust};
    }
}

/* From the zero on nobody can see by the word that the process dies; so it is pending until the
 * watcher has been woken: else the kernel does it, and that one looks at the process itself. The
 * slot may be another's by then, and the word no longer zero, so that the kernel wakes nobody: but
 * who takes it has; see kin__member_unwatch. */
void kin__life_end(void)
{
    struct kin__member *member = kin__family.member;
    struct kin__os_robust robust = kin__family.life_robust;
    uint32_t parent = member->parent;
    kin__os_robust_begin(robust, &member->life);
    atomic_store(&member->life, 0);
    bool is_watched = atomic_load(&member->watcher) != 0;
    kin__life_drop();
    kin__member_free(kin__family.owner);
    if (is_watched) { /* it would sleep on for somebody else */
        kin__os_futex_wake(&member->life, UINT32_MAX);
    }
    kin__os_robust_end(robust);
    const struct kin__member *above = parent == 0 ? NULL : kin__member_of(parent);
    if (above != NULL && atomic_load(&above->child_ends) & KIN__COUNT_SLEEPERS) {
        kin__death_tell(parent);
    }
}
