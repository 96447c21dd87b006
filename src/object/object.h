/**
 * What objects are made of.
 *
 * A kin_object pointer is one of
 *     NULL           memory ran out
 *     ..01           an int of 62 bits, in the pointer itself
 *     ..10           None, False, True, likewise
 *     ..000          the address of a struct kin_object, the start of one of those below
 *
 * An object lies in memory of its own, or in a region together with others that were made at the
 * same time (object/region.h): freed one by one, they give the region back with the last.
 *
 * Freeing, comparing, hashing, printing and pickling go through a graph of objects without
 * recursion: it may be a million deep. Containers begin with a struct container, whose fields
 * serve those walks that must not allocate.
 *
 * Circles. KIN__MAY_CIRCLE says that a container may lead back to itself; only letting go of such a
 * one, without ending it, makes free.c look for circles.
 */
#ifndef KIN_OBJECT_OBJECT_H
#define KIN_OBJECT_OBJECT_H

#include <kin/class.h>
#include <kin/object.h>

#include <errno.h>
#include <stdatomic.h>

#include "base/assert.h"

enum {
    KIN__MAY_CIRCLE = 1, /* a container that may lead to itself */
    KIN__VISITED = 2,    /* used while free.c looks for circles, as the next three */
    KIN__ALIVE = 4,
    KIN__CANDIDATE = 8,
    KIN__ENDING = 16,
    KIN__ARRAY_IN_REGION = 32, /* the array of a list, dict or set: not to be released */
    KIN__ASCII = 64,           /* a str: each byte is a character */
    KIN__INSIDE = 64,          /* a container: was put into another; see free.h */
    KIN__KEPT = 128            /* by a decoder at work, which see */
};

/* What every object begins with. */
struct kin_object {
    _Atomic uint32_t count; /* references */
    uint8_t kind;           /* enum kin_kind */
    uint8_t flags;
    uint16_t region; /* distance to the start of its region, in units of 8 bytes; 0: in none */
};

struct object_float {
    struct kin_object object;
    double value;
};

struct object_complex {
    struct kin_object object;
    double real;
    double imaginary;
};

/* An int that does not fit into a pointer: two's complement, the lowest byte first, minimal. */
struct object_integer {
    struct kin_object object;
    uint64_t size;
    unsigned char bytes[];
};

struct object_text {
    struct kin_object object;
    uint64_t size;
    char bytes[]; /* and a NUL */
};

/* A module, a name, and both: "collections\0deque\0collections.deque\0". */
struct object_global {
    struct kin_object object;
    uint32_t module_size;
    uint32_t name_size;
    const kin_class *class_; /* registered when this was made; or NULL */
    char bytes[];
};

/* Where the data of a bytes object is, if not behind it. */
struct kin__backing {
    void (*release)(struct kin__backing *backing);
    kin_handle handle; /* of shared memory that it is, from its first byte; counter 0: of none */
};

struct object_bytes {
    struct kin_object object;
    uint64_t size;
    unsigned char *data; /* a bytes object's: `bytes` as a rule. A bytearray's: allocated */
    struct kin__backing *backing; /* who owns `data`; NULL: this object */
    unsigned char bytes[];        /* and a NUL */
};

struct object_handle {
    struct kin_object object;
    kin_handle handle;
    void *held; /* what keeps it alive in this process: the hooks' */
};

struct object_fd {
    struct kin_object object;
    int fd; /* owned */
};

/* What containers begin with. */
struct container {
    struct kin_object object;
    union {
        struct {
            uint32_t scratch; /* references from within, while free.c looks for circles */
            uint32_t depth;   /* how deep it is, as far as a decoder knows */
        };
        struct container *alive_next;
    };
    struct container *link; /* in a walk of free.c */
};

struct object_list {
    struct container container;
    uint64_t count;
    uint64_t capacity;
    kin_object **items; /* NULL while there is none */
};

struct object_tuple {
    struct container container;
    uint64_t count;
    uint64_t hash; /* 0: not known yet. Frozensets have it in their table */
    kin_object *items[];
};

/* A dict's, set's or frozenset's (there `value` is NULL). An entry without key was removed. */
struct table_entry {
    kin_object *key;
    kin_object *value;
    uint64_t hash; /* known once there is an index */
};

