/**
 * What a process has open: its kin_lock, kin_queue and so on, and the reference blocks that
 * list them in the family's memory.
 */
#ifndef KIN_FAMILY_REFERENCE_H
#define KIN_FAMILY_REFERENCE_H

#include "base/list.h"
#include "family/directory.h"

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

/* Allocates a kin_lock, kin_queue ..., `size` bytes that start with a struct kin__object, and
 * creates its shared part, a block of `bytes`, zeroed, aligned to 128 bytes; or opens what the
 * handle names. `ret_object` is a pointer to the pointer. 0, or -ENOMEM, KIN_EFAMILY; -ESTALE;
 * -EINVAL: the handle names another type. */
int kin__object_create(uint16_t type, size_t size, uint64_t bytes, void *ret_object);
int kin__object_attach(uint16_t type, size_t size, kin_handle handle, void *ret_object);

/* Closes and frees it; the last in the family to do so frees the shared part. NULL is fine. */
void kin__object_free(struct kin__object *object);

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
void kin__references_abandon(uint32_t owner, bool has_child);

/* Frees this process's reference blocks, and with them its references. */
void kin__references_free(void);

#endif
