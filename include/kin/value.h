/**
 * A number, or the handle of another object, in memory that a family shares.
 */
#ifndef KIN_VALUE_H
#define KIN_VALUE_H

#include <kin/export.h>
#include <kin/family.h>
#include <kin/rlock.h>
#include <kin/timeout.h>
#include <stdbool.h>

KIN_BEGIN

/** What a value or an item of an array is: Python's type codes ('i' works as well), and handles. */
enum kin_item_type {
    KIN_ITEM_CHAR = 'c',   /**< char: 0 to 255 */
    KIN_ITEM_WCHAR = 'u',  /**< wchar_t */
    KIN_ITEM_INT8 = 'b',   /**< signed char */
    KIN_ITEM_UINT8 = 'B',  /**< unsigned char */
    KIN_ITEM_SHORT = 'h',  /**< short */
    KIN_ITEM_USHORT = 'H', /**< unsigned short */
    KIN_ITEM_INT = 'i',    /**< int */
    KIN_ITEM_UINT = 'I',   /**< unsigned int */
    KIN_ITEM_LONG = 'l',   /**< long */
    KIN_ITEM_ULONG = 'L',  /**< unsigned long */
    KIN_ITEM_INT64 = 'q',  /**< int64_t */
    KIN_ITEM_UINT64 = 'Q', /**< uint64_t */
    KIN_ITEM_FLOAT = 'f',  /**< float */
    KIN_ITEM_DOUBLE = 'd', /**< double */
    KIN_ITEM_HANDLE = '&'  /**< kin_handle: keeps what it names alive */
};

/**
 * One item in memory that a family shares, with a lock unless it is raw.
 *
 * Peer death: who is killed while it sets the value has set it or not. The lock of one that
 * died passes to the next with KIN_OWNER_DIED, which tells that what was done in several steps
 * may be half done; every get and set says so as well, and is done all the same, until somebody
 * calls kin_value_mark_consistent. A handle in a value keeps the object that it names alive,
 * whatever becomes of the process that stored it.
 */
typedef struct kin_value kin_value;

/** What kin_value_create can be told. */
typedef struct kin_value_options {
    size_t size;         /* of this struct */
    kin_scope scope;     /* whether only the threads of this process use it */
    const void *initial; /**< points to what the value begins with, of its type; NULL: zero */
    bool is_raw;         /* it has no lock */
    kin_rlock *lock;     /* the lock it is to share with others; NULL: one of its own. Borrowed */
} kin_value_options;

/**
 * Makes a value of type `type`, a code of enum kin_item_type. NULL options: zero, with a lock of
 * its own, for the family. Free it with kin_value_free.
 *
 * Returns 0, or
 *   -EINVAL      no such type; options of an unknown size; raw and with a lock; or the lock is of
 *                one process and the value is not
 *   -ESTALE      the initial handle, or the lock, names what is gone
 *   -ENOMEM
 */
KIN_API int kin_value_create(char type, const kin_value_options *options, kin_value **ret_value);

/**
 * Opens the value that `handle` names, in this process. Free it with kin_value_free.
 *
 * Returns 0, or -ESTALE: the value is gone; -EINVAL: the handle names something else; -EACCES: it
 * is another process's own.
 */
KIN_API int kin_value_attach(kin_handle handle, kin_value **ret_value);

/** Lets go of the value; NULL is fine. The last process to let go frees it. Returns NULL. */
KIN_API kin_value *kin_value_free(kin_value *value);

/** The value's name for other processes. */
KIN_API kin_handle kin_value_handle(const kin_value *value);

/** The type it was made with. */
KIN_API char kin_value_type(const kin_value *value);

/**
 * Where the value is in this process's memory, of the C type of its code; NULL: it is a handle.
 * Valid until kin_value_free. Access is not locked: hold the lock, or use atomics.
 */
KIN_API void *kin_value_data(const kin_value *value);

/**
 * Takes the value's lock, to do several things in one step. The lock nests: the same thread may
 * take it again, as gets and sets do.
 *
 * Returns 0; KIN_OWNER_DIED (> 0): taken as well, see kin_value_mark_consistent; or
 *   -EAGAIN      held by another, and the timeout is KIN_NOW
 *   -ETIMEDOUT   held until the deadline
 *   -ECANCELED   the token fired
 *   -EDEADLK     who holds it waits for a lock of the calling thread, see kin/deadlock.h
 *   -EINVAL      the value is raw
 */