struct object_table {
    struct container container;
    uint64_t count;              /* of keys */
    uint64_t used;               /* of entries, removed ones included */
    uint64_t capacity;           /* of entries */
    struct table_entry *entries; /* in the order of insertion */
    uint32_t *index;             /* by hash, entry + 1; NULL: so few that each is looked at */
    uint64_t index_mask;
    uint64_t hash; /* of a frozenset; 0: not known yet */
};

#define KIN__NONE ((kin_object *)(uintptr_t)0x2)
#define KIN__FALSE ((kin_object *)(uintptr_t)0x6)
#define KIN__TRUE ((kin_object *)(uintptr_t)0xa)

#define KIN__SMALL_INT_MAX (INT64_MAX >> 2)
#define KIN__SMALL_INT_MIN (INT64_MIN >> 2)

/* Whether it is an int in the pointer. */
static inline bool kin__is_small_int(const kin_object *object)
{
    return ((uintptr_t)object & 3) == 1;
}

static inline int64_t kin__small_int_value(const kin_object *object)
{
    return (int64_t)(uintptr_t)object >> 2;
}

static inline bool kin__fits_small_int(int64_t value)
{
    return value >= KIN__SMALL_INT_MIN && value <= KIN__SMALL_INT_MAX;
}

static inline kin_object *kin__small_int(int64_t value)
{
    KIN_ASSERT(kin__fits_small_int(value));
    return (kin_object *)(uintptr_t)(((uint64_t)value << 2) | 1);
}

/* Whether there is something behind the pointer. */
static inline bool kin__is_in_memory(const kin_object *object)
{
    return ((uintptr_t)object & 3) == 0 && object != NULL;
}

/* kin_object_kind. */
static inline kin_kind kin__kind(const kin_object *object)
{
    if (kin__is_in_memory(object)) {
        return (kin_kind)object->kind;
    }
    if (kin__is_small_int(object)) {
        return KIN_KIND_INT;
    }
    return object == NULL ? KIN_KIND_NOTHING : object == KIN__NONE ? KIN_KIND_NONE : KIN_KIND_BOOL;
}

/* Whether objects of a kind begin with a struct container. */
static inline bool kin__kind_is_container(kin_kind kind)
{
    const uint32_t containers = (2u << KIN_KIND_FROZENSET) - (1u << KIN_KIND_LIST) +
                                (1u << KIN_KIND_INSTANCE) + (1u << KIN_KIND_OPAQUE);
    return (containers >> kind & 1) != 0;
}

static inline bool kin__is_container(const kin_object *object)
{
    return kin__is_in_memory(object) && kin__kind_is_container((kin_kind)object->kind);
}

/* References of an object that no other thread can have: cheaper than the atomic way. */
static inline void kin__retain_private(kin_object *object)
{
    if (kin__is_in_memory(object)) {
        uint32_t count = atomic_load_explicit(&object->count, memory_order_relaxed);
        atomic_store_explicit(&object->count, count + 1, memory_order_relaxed);
    }
}

/* Notes that a container is in another; several threads may, of one that none changes. */
static inline void kin__mark_inside(const kin_object *part)
{
    uint8_t *flags = (uint8_t *)(uintptr_t)&part->flags;
    uint8_t before = __atomic_load_n(flags, __ATOMIC_RELAXED);
    if ((before & KIN__INSIDE) == 0) {
        __atomic_store_n(flags, before | KIN__INSIDE, __ATOMIC_RELAXED);
    }
}

#define KIN__COUNTS_SAY_NOTHING UINT32_MAX /* for calls of users, which look afterwards: free.h */

/* To be called before `part` goes into `whole`, a container that is being changed, of which
 * `own_count` references are known to come from elsewhere than from objects: only if there are
 * more may it close a circle. */
static inline void kin__object_link(struct container *whole, const kin_object *part,
                                    uint32_t own_count)
{
    if (!kin__is_container(part)) {
        return;
    }
    kin__mark_inside(part);
    if (atomic_load_explicit(&whole->object.count, memory_order_relaxed) > own_count) {
        whole->object.flags |= KIN__MAY_CIRCLE;
    }
}

#endif
