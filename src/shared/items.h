/**
 * What a value and an array are: items of one type in the family's memory, and their lock.
 *
 *     handles      a counted reference to the lock, zero if there is none; of type '&', then the
 *                  items themselves
 *     header       struct items_shared
 *     numbers      items of other types, `data_offset` bytes behind the start of the header
 *
 * The lock is an object of its own, so that several values can share it, and each process that has
 * the value open has the lock open as well. The reference in front keeps it alive.
 */
#ifndef KIN_SHARED_ITEMS_H
#define KIN_SHARED_ITEMS_H

#include "base/assert.h"
#include "family/reference.h"
#include "shared/item.h"

#include <kin/rlock.h>
#include <kin/value.h>

/* Peer death: all of it is constant but the items, and each of those is written in one step. */
struct kin__items_shared {
    uint32_t code;        /* of the type */
    uint32_t data_offset; /* from the start of this struct to the numbers */
    uint64_t length;
};

KIN_STATIC_ASSERT_SIZE(struct kin__items_shared, 16);

#define KIN__ITEMS_HANDLES_MAX 65534u /* a block has at most 65535, one is the lock's */

/* The private part; all of a kin_value and a kin_array. */
struct kin__items {
    struct kin__object object;
    const struct kin__item_type *type;
    kin_rlock *lock;     /* NULL: raw */
    unsigned char *data; /* the numbers */
    uint64_t length;
};

/* What kin__items_create makes. */
struct kin__items_plan {
    uint16_t type; /* of the object */
    char code;
    bool is_raw;
    kin_scope scope;
    uint32_t data_offset;
    uint64_t length;
    const void *initial; /* `length` items; NULL: zero */
    kin_rlock *lock;     /* NULL: a new one */
};

int kin__items_create(const struct kin__items_plan *plan, struct kin__items **ret_items);
int kin__items_attach(uint16_t type, kin_handle handle, struct kin__items **ret_items);
void kin__items_free(struct kin__items *items);

/* The lock. -EINVAL: there is none. */
int kin__items_acquire(const struct kin__items *items, kin_timeout timeout);
int kin__items_release(const struct kin__items *items);
int kin__items_mark_consistent(const struct kin__items *items);

/* Begins and ends something that is done under the lock, if there is one, on `count` items from
 * `index` on. 0, KIN_OWNER_DIED, or -EINVAL, -ESTALE, -ERANGE: there are no such items. */
int kin__items_begin(const struct kin__items *items, uint64_t index, uint64_t count);
void kin__items_end(const struct kin__items *items);

/* Single items; the codes are those of kin_value_get_int and so on, and -ERANGE: no such item. */
int kin__items_get_int(const struct kin__items *items, uint64_t index, int64_t *ret_number);
int kin__items_get_uint(const struct kin__items *items, uint64_t index, uint64_t *ret_number);
int kin__items_get_float(const struct kin__items *items, uint64_t index, double *ret_number);
int kin__items_set_int(const struct kin__items *items, uint64_t index, int64_t number);
int kin__items_set_uint(const struct kin__items *items, uint64_t index, uint64_t number);
int kin__items_set_float(const struct kin__items *items, uint64_t index, double number);
int kin__items_get_handle(const struct kin__items *items, uint64_t index, kin_handle *ret_handle);
int kin__items_set_handle(const struct kin__items *items, uint64_t index, kin_handle handle);

/* Atomic ones, without the lock. */
int kin__items_add_int(const struct kin__items *items, uint64_t index, int64_t number,
                       int64_t *ret_old);
int kin__items_add_float(const struct kin__items *items, uint64_t index, double number,
                         double *ret_old);
int kin__items_exchange_int(const struct kin__items *items, uint64_t index, int64_t number,
                            int64_t *ret_old);
int kin__items_compare_exchange_int(const struct kin__items *items, uint64_t index,
                                    int64_t expected, int64_t number, int64_t *ret_old);

/* Where an item is: one of the numbers, or one of the handles. */
static inline void *kin__items_number(const struct kin__items *items, uint64_t index)
{
    return items->data + index * items->type->bytes;
}

static inline kin_handle *kin__items_reference(const struct kin__items *items, uint64_t index)
{
    return kin__object_handles(&items->object) + 1 + index;
}

/* The numbers, in this process's memory; NULL: there are none. */
static inline void *kin__items_data(const struct kin__items *items)
{
    return items == NULL || items->object.shared == NULL || items->type->class == KIN__ITEM_HANDLE
               ? NULL
               : items->data;
}

/* See struct kin__type. */
void kin__items_verify(struct kin__verifier *verifier, uint32_t index, const void *at);

#endif
