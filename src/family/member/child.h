/**
 * The slot of a process in the member table, from its claim by who starts the process; see child.c.
 */
#ifndef KIN_FAMILY_CHILD_H
#define KIN_FAMILY_CHILD_H

#include <stdbool.h>
#include <stdint.h>

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

/* There is no process, or it is not to become this child: its slot is freed, and the blocks that
 * were given to it. False: the child has taken its slot, or has been reaped. */
bool kin__child_abandon(uint32_t owner);

/* Makes the slot this process's own and starts its keeper. 0, -EAGAIN, -ENOSYS, or -ESTALE: who
 * had claimed the slot for it is dead, or has abandoned it. */
int kin__child_take(uint32_t owner);

/* The same in a child, which then has a slot for this thread too; its parent is told. */
int kin__child_begin(uint32_t owner);

/* Forks the child that runs in a slot, which this process or the one it serves has claimed. It has
 * open what this process has open. Its process id, 0 in the child, or -EAGAIN, -ENOMEM: then the
 * slot is still the claimer's. */
int kin__child_fork(uint32_t owner);

/* Gives up a slot that was taken, with all but the references; the keeper runs. */
void kin__child_give_up(void);

/* In no family, or the child of a plain fork: what is the parent's is not ours to free. */
void kin__child_forget(void);

/* From now on plain forks are seen to. Once in a process. 0, or -ENOMEM. */
int kin__child_watch_forks(void);

#endif
