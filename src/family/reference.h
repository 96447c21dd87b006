/**
 * What a process has open: its kin_lock, kin_queue and so on, and the reference blocks that
 * list them in the family's memory.
 */
#ifndef KIN_FAMILY_REFERENCE_H
#define KIN_FAMILY_REFERENCE_H

#include "base/list.h"
#include "family/directory.h"
#include "family/member.h"

#include <errno.h>

/* An object that this process has open: the first member of kin_lock, kin_queue and the like.
 * Private memory. */
struct kin__object {
    void *shared; /* its block; NULL: it was gone when the process was forked */
    kin_handle handle;
    kin_handle *reference;       /* in one of the process's reference blocks */
    kin_handle *child_reference; /* the same for a child about to be forked; NULL: it is gone */
    struct kin__list_node node;
    uint32_t generation; /* of kin__family: objects of a family that was left are dead */
    uint16_t type;
    bool is_process_only; /* a forked child does not inherit it */
};

#define KIN__TYPE_ANY ((uint16_t)0)

/* What kin__object_create makes. */
struct kin__object_plan {
    uint16_t type;
    kin_scope scope;
    uint32_t handle_count; /* counted references in front of the shared part */
    size_t size;           /* of kin_lock, kin_queue ..., which start with a struct kin__object */
    uint64_t bytes;        /* of the shared part */
};

/* What this process has open, and the blocks that list it. Private memory. */
struct kin__references {
    mtx_t lock; /* taken around fork */
    struct kin__list objects;
    uint64_t *blocks; /* offsets */
    uint32_t block_count;
    uint32_t search; /* where to look for a free handle first */
    uint64_t *child_blocks;
    uint32_t child_block_count;
};

/* Allocates a kin_lock, kin_queue ... and creates its shared part, zeroed, aligned to 128 bytes;
 * or opens what the handle names. `ret_object` is a pointer to the pointer; NULL is -EINVAL. 0, or
 * -ENOMEM, KIN_EFAMILY, -EINVAL: no such scope; -ESTALE; -EINVAL: the handle names another type;
 * -EACCES: another process's own. */
int kin__object_create(const struct kin__object_plan *plan, void *ret_object);
int kin__object_attach(uint16_t type, size_t size, kin_handle handle, void *ret_object);

/* Opens whatever the handle names, to keep it alive: kin__object_free lets go of it. Codes alike,
 * without -EINVAL. */
int kin__object_hold(kin_handle handle, void **ret_held);

/* The handles in front of the shared part, counted references. */
kin_handle *kin__object_handles(const struct kin__object *object);

/* What every call on an object begins with: its shared part, and the calling thread, which becomes
 * a member here if it is none. `object` is a kin_lock, kin_queue ... or NULL; `ret_shared` a
 * pointer to the pointer. 0, or -EINVAL: NULL; -ESTALE: gone; KIN_EFAMILY, -ENOMEM, -EAGAIN. */
static inline int kin__object_enter(const void *object, void *ret_shared,
                                    struct kin__thread **ret_self)
{
    if (object == NULL) {
        return -EINVAL;
    }
    int r = kin__self_find(ret_self);
    if (r < 0) {
        return r;
    }
    void *shared = ((const struct kin__object *)object)->shared;
    if (shared == NULL) {
        return -ESTALE;
    }
    *(void **)ret_shared = shared;
    return 0;
}

/* Whether a call on an object can do without what kin__object_enter does: the calling thread, which
 * is kin__thread_current, is a member, and the object is there. */
static inline bool kin__object_is_entered(const void *object)
{
    return object != NULL && kin__thread_current.generation == kin__family.generation &&
           ((const struct kin__object *)object)->shared != NULL;
}

/* Closes and frees it; the last in the family to do so frees the shared part. NULL is fine. */
void kin__object_free(void *object);

/* In a forked child, while it has one thread: frees what it would not inherit, and leaves alone
 * what the parent has. NULL is fine. */
void kin__object_forget(void *object);

/* The name of a kin_lock, kin_queue ... or NULL. */
static inline kin_handle kin__object_handle(const void *object)
{
    return object == NULL ? (kin_handle){0} : ((const struct kin__object *)object)->handle;
}

/* The directory index, for holdings and `doing`. */
static inline uint32_t kin__object_index(const struct kin__object *object)
{
    return object->handle.index;
}

/* Makes reference blocks that belong to `owner`, a child process about to be forked (or this
 * one, forked without kin's help), and list all that this process has open. 0, or -ENOMEM. The
 * child switches to them with kin__references_adopt; the parent forgets them, or frees them if
 * there is no child, with kin__references_abandon. The lock is held from before the copy. */
int kin__references_copy(uint32_t owner);
void kin__references_adopt(void);

/* After the copy: the one block that there is; 0: there are more, or none. */
uint64_t kin__references_given(void);
void kin__references_abandon(uint32_t owner, bool has_child);

/* Frees this process's reference blocks, and with them its references. */
void kin__references_free(void);

/* Lets go of all objects that are open still: in the next family calls on them are -ESTALE. */
void kin__references_forget(void);

#endif
