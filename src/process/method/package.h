/**
 * What a child that does not have its parent's memory begins with: the name of its function and its
 * input, in a block of the family's memory. It can be of any size, nobody waits for anybody to read
 * it, and what it refers to lives at least as long as the child.
 *
 * The block is the starter's until it is given to the child, and then goes with the child's slot:
 * whoever dies, a reaper frees it.
 */
#ifndef KIN_PROCESS_PACKAGE_H
#define KIN_PROCESS_PACKAGE_H

#include "process/process.h"
#include "process/record.h"

/* Of the starter. */
struct kin__package {
    uint64_t place;    /* of the block; 0: none, or given */
    int *fds;          /* that the child is to have, in this order: those in the arguments, */
    uint32_t fd_count; /* then those of the plan; the fds are the caller's, and the object's */
};

/* Packs a plan. 0, or KIN_EFUNCTION: the function has no name; -EINVAL; KIN_ELIMIT: more than 65534
 * handles are in the arguments; -ENOMEM, and what kin_pickle_encode returns. */
int kin__package_create(const struct kin__process_plan *plan, const struct kin__record *record,
                        struct kin__package *ret_package);

/* Gives the block to the child that is about to run in a slot. */
void kin__package_give(struct kin__package *package, const struct kin__record *record,
                       uint32_t owner);

/* Lets go of what is still the starter's. */
void kin__package_deinit(struct kin__package *package);

/* In the child: how many fds are meant for it. 0, or -ESTALE, -EBADMSG. */
int kin__package_count_fds(uint32_t *ret_count);

/* In the child, which has taken its slot: opens its record, and unpacks what it has to run. What it
 * was passed as fds is its own. The plan stays until the child ends. 0, or -ESTALE: nothing was
 * packed for it; -EBADMSG; KIN_EFUNCTION: there is no such function, of which `ret_name` is the
 * name; -ENOMEM, and what kin_pickle_decode returns. */
int kin__package_open(const int *fds, uint32_t fd_count, struct kin__record **ret_record,
                      struct kin__process_plan *ret_plan, const char **ret_name);

#endif