KIN_API int kin_value_acquire(kin_value *value, kin_timeout timeout);

/** Gives the lock up. Returns 0, or -EPERM: the calling thread does not hold it. */
KIN_API int kin_value_release(kin_value *value);

/** Says that all is in order again after a holder's death. To be called by the lock's holder. */
KIN_API int kin_value_mark_consistent(kin_value *value);

/** The value's lock, to share it with other values and arrays. Borrowed. NULL: it is raw. */
KIN_API kin_rlock *kin_value_lock(const kin_value *value);

/**
 * Reads a number, under the lock if there is one, waiting for it without a limit (to set one, call
 * kin_value_acquire before).
 *
 * Returns 0; KIN_OWNER_DIED (> 0): read, but a holder of the lock died; or
 *   -ERANGE      the number does not fit
 *   -EDEADLK     as kin_value_acquire
 *   -EINVAL      the value is a handle; or has a fraction (types 'f' and 'd') and an integer is
 *                asked for
 */
KIN_API int kin_value_get_int(const kin_value *value, int64_t *ret_number);
/** As kin_value_get_int, for numbers that are not negative. */
KIN_API int kin_value_get_uint(const kin_value *value, uint64_t *ret_number);
/** As kin_value_get_int, for all numbers, integers too. */
KIN_API int kin_value_get_float(const kin_value *value, double *ret_number);

/**
 * Writes a number, under the lock if there is one, waiting for it as kin_value_get_int does.
 *
 * Returns 0; KIN_OWNER_DIED (> 0): written, but a holder of the lock died; or
 *   -ERANGE      the type cannot hold the number
 *   -EDEADLK     as kin_value_acquire
 *   -EINVAL      the value is a handle; or an integer, and a double is given
 */
KIN_API int kin_value_set_int(kin_value *value, int64_t number);
/** As kin_value_set_int, for numbers beyond INT64_MAX. */
KIN_API int kin_value_set_uint(kin_value *value, uint64_t number);
/** As kin_value_set_int, for values of type 'f' and 'd'. */
KIN_API int kin_value_set_float(kin_value *value, double number);

/**
 * Adds `number` in one step, without the lock: no other call on the value comes between, though a
 * holder of the lock may be at work. Integers wrap; `number` is converted to their type as C does
 * it. `ret_old` gets what was there, of type 'Q' the same 64 bits; it may be NULL.
 *
 * Returns 0, or -EINVAL: not a value of integers.
 */
KIN_API int kin_value_add_int(kin_value *value, int64_t number, int64_t *ret_old);

/** As kin_value_add_int, for values of type 'f' and 'd'. */
KIN_API int kin_value_add_float(kin_value *value, double number, double *ret_old);

/** As kin_value_add_int, but stores `number` in place of what is there. */
KIN_API int kin_value_exchange_int(kin_value *value, int64_t number, int64_t *ret_old);

/**
 * As kin_value_exchange_int, if what is there is `expected`. Returns 0: stored; -EAGAIN: something
 * else was there, `ret_old` tells what; -EINVAL.
 */
KIN_API int kin_value_compare_exchange_int(kin_value *value, int64_t expected, int64_t number,
                                           int64_t *ret_old);

/**
 * Makes the value name an object (a zero handle: none) and keep it alive, in place of what it
 * named before. A value that names itself, or is named by what it names, is never freed.
 *
 * Returns 0; KIN_OWNER_DIED (> 0): done, but a holder of the lock died; -ESTALE: the object is
 * gone, the value is as before; -EINVAL: the value is a number.
 */
KIN_API int kin_value_set_handle(kin_value *value, kin_handle handle);

/**
 * The handle of what the value names, all zero: nothing. It is kept alive until the value names
 * something else: open it before another process may change that, holding the lock, or be
 * prepared for -ESTALE.
 */
KIN_API int kin_value_get_handle(const kin_value *value, kin_handle *ret_handle);

KIN_END

#endif
