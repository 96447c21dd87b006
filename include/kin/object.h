/**
 * Values that are made while the program runs: numbers, text, lists, dicts, sets, instances of
 * classes, whatever a Python program would call an object. They go through queues, connections,
 * processes and pools, to programs in C and in Python.
 *
 *     kin_object *person = kin_dict_create();
 *     kin_dict_set_text(person, "name", kin_object_from_text("Ada"));
 *     kin_dict_set_text(person, "born", kin_object_from_int(1815));
 *     kin_object_print(person, stdout);                    {'name': 'Ada', 'born': 1815}
 *     kin_object_free(person);
 *
 * Constructors return a new reference, or NULL: no memory. Every call takes such a NULL and says
 * -ENOMEM (or returns NULL), so a chain of calls needs one check, at its end. What puts an object
 * into another takes the reference that it is given, also when it fails. What looks into an object
 * returns borrowed references: valid while the object they come from is, and is not changed.
 *
 * Numbers, text, bytes, tuples and frozensets never change; the others do. Lists, dicts and sets
 * stand in kin/list.h, kin/dict.h and kin/set.h, classes in kin/class.h.
 *
 * Threads: references are counted atomically; any thread may read and free what no thread
 * changes. Objects that lead back to themselves belong, with all they lead to, to one thread at a
 * time; so does what somebody else has pickled, who may have made such. Fork: objects are private
 * memory; the child has its own copies.
 */
#ifndef KIN_OBJECT_H
#define KIN_OBJECT_H

#include <kin/export.h>
#include <kin/family.h>
#include <stdbool.h>
#include <stdio.h>

KIN_BEGIN

/** A value of any kind. */
typedef struct kin_object kin_object;

/** What an object is. */
typedef enum kin_kind {
    KIN_KIND_NOTHING, /**< a NULL pointer: memory ran out */
    KIN_KIND_NONE,    /**< Python's None */
    KIN_KIND_BOOL,
    KIN_KIND_INT,     /**< of any size */
    KIN_KIND_FLOAT,   /**< a double */
    KIN_KIND_COMPLEX, /**< two of them */
    KIN_KIND_STR,     /**< text in UTF-8; may hold lone surrogates, three bytes each */
    KIN_KIND_BYTES,
    KIN_KIND_BYTEARRAY, /**< bytes that can be changed */
    KIN_KIND_LIST,
    KIN_KIND_TUPLE,
    KIN_KIND_DICT, /**< in the order of insertion */
    KIN_KIND_SET,
    KIN_KIND_FROZENSET,
    KIN_KIND_GLOBAL,   /**< the name of a class or function, module and all: never looked up */
    KIN_KIND_INSTANCE, /**< of a class that is registered here: kin/class.h */
    KIN_KIND_OPAQUE,   /**< of one that is not: what made it, as data, never called */
    KIN_KIND_HANDLE,   /**< a shared object of the family; keeps it alive */
    KIN_KIND_FD,       /**< a file descriptor; goes over connections and to pool tasks */
} kin_kind;

/** What kind of object it is. */
KIN_API kin_kind kin_object_kind(const kin_object *object);

/** Its type's name as Python says it: "int", "NoneType", "collections.deque"; "" for NULL. Valid
 * as long as the object. */
KIN_API const char *kin_object_type_name(const kin_object *object);

/** Takes one more reference. Returns `object`; NULL is fine. */
KIN_API kin_object *kin_object_ref(const kin_object *object);

/** Drops a reference; the last one ends the object, and what only it led to, itself included if
 * it is a circle. NULL is fine. Returns NULL. */
KIN_API kin_object *kin_object_free(kin_object *object);

/** None. */
KIN_API kin_object *kin_object_none(void);

/** True or False. */
KIN_API kin_object *kin_object_from_bool(bool value);

/** An int. */
KIN_API kin_object *kin_object_from_int(int64_t value);

/** An int that is not negative. */
KIN_API kin_object *kin_object_from_uint(uint64_t value);

/** An int of any size: `size` bytes of two's complement, the lowest first; none is 0. */
KIN_API kin_object *kin_object_from_int_bytes(const void *data, size_t size);

/** A float. */
KIN_API kin_object *kin_object_from_float(double value);

/** A complex number. */
KIN_API kin_object *kin_object_from_complex(double real, double imaginary);

/** A str of a text that ends with NUL. NULL also if it is not UTF-8 (see kin_object_from_str). */
KIN_API kin_object *kin_object_from_text(const char *text);

/** A str of `size` bytes of UTF-8, in which surrogates may stand alone. Returns 0, -EILSEQ: not
 * UTF-8, -EINVAL or -ENOMEM. */
