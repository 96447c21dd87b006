/**
 * The processes around this one: itself, its parent, its children.
 */
#ifndef KIN_RELATIVES_H
#define KIN_RELATIVES_H

#include <kin/export.h>
#include <kin/process.h>
#include <stddef.h>

KIN_BEGIN

/**
 * The calling process: its name, identity and process id. Borrowed: valid until kin_fini. NULL: it
 * is in no family, or there is no memory.
 *
 * Fork: in a child, the object of its parent is a foreign one; ask again.
 */
KIN_API kin_process *kin_process_current(void);

/**
 * The parent, which can be waited for (kin_process_join, also with a token) and looked at: whether
 * it is alive, its sentinel, its name and process id, also when it is dead. Borrowed: valid until
 * kin_fini. NULL: this is the first process of its family; or it is in none; or -ENOMEM, -EMFILE.
 *
 * Only a child that is no daemon sees its parent's end.
 */
KIN_API kin_process *kin_process_parent(void);

/**
 * Writes the children that were started and run, also those that were freed since, to `children`,
 * at most `capacity` of them (NULL if that is 0), in the order of their creation. Each is a new
 * reference: kin_process_free. Those that have ended are waited for, so that no zombie is left.
 *
 * Returns how many there are, which may be more than `capacity`; KIN_EFAMILY, -EINVAL.
 */
KIN_API int kin_process_children(kin_process **children, size_t capacity);

KIN_END

#endif
