/**
 * The decoder of pickles: a machine with a stack of values and a memo, in memory of its own.
 *
 * The bytes may lie in memory that somebody else changes meanwhile. So each byte is fetched once,
 * into a local variable (kin__decode_u8 and so on) or into an object, and looked at there only.
 *
 * The stack has the values; a MARK is a value as well, of a form that no object has, in which
 * stands where the part of the stack below it begins. `floor` is that of the part in use: nothing
 * is taken from below it.
 *
 * References. The stack owns one to each value. The memo owns none: nothing that it may name ends
 * while decoding goes on. What is popped goes to `dropped`, which is freed at the end. Hooks of
 * registered classes and dicts that get a key again let objects go; once there can be such, what
 * is in the memo is kept in `dropped` too, once each (KIN__KEPT), and `is_keeping` says so.
 *
 * Limits are charged before what they are for: memory before it is allocated, a value before it is
 * made. `fuel` counts the opcodes until somebody looks at what is left, and at the clock: no more
 * than the stack has room for, since each pushes one value at most.
 */
#ifndef KIN_OBJECT_DECODE_DECODE_H
#define KIN_OBJECT_DECODE_DECODE_H

#include <kin/error.h>
#include <kin/pickle.h>

#include "object/decode/fetch.h"
#include "object/decode/opcode.h"
#include "object/equality/effort.h"
#include "object/object.h"
#include "object/pickle.h"
#include "object/region.h"

enum {
    DECODE_STACK_FIRST = 128, /* values */
    DECODE_STACK_ROOM = 32,   /* values for which there is room again when it grows */
    DECODE_MEMO_FIRST = 64,   /* entries */
    DECODE_FUEL = 4096,       /* opcodes between looks at the clock */
    DECODE_FUEL_IN_HURRY = 64,
    DECODE_SHAPES = 4,
    DECODE_MEMO_GAP_MAX = 1024,  /* how far a PUT may go beyond the number of entries */
    DECODE_NAME_BYTES_MAX = 4096 /* of a module, a class or function */
};

/* What the loop over the opcodes has a copy of, in registers. */
struct decode_cursor {
    const unsigned char *at;  /* the next byte */
    const unsigned char *end; /* of the frame, or of all bytes */
    kin_object **top;         /* behind the last value; there is room for `fuel` and one more */
    kin_object **floor;       /* the first value above the last MARK */
    uint32_t fuel;
};

struct decoder {
    struct decode_cursor cursor;
    const unsigned char *start;
    const unsigned char *input_end;
    const unsigned char *opcode_at; /* the opcode that is being executed */
    struct kin__arena arena;
    kin_object **stack;
    kin_object **stack_limit; /* where its memory ends */
    kin_object **memo;
    size_t memo_count; /* entries that are set */
    size_t memo_used;  /* entries that are set or NULL; known once the memo is not simple */
    size_t memo_capacity;
    size_t memo_simple_count; /* the capacity, while the set ones are the first and are not kept;
                               * else 0 */
    const struct object_table *shapes[DECODE_SHAPES]; /* the last dict of so many pairs, modulo */
    kin_object **dropped;
    size_t dropped_count;
    size_t dropped_capacity;

    uint64_t memory_left;
    uint64_t opcode_left; /* without those of `fuel`, as the next */
    uint32_t unwatched;   /* opcodes until somebody looks at the clock */
    uint64_t memo_count_max;
    uint64_t object_left; /* apart from `memory_left`: as a vector both would wait for each other */
    uint32_t depth_max;
    uint32_t integer_bits_max;
    uint32_t protocol;      /* as the pickle says */
    bool is_in_frame;       /* until `end`: nobody may begin another one there */
    bool is_depth_doubtful; /* a container was referred to again */
    bool is_keeping;
    bool is_prefix;
    bool takes_handles;
    const char *reason; /* of the failure */

    struct kin__effort effort;    /* for looking for keys, also by hooks */
    struct container *candidates; /* for circles, which hooks have let go of: free.h */

    const kin_object *buffers; /* NULL: none */
    size_t buffer_next;
    const int *fds; /* NULL: none */
    uint32_t fd_count;

    char *line; /* of a protocol 0 opcode: `line_first`, or allocated */
    size_t line_capacity;
    char line_first[128];
    kin_object *stack_first[DECODE_STACK_FIRST];
    kin_object *memo_first[DECODE_MEMO_FIRST];
};

/* --- run.c --- */

/* Executes opcodes until STOP: 1; or a code below 0, with `reason` set. */
int kin__decode_run(struct decoder *decoder);

/* Opcodes that are rare or long, by their byte; NULL: there is none. They work on
 * decoder->cursor, and return 0, a code, or, STOP, 1. opcode.c. */
typedef int decode_function(struct decoder *decoder);
extern decode_function *const kin__decode_functions[256];

/* --- limit.c: every failure goes through the first --- */

/* Notes why decoding fails. Returns `code`. */
int kin__decode_fail(struct decoder *decoder, int code, const char *reason);

