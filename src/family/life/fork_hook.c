/*
 * Hooks around fork. The thread that forks has the lock from before the first callback until after
 * the last one, in the parent and in the child: so both sides of a fork run the same hooks, and who
 * removes one knows that it is not running. The callbacks themselves are the one exception: what
 * they add and remove is noted, and done when the fork is over.
 */
#include "family/life/fork_hook.h"

#include "base/allocate.h"
#include "family/family.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/fork_hook.h>

struct kin_fork_hook {
    struct kin__list_node node;
    kin_fork_callbacks callbacks;
    void *user;
    bool is_new;     /* added by a callback of the fork that is under way */
    bool is_removed; /* by one of those */
};

/* In a callback, this thread has the lock. */
static bool has_lock(void)
{
    return kin__fork_hook_depth > 0;
}

static void lock(void)
{
    if (!has_lock()) {
        mtx_lock(&kin__fork_hooks.lock);
    }
}

static void unlock(void)
{
    if (!has_lock()) {
        mtx_unlock(&kin__fork_hooks.lock);
    }
}

static kin_fork_hook *hook_of(struct kin__list_node *node)
{
    return KIN_CONTAINER_OF(node, kin_fork_hook, node);
}

int kin_fork_hook_add(const kin_fork_callbacks *callbacks, void *user, kin_fork_hook **ret_hook)
{
    if (callbacks == NULL || callbacks->size != sizeof *callbacks || ret_hook == NULL) {
        return -EINVAL;
    }
    if (!kin__family_is_open()) {
        return KIN_EFAMILY;
    }
    kin_fork_hook *hook = kin__allocate_zeroed(sizeof *hook);
    if (hook == NULL) {
        return -ENOMEM;
    }
    hook->callbacks = *callbacks;
    hook->user = user;
    hook->is_new = has_lock();
    lock();
    kin__list_append(&kin__fork_hooks.list, &hook->node);
    unlock();
    *ret_hook = hook;
    return 0;
}

static void release(kin_fork_hook *hook)
{
    kin__list_remove(&hook->node);
    kin__release(hook);
}

kin_fork_hook *kin_fork_hook_remove(kin_fork_hook *hook)
{
    if (hook == NULL) {
        return NULL;
    }
    lock();
    if (has_lock()) {
        hook->is_removed = true; /* the callbacks are being gone through */
    } else {
        release(hook);
    }
    unlock();
    return NULL;
}

static void call(const kin_fork_hook *hook, kin_fork_callback *callback)
{
    if (callback != NULL && !hook->is_new && !hook->is_removed) {
        callback(hook->user);
    }
}

void kin__fork_hooks_before(void)
{
    lock();
    kin__fork_hook_depth++;
    if (kin__fork_hook_depth > 1) { /* a callback forks */
        return;
    }
    for (struct kin__list_node *node = kin__fork_hooks.list.head.previous;
         node != &kin__fork_hooks.list.head; node = node->previous) {
        call(hook_of(node), hook_of(node)->callbacks.before);
    }
}

static void settle(void)
{
    KIN_LIST_EACH (&kin__fork_hooks.list, node) {
        kin_fork_hook *hook = hook_of(node);
        hook->is_new = false;
        if (hook->is_removed) {
            release(hook);
        }
    }
}

void kin__fork_hooks_after(bool is_child)
{
    if (kin__fork_hook_depth == 1) {
        for (struct kin__list_node *node = kin__fork_hooks.list.head.next;
             node != &kin__fork_hooks.list.head; node = node->next) {
            const kin_fork_hook *hook = hook_of(node);
            call(hook, is_child ? hook->callbacks.after_child : hook->callbacks.after_parent);
        }
        settle();
    }
    kin__fork_hook_depth--;
    unlock();
}

__attribute__((constructor)) static void prepare(void)
{
    mtx_init(&kin__fork_hooks.lock, mtx_plain);
    kin__list_init(&kin__fork_hooks.list);
}
