/**
 * A list of a fixed number of items of any kind that the processes of a family share.
 */
#ifndef KIN_SHARED_LIST_H
#define KIN_SHARED_LIST_H

#include <kin/export.h>
#include <kin/family.h>
#include <stdbool.h>

KIN_BEGIN

/**
 * A list whose length is fixed and whose items change, each to any kind at any time.
 *
 * Peer death: who is killed while it sets an item has set it or not; nobody sees half of it, nobody
 * has to mend anything.
 */
typedef struct kin_shared_list kin_shared_list;

/** What an item is. */
typedef enum kin_shared_kind {
    KIN_SHARED_NONE,
    KIN_SHARED_BOOL,   /**< `boolean` */
    KIN_SHARED_INT,    /**< `integer` */
    KIN_SHARED_FLOAT,  /**< `number` */
    KIN_SHARED_STRING, /**< `bytes`, UTF-8 by custom, not checked */
    KIN_SHARED_BYTES   /**< `bytes` */
} kin_shared_kind;

/** An item, for putting in and taking out; all zero is none. */
typedef struct kin_shared_item {
    kin_shared_kind kind;
    bool boolean;
    int64_t integer;
    double number;
    kin_bytes bytes; /**< borrowed */
    size_t capacity; /**< for kin_shared_list_create: the most bytes that the place will have to
                          take; 0, or less than the item has now: as many as it has now */
} kin_shared_item;

/** What kin_shared_list_create can be told. */
typedef struct kin_shared_list_options {
    size_t size;     /**< of this struct */
    kin_scope scope; /**< whether only the threads of this process use it */
} kin_shared_list_options;

/**
 * Makes a list of `length` items (0 is fine), copied from `items`; NULL: all none, without room
 * for strings and bytes. `options` may be NULL. Free it with kin_shared_list_free.
 *
 * Returns 0, or -EINVAL: an item of no such kind, an option out of its range; -ENOMEM.
 */
KIN_API int kin_shared_list_create(const kin_shared_item *items, uint64_t length,
                                   const kin_shared_list_options *options,
                                   kin_shared_list **ret_list);

/**
 * Opens the list that `handle` names, in this process. Free it with kin_shared_list_free.
 *
 * Returns 0, or -ESTALE: the list is gone; -EINVAL: the handle names something else; -EACCES: it
 * is another process's own.
 */
KIN_API int kin_shared_list_attach(kin_handle handle, kin_shared_list **ret_list);

/** Lets go of the list; NULL is fine. The last process to let go frees it. Returns NULL. */
KIN_API kin_shared_list *kin_shared_list_free(kin_shared_list *list);

/** The list's name for other processes. */
KIN_API kin_handle kin_shared_list_handle(const kin_shared_list *list);

/** How many items it has. */
KIN_API uint64_t kin_shared_list_length(const kin_shared_list *list);

/** How many bytes a string or bytes at this place can have; 0 also if there is no such place. */
KIN_API size_t kin_shared_list_capacity(const kin_shared_list *list, uint64_t index);

/**
 * Sets an item, in one step for all others and for who is killed in it.
 *
 * Returns 0, or
 *   -ERANGE      there is no item `index`
 *   -EMSGSIZE    more bytes than the place can have
 *   -EINVAL      no such kind
 */
KIN_API int kin_shared_list_set(kin_shared_list *list, uint64_t index, const kin_shared_item *item);

/** Sets an item to none; codes as kin_shared_list_set, like those of all below. */
KIN_API int kin_shared_list_set_none(kin_shared_list *list, uint64_t index);
/** Sets an item to a truth value. */
KIN_API int kin_shared_list_set_bool(kin_shared_list *list, uint64_t index, bool boolean);
/** Sets an item to an integer. */
KIN_API int kin_shared_list_set_int(kin_shared_list *list, uint64_t index, int64_t integer);
/** Sets an item to a floating-point number. */
KIN_API int kin_shared_list_set_float(kin_shared_list *list, uint64_t index, double number);
/** Sets an item to a string that ends with a NUL, which is not counted. */
KIN_API int kin_shared_list_set_string(kin_shared_list *list, uint64_t index, const char *string);
/** Sets an item to bytes; none is lost, zeros at the end neither. */
KIN_API int kin_shared_list_set_bytes(kin_shared_list *list, uint64_t index, const void *data,
                                      size_t size);

/**
 * Reads an item. A string or bytes are copied to `room`, of `room_bytes` bytes, and
 * `ret_item->bytes` is what lies there; behind a string stands a NUL. For other kinds `room` may be
 * NULL.
 *
 * Returns 0, or
 *   -ERANGE      there is no item `index`
 *   -EMSGSIZE    `room` is too small, a string's NUL included; `ret_item` has kind and size
 */
KIN_API int kin_shared_list_get(const kin_shared_list *list, uint64_t index, void *room,
                                size_t room_bytes, kin_shared_item *ret_item);

/** What kind an item is of. 0, or -ERANGE. */
KIN_API int kin_shared_list_get_kind(const kin_shared_list *list, uint64_t index,
                                     kin_shared_kind *ret_kind);
/** Reads a truth value. 0; -ERANGE; -EINVAL: the item is of another kind. */
KIN_API int kin_shared_list_get_bool(const kin_shared_list *list, uint64_t index,
                                     bool *ret_boolean);
/** Reads an integer. 0; -ERANGE; -EINVAL: the item is of another kind. */
KIN_API int kin_shared_list_get_int(const kin_shared_list *list, uint64_t index,
                                    int64_t *ret_integer);
/** Reads a floating-point number. 0; -ERANGE; -EINVAL: the item is of another kind. */
KIN_API int kin_shared_list_get_float(const kin_shared_list *list, uint64_t index,
                                      double *ret_number);
/** Reads a string and its NUL to `text`. 0; -ERANGE; -EMSGSIZE; -EINVAL: another kind. */
KIN_API int kin_shared_list_get_string(const kin_shared_list *list, uint64_t index, char *text,
                                       size_t text_bytes);
/** Reads bytes to `room`; `ret_bytes` is what lies there. 0; -ERANGE; -EMSGSIZE; -EINVAL: another
 * kind. */
KIN_API int kin_shared_list_get_bytes(const kin_shared_list *list, uint64_t index, void *room,
                                      size_t room_bytes, kin_bytes *ret_bytes);

/**
 * The first item, from the first on, that is of the same kind as `item` and has the same value.
 * 0, or -ENOENT: there is none; -EINVAL.
 */
KIN_API int kin_shared_list_index(const kin_shared_list *list, const kin_shared_item *item,
                                  uint64_t *ret_index);

/** How many items are of the same kind as `item` and have the same value. */
KIN_API uint64_t kin_shared_list_count(const kin_shared_list *list, const kin_shared_item *item);

KIN_END

#endif
