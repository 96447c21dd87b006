/**
 * A bell: an fd that is readable while something of the family is as a program that polls wants it,
 * a queue that has a message for instance. This process's keeper rings it; who makes the event
 * happen does nothing for it but raise an event count.
 *
 *     armed    the keeper sleeps on the count; when it is raised, and is_ready says so: -> rung
 *     rung     the fd is readable, and the keeper does not care; kin__bell_rearm: -> armed
 *
 * A rung bell may be out of date: somebody else took what was there. Whoever looks at the thing
 * itself and finds nothing arms it again, so a poll followed by a look does not spin.
 *
 * It is made at the first use, in the process that wants it: a forked child has a copy, which is of
 * no use to it, and makes its own.
 */
#ifndef KIN_FAMILY_BELL_H
#define KIN_FAMILY_BELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct kin__bell;

/* Where an object of this process keeps its bell. NULL: nobody has asked for it. */
typedef _Atomic(struct kin__bell *) kin__bell_place;

/* What it rings for. */
struct kin__bell_plan {
    _Atomic uint32_t *count;              /* raised whenever is_ready might have become true */
    bool (*is_ready)(const void *object); /* in the keeper: must not wait, nor allocate */
    const void *object;
};

/* The fd; the bell is made if there is none, and is rung at once if the object is ready. 0, or
 * -ENOMEM, -EMFILE, -ENFILE. */
int kin__bell_fd(kin__bell_place *place, const struct kin__bell_plan *plan, int *ret_fd);

/* Arms the bell again, if there is one that was rung: the object was looked at, and not ready. */
void kin__bell_rearm(kin__bell_place *place);

/* Takes the bell down, if there is one. Before the object goes. */
void kin__bell_free(kin__bell_place *place);

#endif