KIN_API int kin_object_from_str(const void *data, size_t size, kin_object **ret_object);

/** A bytes object: a copy. */
KIN_API kin_object *kin_object_from_bytes(const void *data, size_t size);

/** A bytearray: a copy. */
KIN_API kin_object *kin_object_from_bytearray(const void *data, size_t size);

/** The name of a class or function, as "collections" and "deque". */
KIN_API kin_object *kin_object_from_global(const char *module, const char *name);

/** Whether it is true as Python sees it: not 0, not empty, not None. False for NULL. */
KIN_API bool kin_object_is_true(const kin_object *object);

/** Reads an int, or a bool as 0 or 1. Returns 0, -EINVAL: something else; -EOVERFLOW: it does not
 * fit; -ENOMEM: `object` is NULL. */
KIN_API int kin_object_to_int(const kin_object *object, int64_t *ret_value);

/** The same for what is not negative; -EOVERFLOW also for what is. */
KIN_API int kin_object_to_uint(const kin_object *object, uint64_t *ret_value);

/** Reads an int of any size, two's complement, the lowest byte first, without needless bytes, into
 * `data`, which has room for `size` bytes. Returns how many it takes, if more: nothing was written;
 * 0 is the number 0. -EINVAL: not an int. */
KIN_API int64_t kin_object_to_int_bytes(const kin_object *object, void *data, size_t size);

/** Reads a float, an int or a bool. Returns 0, -EINVAL, -EOVERFLOW: larger than any double. */
KIN_API int kin_object_to_float(const kin_object *object, double *ret_value);

/** Reads any number. Returns 0, -EINVAL, -EOVERFLOW. */
KIN_API int kin_object_to_complex(const kin_object *object, double *ret_real,
                                  double *ret_imaginary);

/** The text of a str: UTF-8, ended by NUL (NULs may also stand in it: see kin_object_bytes). NULL:
 * not a str. */
KIN_API const char *kin_object_text(const kin_object *object);

/** The bytes of a str, bytes or bytearray; none of another object. A bytearray's can be changed in
 * place: kin_bytearray_data. */
KIN_API kin_bytes kin_object_bytes(const kin_object *object);

/** The bytes of a bytearray, to be changed; NULL: not one. */
KIN_API void *kin_bytearray_data(kin_object *bytearray);

/** Makes a bytearray longer, by bytes 0, or shorter. Returns 0, -EINVAL, -ENOMEM. */
KIN_API int kin_bytearray_resize(kin_object *bytearray, size_t size);

/** The module of a global; NULL: not a global. */
KIN_API const char *kin_global_module(const kin_object *global);

/** Its name in the module, with dots if it is nested; NULL: not a global. */
KIN_API const char *kin_global_name(const kin_object *global);

/** How many objects a list, tuple, range, dict or set holds; 0 for others. */
KIN_API size_t kin_object_count(const kin_object *object);

/** Object `index` of a list, tuple or range, borrowed; NULL: there is none. */
KIN_API kin_object *kin_object_at(const kin_object *object, size_t index);

/**
 * Whether two objects are equal as Python sees it: 1, 1.0 and True are; lists, dicts and sets by
 * what is in them; instances by class, arguments and state, unless the class compares itself.
 * Two graphs that lead back to themselves are equal if no path tells them apart.
 *
 * Returns 1, 0, or
 *   KIN_ELIMIT   keys are sets of sets more than 32 deep, or hooks of classes nest so
 *   -ENOMEM, or what a class's hook returned
 */
KIN_API int kin_object_equal(const kin_object *first, const kin_object *second);

/**
 * Orders two numbers, str, bytes, lists or tuples as Python's < does: `ret_order` is negative, 0
 * or positive. Returns 0, -EINVAL: Python would raise TypeError, or a NaN is among them; or the
 * codes of kin_object_equal.
 */
KIN_API int kin_object_compare(const kin_object *first, const kin_object *second, int *ret_order);

/** A number that equal objects share, within this process. Returns 0, -EINVAL: the object can
 * change, and so be no key; -ENOMEM. */
KIN_API int kin_object_hash(const kin_object *object, uint64_t *ret_hash);

/**
 * Writes what Python's repr() would say to `text`, which has room for `size` bytes with the final
 * NUL; what does not fit is cut off. Returns the bytes that all of it takes, without the NUL
 * (INT_MAX if it takes more), or -ENOMEM.
 */
KIN_API int kin_object_format(const kin_object *object, char *text, size_t size);

/** Writes the same and a newline to `stream`. Returns 0, -EIO, -ENOMEM, -EOVERFLOW: more than
 * INT_MAX bytes, of which some were written. */
KIN_API int kin_object_print(const kin_object *object, FILE *stream);

KIN_END

#endif
