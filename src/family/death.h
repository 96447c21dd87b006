/**
 * Death: proof of it, and taking back what the dead had claimed.
 *
 * A process is dead when the kernel has released its life word and no thread of it can run an
 * instruction any more (its pid is gone, or a zombie without threads). The second matters: the
 * word is released by the keeper's end, and a thread on another core may run on for a moment.
 * No time that passes is ever taken for proof. A process that has replaced its program by exec
 * is dead too: its keeper has ended, and its one thread no longer maps the family's memory.
 *
 * The reaper moves each slot of the dead to REAPING with its own owner id, so each is reaped
 * by one; what it does there can be done twice, so that whoever reaps the reaper goes on:
 *
 *     1. finish the objects that it was freeing, go on with those that it was reaping
 *     2. for each thread of the process: repair the objects in `doing` and `holdings`; then free
 *        its blocks, and with them its references
 *     3. raise death_count and wake all who sleep (see sleep.h), then free the slot
 *     4. tell the keeper that now watches the children of the dead
 */
#ifndef KIN_FAMILY_DEATH_H
#define KIN_FAMILY_DEATH_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the process member `owner` is proven dead. One that is just dying is waited for until
 * the deadline. */
bool kin__death_is_certain(uint32_t owner, int64_t deadline_ns);

/* Whether a process has died or left: for who sleeps until then. A reaper wakes all before it frees
 * the slot, so who is woken may find it still at work, and is not woken again. */
bool kin__death_has_come(uint32_t owner);

/* Reaps a process that is proven dead, or never lived. True: it is reaped now, by whomever;
 * false: another process is at it. */
bool kin__death_reap(uint32_t owner);

/* Ends a thread of this process in order, repairing what it still holds. */
void kin__death_end_thread(uint32_t owner);

/* Ends this process's membership in order, by its last thread in kin, which stands for the
 * process itself (see kin_fini). */
void kin__death_end_process(void);

/* Whether a process has a keeper, which can be told, watches over others, and is in the ring. */
bool kin__death_is_listening(uint32_t owner);

/* The processes with a keeper form a ring, in the order of the table: who comes behind an owner in
 * it, and who before; 0: there is no other. */
uint32_t kin__death_next_of(uint32_t owner);
uint32_t kin__death_previous_of(uint32_t owner);

/* Makes the keepers of a process's children look at the table anew, but that of one; 0: all. */
void kin__death_tell_children(uint32_t owner, uint32_t except);

/* Who watches over a process: its parent while that lives and has a keeper, else the first process
 * in the table that has one; 0: nobody. */
uint32_t kin__death_watcher_of(uint32_t owner);

/* Makes the keeper of a process, if it is not 0, look at the table anew. */
void kin__death_tell(uint32_t process);

#endif