/* For a code of others. -ENOMEM and KIN_ELIMIT have reasons of their own. */
int kin__decode_fail_with(struct decoder *decoder, int code, const char *reason);

/* For bytes that are missing. */
int kin__decode_fail_at_end(struct decoder *decoder);

/* KIN_ELIMIT if there is not so much memory left. */
int kin__decode_charge(struct decoder *decoder, uint64_t bytes);

/* The same for one more object of `bytes` bytes. */
int kin__decode_charge_object(struct decoder *decoder, uint64_t bytes);

/* For loops that may be long: KIN_ELIMIT if the time is over. */
int kin__decode_check_time(struct decoder *decoder);

/* Has the clock looked at soon: to be called before a hook of a class, or what takes as long. */
void kin__decode_hurry(struct decoder *decoder);

/* Checks that a container is not too deep, if that is known already. */
int kin__decode_check_depth(struct decoder *decoder, const kin_object *container);

/* Called between two opcodes: at the end of a frame or of the input, and for fuel. */
int kin__decode_refill(struct decoder *decoder);

/* --- stack.c --- */

/* -EBADMSG unless there are `count` values above the floor. */
int kin__decode_need(struct decoder *decoder, size_t count);

/* The same with a MARK: `count` values below it. Then `*ret_count` values lie at *ret_items. */
int kin__decode_need_mark(struct decoder *decoder, size_t count, kin_object ***ret_items,
                          size_t *ret_count);

/* Takes the last MARK and what is above it away, which somebody else has taken. */
void kin__decode_take_mark(struct decoder *decoder);

/* Lets a reference go, at the end if it matters. On failure it is still the caller's. */
int kin__decode_drop(struct decoder *decoder, kin_object *object);

/* Lets two go, NULLs too; takes both, also on failure. */
int kin__decode_drop_both(struct decoder *decoder, kin_object *first, kin_object *second);

/* Holds a reference until the end, if none is held yet. */
int kin__decode_keep_object(struct decoder *decoder, kin_object *object);

/* Frees all values that are still there. */
void kin__decode_clear(struct decoder *decoder);

/* --- depth.c --- */

/* Checks the depth of a whole graph. */
int kin__decode_measure(struct decoder *decoder, kin_object *object);

/* --- memo.c --- */

/* Pushes what has a number. */
int kin__decode_get_at(struct decoder *decoder, uint64_t index);

/* From now on what the memo names does not end. */
int kin__decode_keep(struct decoder *decoder);

/* --- text.c, container.c --- */

/* Pushes a str or bytes of the next `size` bytes. */
int kin__decode_text(struct decoder *decoder, size_t size);
int kin__decode_bytes(struct decoder *decoder, size_t size);

/* A set or frozenset of what a list or tuple holds; NULL: nothing. */
int kin__decode_set_of(struct decoder *decoder, kin_kind kind, const kin_object *members,
                       kin_object **ret_set);

/* Puts `count` values, which it takes, into a list, or keys and values into a dict, if that is new
 * and small. False: it is not, or there is a fault; then nothing is done. */
typedef bool decode_fill(struct decoder *decoder, kin_object *whole, kin_object *const *items,
                         size_t count);
decode_fill kin__decode_fill_list;
decode_fill kin__decode_fill_dict;

/* --- known.c, python2.c --- */

/* What a call makes, of values that are taken, also on failure. */
struct decode_call {
    kin_object *callable;
    kin_object *arguments; /* a tuple */
    kin_object *keywords;  /* a dict; NULL: none */
    uint32_t made_by;      /* enum made_by */
};

/* Replaces names that Python 2 has by those of Python 3. */
void kin__decode_rename(kin_bytes *module, kin_bytes *name);

/* Makes what a call of a known function makes: 1 and the object, 0: not known; or a code. Takes
 * nothing. */
int kin__decode_call_known(struct decoder *decoder, const struct decode_call *call,
                           kin_object **ret_object);

/* --- reading --- */

/* Steps over `size` bytes of what an opcode says. NULL: they are not there, and decoding fails. */
static inline const unsigned char *kin__decode_take(struct decoder *decoder, uint64_t size)
{
    const unsigned char *at = decoder->cursor.at;
    if ((uint64_t)(decoder->cursor.end - at) < size) {
        kin__decode_fail_at_end(decoder);
        return NULL;
    }
    decoder->cursor.at = at + size;
    return at;
}

/* Takes a line: without its newline, copied to decoder->line, where a NUL ends it. */
int kin__decode_take_line(struct decoder *decoder, size_t *ret_size);

/* --- values --- */

static inline bool kin__decode_is_mark(const kin_object *value)
{
    return ((uintptr_t)value & 3) == 3;
}

/* Puts a value onto the stack, which takes it. There is room. */
static inline int kin__decode_push(struct decoder *decoder, kin_object *value)
{
    *decoder->cursor.top++ = value;
    return 0;
}

/* References that are known not to come from objects: the stack's, `dropped`'s. */
static inline uint32_t kin__decode_own_count(const kin_object *object)
{
    return (object->flags & KIN__KEPT) != 0 ? 2 : 1;
}

#endif
