/**
 * What a program has to do around a fork: take its locks before, so that no other thread is in
 * them, give them back in the parent, make its state anew in the child.
 *
 * Hooks run around every fork of a process of the family: that of kin_process_start, fork(), those
 * of a pool, whose workers are forked by a process of its own, which inherits the hooks. To start a
 * program by exec, or a child by spawning it, is no fork.
 *
 * The order is that of pthread_atfork: `before` is called from the newest hook to the oldest, the
 * others from the oldest to the newest, all by the thread that forks. These hooks can be removed.
 */
#ifndef KIN_FORK_HOOK_H
#define KIN_FORK_HOOK_H

#include <kin/export.h>
#include <stddef.h>

KIN_BEGIN

/** A set of callbacks that was added. */
typedef struct kin_fork_hook kin_fork_hook;

/** Is called around a fork. */
typedef void kin_fork_callback(void *user);

/**
 * The callbacks; each can be NULL. They may use kin: `before` while it holds no lock of its own,
 * the others when it has given back what it took; in the child of kin_process_start, that is a
 * member of the family by then. They must not wait for other threads that fork, or add or remove
 * hooks: those wait until this fork is over. A fork inside of one goes without hooks.
 */
typedef struct kin_fork_callbacks {
    size_t size; /* of this struct */

    kin_fork_callback *before;
    kin_fork_callback *after_parent; /* also when the fork has failed */
    kin_fork_callback *after_child;  /* before anything else of the child runs */
} kin_fork_callbacks;

/**
 * Adds a hook for all forks from now on, also of the children that inherit it. In a callback it
 * counts from the next fork on. A hook stays when the process leaves its family: it does nothing
 * until there is another.
 *
 * Returns 0, or -ENOMEM; KIN_EFAMILY: kin_init was not called.
 */
KIN_API int kin_fork_hook_add(const kin_fork_callbacks *callbacks, void *user,
                              kin_fork_hook **ret_hook);

/**
 * Removes a hook; NULL is fine. Returns NULL. When this has returned, it is not called any more,
 * and `user` can go: a fork under way in another thread is waited for. In a callback it takes
 * effect at once.
 */
KIN_API kin_fork_hook *kin_fork_hook_remove(kin_fork_hook *hook);

KIN_END

#endif
