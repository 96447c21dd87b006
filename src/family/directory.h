/**
 * The object directory: what each handle means, and how many references an object has.
 *
 * An entry is {type, block, counter, references}. A handle names an entry by its index and
 * counter; counters are never given twice, so a handle to something that is gone is refused.
 *
 *     FREE -> LIVE     create: one reference, that of the creator
 *     LIVE -> DYING    the last reference was dropped; `freer` frees what the object has
 *     DYING -> FREE    done
 *
 * A reference is a handle that lies in the handle part of a block (heap.h); there is no other.
 * The objects that a process has open are listed in blocks that belong to the process, so
 * when it dies its references go with its blocks. `references` is a count of these handles:
 * a cache. It, the states and the handles in blocks change under `directory_lock`; whoever
 * finds its holder dead counts again for the one entry (`directory_current`) that the holder
 * was at. A handle that is replaced concerns two entries, and must not be seen half written: the
 * place and what is to stand there are noted first, and whoever finds the lock's holder dead writes
 * it again.
 */
#ifndef KIN_FAMILY_DIRECTORY_H
#define KIN_FAMILY_DIRECTORY_H

#include "base/arithmetic.h"
#include "family/runtime.h"

enum kin__entry_state { KIN__ENTRY_FREE, KIN__ENTRY_LIVE, KIN__ENTRY_DYING };

struct kin__entry {
    _Atomic uint32_t state;
    uint32_t type;
    uint64_t counter;
    uint64_t block; /* offset of the object's block */
    uint64_t references;
    _Atomic uint32_t freer;     /* of a DYING entry: the process that frees it */
    uint32_t handle_count;      /* handles in front of the object in its block; constant */
    uint32_t process;           /* the only one that may use the object; 0: all; constant */
    _Atomic uint32_t name_hash; /* of its name; written before `name` */
    _Atomic uint64_t name; /* offset of a string in the object's block; 0: none; once written it
                            * stays as long as the object lives */
    uint32_t free_next;    /* of a DYING entry: what its freer is to free next; its own */
    uint32_t reserved;
};

KIN_STATIC_ASSERT_SIZE(struct kin__entry, 64);

#define KIN__OBJECT_ALIGNMENT KIN__MEMORY_LINE

/* What is entered: an object in a block, behind the handles that stand in front of it. */
struct kin__entry_plan {
    uint16_t type;
    uint32_t handle_count;
    uint32_t process; /* the only one that may use it; 0: all */
    uint64_t block;
};

/* Where the object starts in a block with so many handles. */
static inline uint64_t kin__object_offset(uint64_t block, uint32_t handle_count)
{
    return kin__u64_align_up(block + handle_count * sizeof(kin_handle), KIN__OBJECT_ALIGNMENT);
}

/* The object of a live entry. */
static inline void *kin__entry_object(const struct kin__entry *entry)
{
    return kin__at(kin__object_offset(entry->block, entry->handle_count));
}

/* The entry at an index; NULL if there is none. */
static inline struct kin__entry *kin__entry_at(uint32_t index)
{
    return kin__region_at(&kin__family.memory, &kin__shared()->directory, index);
}

/* Writes a counted reference into a zeroed handle of a block. 0, or -ESTALE. */
int kin__reference_add(kin_handle *reference, kin_handle handle);

/* Zeroes a counted reference; the last one frees the object. Does nothing on a zero one. */
void kin__reference_drop(kin_handle *reference);

/* Makes a handle of a block name another object, or nothing (a zero handle): one reference comes,
 * one goes, in one step, also for who comes after a kill. Several may do it at the same place. The
 * caller has the object open that the block belongs to. 0, or -ESTALE. */
int kin__reference_replace(kin_handle *reference, kin_handle handle);

/* What a handle of a block names now, if others may replace it. */
kin_handle kin__reference_read(const kin_handle *reference);

/* Enters an object whose block belongs to this process; its first reference is written at
 * `reference`. 0, or -ENOMEM. */
int kin__directory_enter(const struct kin__entry_plan *plan, kin_handle *reference,
                         kin_handle *ret_handle);

/* The live entry that a handle names, or NULL: a first look, not under the lock. */
struct kin__entry *kin__directory_find(kin_handle handle);

/* Names. An object can have one, a string of less than KIN__OBJECT_NAME_BYTES in its block;
 * no two live objects of a type have the same. */
#define KIN__OBJECT_NAME_BYTES 128u

/* Gives the object that the caller has open its name. 0, or -EEXIST. */
int kin__directory_name(kin_handle handle, const char *name);

/* The handle of the live object that has the name. 0, or -ENOENT. */
int kin__directory_look_up(uint16_t type, const char *name, kin_handle *ret_handle);

/* After the death of `dead`: finishes what it was freeing. */
void kin__directory_reap(uint32_t dead);

#endif
