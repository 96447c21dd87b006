/**
 * A process's way into the family, out of it, and through a fork; and what kin says of that:
 * nothing, and for one relaxed load, until it is asked to.
 */
#ifndef KIN_FAMILY_FAMILY_H
#define KIN_FAMILY_FAMILY_H

#include "family/runtime.h"

#include <kin/log.h>
#include <stdbool.h>
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
 * (kin__child_prepare): maps the family's memory, of which it inherited the fd, and takes the
 * slot. It has no object open.
 *
 * Returns 0, then the fd is the family's; or -EBADMSG: the fd is not that of a family's memory, or
 * of one of another layout; -ESTALE: there is no such slot (any more); -EALREADY: this process is
 * in a family; KIN_EFUNCTION, -ENOMEM, -EAGAIN, -ENOSYS.
 */
int kin__family_attach(int fd, uint32_t owner);

/* --- the slot of a process, from its claim by who starts it; see member/child.c --- */

/* Claims and fills the slot of a child that this process is about to start, of which it is the
 * parent. `flags`: see member.h. Then one of the two below follows. 0, or -EAGAIN, -ENOMEM,
 * KIN_EFAMILY. */
int kin__child_prepare(const char *name, uint32_t flags, uint32_t *ret_owner);

/* Names the process in a slot that the caller has claimed. */
void kin__child_name(uint32_t owner, const char *name);

/* The same for its place in the tree, "1:2"; see struct kin__member. */
void kin__child_identify(uint32_t owner, const char *identity);

/* The process was started: this one's keeper looks for its end. */
void kin__child_started(uint32_t owner, uint32_t pid);

/* The process that has or had a slot; 0: nobody knows, or it is another's by now. */
uint32_t kin__child_pid(uint32_t owner);

/* There is no process, or it is not to become this child: its slot is freed, and the blocks that
 * were given to it. False: the child has taken its slot, or has been reaped. */
bool kin__child_abandon(uint32_t owner);

/* Makes the slot this process's own and publishes its life. 0, -EAGAIN, -ENOSYS, or -ESTALE: who
 * had claimed the slot for it is dead, or has abandoned it. */
int kin__child_take(uint32_t owner);

/* The same in a child. */
int kin__child_begin(uint32_t owner);

/* Forks the child that runs in a slot, which this process or the one it serves has claimed. It has
 * open what this process has open. Its process id, 0 in the child, or -EAGAIN, -ENOMEM: then the
 * slot is still the claimer's. */
int kin__child_fork(uint32_t owner);

/* Gives up a slot that was taken, with all but the references. */
void kin__child_give_up(void);

/* In no family, or the child of a plain fork: what is the parent's is not ours to free. */
void kin__child_forget(void);

/* From now on plain forks are seen to. Once in a process. 0, or -ENOMEM. */
int kin__child_watch_forks(void);

/* The argument that makes a process the child that runs in a slot, with the family's memory as
 * `fd`; and whether this one's argument 1 is of that kind: 0, -ENOENT: no, -EINVAL: it is nonsense.
 * NULL `argv`: that is found out. */
#define KIN__MARK_BYTES 48u
void kin__mark_write(int fd, uint32_t owner, char *text, size_t bytes);
int kin__mark_read(int argc, char *const *argv, int *ret_fd, uint32_t *ret_owner);

/* --- the end --- */

/* As kin_fini, at the end of the process, which ends with a status: other threads may be inside
 * kin, and run on. */
void kin__family_leave_at_exit(int status);

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
