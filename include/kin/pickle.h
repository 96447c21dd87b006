/**
 * Objects as bytes, in the format of Python's pickle: what CPython writes is read here and what is
 * written here CPython reads. Nothing is ever executed: a class or function that is not registered
 * here (kin/class.h) is kept as data and written back as it was.
 *
 * Written is protocol 4, which every Python from 3.4 reads, or one from 2 to 5 on request; read are
 * 0 to 5. Bytes from anywhere may be read: whatever they are, decoding ends within the limits, with
 * an object or with an error that says where and why.
 */
#ifndef KIN_PICKLE_H
#define KIN_PICKLE_H

#include <kin/object.h>

KIN_BEGIN

/** How an object becomes bytes. */
typedef struct kin_pickle_encode_options {
    size_t size;       /* of this struct */
    uint32_t protocol; /* 2 to 5; default: 4 */

    /* With protocol 5: bytes and bytearrays of at least so many bytes are left out, and appended to
     * the list `buffers` in the order in which Python's buffer_callback would get them. 0: none. */
    uint64_t buffer_bytes_min;
    kin_object *buffers;
} kin_pickle_encode_options;

/** What decoding may use; 0: the default. What would go beyond is refused before it is used. */
typedef struct kin_pickle_limits {
    size_t size;               /* of this struct */
    uint64_t input_bytes_max;  /* 1 GiB */
    uint64_t memory_bytes_max; /* of all objects; default: 256 MiB + 8 times the input */
    uint64_t object_count_max; /* 10 million; each reference to what was there already counts too */
    uint64_t opcode_count_max; /* 50 million */
    uint64_t memo_count_max;   /* 10 million */
    uint32_t depth_max;        /* of objects in objects: 1000 */
    uint32_t integer_bits_max; /* of one int: 1 million */
    uint32_t time_ms_max;      /* 10 000 */
} kin_pickle_limits;

/** How bytes become an object. */
typedef struct kin_pickle_decode_options {
    size_t size; /* of this struct */
    kin_pickle_limits limits;
    const kin_object *buffers; /* a list or tuple: what was left out, in order */
    bool is_prefix;            /* bytes behind the pickle are no error: see ret_size */
} kin_pickle_decode_options;

/** Where and why decoding failed. */
typedef struct kin_pickle_fault {
    uint64_t offset;    /* of the opcode, in bytes from the start */
    const char *opcode; /* its name, as pickletools says it; "" if the byte is none */
    const char *reason; /* in a few words; lives for ever, as `opcode` */
    int code;           /* what kin_pickle_decode returned */
} kin_pickle_fault;

/**
 * Makes bytes of an object: a new bytes object. NULL options: the defaults.
 *
 * Returns 0, or
 *   -ENOMEM      also: `object` is NULL
 *   -EINVAL      an option is out of range
 *   -EOPNOTSUPP  an fd or a handle is in it, or what the protocol cannot express
 *   what a class's getstate returned
 */
KIN_API int kin_pickle_encode(const kin_object *object, const kin_pickle_encode_options *options,
                              kin_object **ret_bytes);

/**
 * Makes an object of bytes. NULL options: the defaults. `ret_fault`, which may be NULL, is written
 * on failure only; `ret_size`, which may be NULL, gets the bytes that the pickle takes.
 *
 * Returns 0, or
 *   -EBADMSG     not a pickle, or a broken one
 *   KIN_ELIMIT   it would go beyond a limit
 *   -EOPNOTSUPP  a persistent id or an extension code: what it means is known to its writer only
 *   -ENOMEM, -EINVAL: an option; what a class's hook returned
 */
KIN_API int kin_pickle_decode(const void *data, size_t size,
                              const kin_pickle_decode_options *options, kin_object **ret_object,
                              size_t *ret_size, kin_pickle_fault *ret_fault);

/**
 * Writes what stands in a pickle to `stream`, an opcode a line, as `python3 -m pickletools` does;
 * of long arguments the beginning. Nothing is made and no limit is needed: bytes of any kind may
 * be shown. `ret_size` and `ret_fault` as in kin_pickle_decode, and NULL if not wanted.
 *
 * Returns 0, -EBADMSG: not a pickle, or a broken one, of which the lines up to there were written;
 * -EIO, -ENOMEM, -EINVAL.
 */
KIN_API int kin_pickle_disassemble(const void *data, size_t size, FILE *stream, size_t *ret_size,
                                   kin_pickle_fault *ret_fault);

KIN_END

#endif
