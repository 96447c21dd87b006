/**
 * A process's way into the family, out of it, and through a fork; and what kin says of that:
 * nothing, and for one relaxed load, until it is asked to.
 */
#ifndef KIN_FAMILY_FAMILY_H
#define KIN_FAMILY_FAMILY_H

#include "family/runtime.h"

#include <kin/log.h>
#include <stdint.h>

/* Makes sure that this process is a member: one that was forked without kin's help becomes one
 * here. 0, or KIN_EFAMILY, -ENOMEM, -EAGAIN. */
int kin__family_enter(void);

/**
 * Forks a child that is a member from the start and has open what this process has open.
 *
 * Its slot and references are made before the fork, so neither is lost, whoever dies when: a
 * parent that dies before the child has taken the slot over takes the child along.
 *
 * Returns the child's process id in the parent, 0 in the child (which has a keeper), or
 * -EAGAIN, -ENOMEM, KIN_EFAMILY. `ret_owner` is the child's member, set in the parent only.
 */
int kin__family_fork(const char *name, uint32_t flags, uint32_t *ret_owner);

/**
 * Makes a process that was started by exec the child that another one has prepared
 * (member/child.h): maps the family's memory, of which it inherited the fd, and takes the slot. It
 * has no object open.
 *
 * Returns 0, then the fd is the family's; or -EBADMSG: the fd is not that of a family's memory, or
 * of one of another layout; -ESTALE: there is no such slot (any more); -EALREADY: this process is
 * in a family; KIN_EFUNCTION, -ENOMEM, -EAGAIN, -ENOSYS.
 */
int kin__family_attach(int fd, uint32_t owner);

/* As kin_fini, at the end of the process: other threads may be inside kin, and run on. */
void kin__family_leave_at_exit(void);

static inline bool kin__log_is_on(int level)
{
    return __builtin_expect(
        level >= atomic_load_explicit(&kin__log.threshold, memory_order_relaxed), 0);
}

/* kin_log, without a call while it is off. */
#define KIN__LOG(level, ...) (kin__log_is_on(level) ? kin_log_write((level), __VA_ARGS__) : (void)0)

/* What a spawned child is to be told: the level from which on this process writes to stderr; 0: it
 * does not. And the child's part. */
uint32_t kin__log_level_to_inherit(void);
void kin__log_level_inherit(uint32_t level);

#endif
