/**
 * Numbers, or handles of other objects, in a row in memory that a family shares.
 */
#ifndef KIN_ARRAY_H
#define KIN_ARRAY_H

#include <kin/export.h>
#include <kin/family.h>
#include <kin/rlock.h>
#include <kin/timeout.h>
#include <kin/value.h>

KIN_BEGIN

/**
 * A fixed number of items of one type, with a lock unless it is raw.
 *
 * What is said of a kin_value, its lock, and deaths, is true of an array and each of its items.
 *
 * Peer death: who is killed while it sets one item has set it or not; while it sets a slice, some
 * items. The lock passes to the next with KIN_OWNER_DIED, until somebody calls
 * kin_array_mark_consistent.
 */
typedef struct kin_array kin_array;

/** What kin_array_create can be told. */
typedef struct kin_array_options {
    size_t size;         /* of this struct */
    kin_scope scope;     /* whether only the threads of this process use it */
    const void *initial; /**< `length` items of the array's type; NULL: all zero */
    bool is_raw;         /* it has no lock */
    kin_rlock *lock;     /* the lock it is to share with others; NULL: one of its own. Borrowed */
} kin_array_options;

/**
 * Which items: from `start` on, before `stop`, each `step`-th, as Python's array[start:stop:step]
 * has it: places below 0 count from the end, and what lies outside is cut off. INT64_MAX is
 * behind the last item and INT64_MIN before the first, so {0, INT64_MAX, 1} is all, and
 * {INT64_MAX, INT64_MIN, -1} all backwards.
 */
typedef struct kin_slice {
    int64_t start;
    int64_t stop;
    int64_t step; /**< not 0 */
} kin_slice;

/**
 * Makes an array of `length` items (0 is fine) of type `type`, a code of enum kin_item_type. NULL
 * options: all zero, with a lock of its own, for the family. Free it with kin_array_free.
 *
 * Returns 0, or
 *   -EINVAL      no such type; options of an unknown size; raw and with a lock; or the lock is of
 *                one process and the array is not
 *   -ESTALE      an initial handle, or the lock, names what is gone
 *   -ENOMEM      or more than 65534 handles
 */
KIN_API int kin_array_create(char type, uint64_t length, const kin_array_options *options,
                             kin_array **ret_array);

/**
 * Opens the array that `handle` names, in this process. Free it with kin_array_free.
 *
 * Returns 0, or -ESTALE: the array is gone; -EINVAL: the handle names something else; -EACCES: it
 * is another process's own.
 */
KIN_API int kin_array_attach(kin_handle handle, kin_array **ret_array);

/** Lets go of the array; NULL is fine. The last process to let go frees it. Returns NULL. */
KIN_API kin_array *kin_array_free(kin_array *array);

/** The array's name for other processes. */
KIN_API kin_handle kin_array_handle(const kin_array *array);

/** The type it was made with. */
KIN_API char kin_array_type(const kin_array *array);

/** How many items it has. */
KIN_API uint64_t kin_array_length(const kin_array *array);

/**
 * Where the items are in this process's memory, a C array of the type of the code, aligned to a
 * cache line; NULL: they are handles. Valid until kin_array_free. Access is not locked: hold the
 * lock, or use atomics.
 */
KIN_API void *kin_array_data(const kin_array *array);

/** As kin_value_acquire. */
KIN_API int kin_array_acquire(kin_array *array, kin_timeout timeout);
/** As kin_value_release. */
KIN_API int kin_array_release(kin_array *array);
/** As kin_value_mark_consistent. */
KIN_API int kin_array_mark_consistent(kin_array *array);
/** As kin_value_lock. */
KIN_API kin_rlock *kin_array_lock(const kin_array *array);

/** As kin_value_get_int. -ERANGE also: there is no item `index`. */
KIN_API int kin_array_get_int(const kin_array *array, uint64_t index, int64_t *ret_number);
/** As kin_value_get_uint. -ERANGE also: there is no item `index`. */
KIN_API int kin_array_get_uint(const kin_array *array, uint64_t index, uint64_t *ret_number);
/** As kin_value_get_float. -ERANGE: there is no item `index`. */
KIN_API int kin_array_get_float(const kin_array *array, uint64_t index, double *ret_number);
/** As kin_value_set_int. -ERANGE also: there is no item `index`. */
KIN_API int kin_array_set_int(kin_array *array, uint64_t index, int64_t number);
/** As kin_value_set_uint. -ERANGE also: there is no item `index`. */
KIN_API int kin_array_set_uint(kin_array *array, uint64_t index, uint64_t number);
/** As kin_value_set_float. -ERANGE also: there is no item `index`. */
KIN_API int kin_array_set_float(kin_array *array, uint64_t index, double number);

/** As kin_value_add_int. -ERANGE: there is no item `index`. */
KIN_API int kin_array_add_int(kin_array *array, uint64_t index, int64_t number, int64_t *ret_old);
/** As kin_value_add_float. -ERANGE: there is no item `index`. */
KIN_API int kin_array_add_float(kin_array *array, uint64_t index, double number, double *ret_old);
/** As kin_value_exchange_int. -ERANGE: there is no item `index`. */
KIN_API int kin_array_exchange_int(kin_array *array, uint64_t index, int64_t number,
                                   int64_t *ret_old);
/** As kin_value_compare_exchange_int. -ERANGE: there is no item `index`. */
KIN_API int kin_array_compare_exchange_int(kin_array *array, uint64_t index, int64_t expected,
                                           int64_t number, int64_t *ret_old);

/** As kin_value_set_handle. -ERANGE: there is no item `index`. */
KIN_API int kin_array_set_handle(kin_array *array, uint64_t index, kin_handle handle);
/** As kin_value_get_handle. -ERANGE: there is no item `index`. */
KIN_API int kin_array_get_handle(const kin_array *array, uint64_t index, kin_handle *ret_handle);

/** How many items a slice of an array of `length` items has; 0 also if its step is 0. */
KIN_API uint64_t kin_slice_length(kin_slice slice, uint64_t length);

/**
 * Copies the items of a slice to `items`, which has room for `room` items of the array's type,
 * under the lock if there is one. `ret_count` gets how many they are, and may be NULL.
 *
 * Returns 0; KIN_OWNER_DIED (> 0): copied, but a holder of the lock died; or
 *   -EMSGSIZE    there are more than `room`; nothing is copied, `ret_count` is set
 *   -EINVAL      the step is 0
 */
KIN_API int kin_array_get_slice(const kin_array *array, kin_slice slice, void *items, uint64_t room,
                                uint64_t *ret_count);

/**
 * Sets the items of a slice from `items`, `count` items of the array's type, under the lock if
 * there is one. What C can hold is not checked again.
 *
 * Returns 0; KIN_OWNER_DIED (> 0): set, but a holder of the lock died; or
 *   -EINVAL      the slice has not `count` items, or its step is 0
 *   -ESTALE      a handle names what is gone; those before it are set
 */
KIN_API int kin_array_set_slice(kin_array *array, kin_slice slice, const void *items,
                                uint64_t count);

KIN_END

#endif
