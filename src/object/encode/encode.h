/**
 * The encoder: what the parts of it share.
 *
 * Objects are written depth first, without recursion: what is being written, from the object asked
 * for down to where the encoder is, stands in a stack of frames, each with a function that goes on
 * with it. Numbers, text and the like are written at once and have none.
 *
 * Memo. Only an object with more than one reference can come twice, so only such a one is looked up
 * and noted. Lists, dicts, sets and instances are noted before what is in them is written, so a
 * circle ends at them. Tuples, frozensets and what a call makes cannot be: a circle through one
 * leads to something that was changed, in which it is written once more, and noted; then the outer
 * one, when it is complete, is thrown away for the inner. Since what is in such a one may be
 * written twice, references do not tell all there: while one is open, all containers are noted. But
 * not what is called to make an instance: what the memo has may still lack its state, and would be
 * called too early.
 */
#ifndef KIN_OBJECT_ENCODE_ENCODE_H
#define KIN_OBJECT_ENCODE_ENCODE_H

#include "object/decode/opcode.h"
#include "object/encode/encoding.h"
#include "object/object.h"
#include "object/pickle.h"

/* So many items go in one APPENDS, SETITEMS or ADDITEMS, as CPython has it. */
#define BATCH_ITEMS 1000u

/* What one leaf takes at most, if kin__encode_leaf writes it, and what it may write beyond. */
#define LEAF_BYTES 300u

/* So many frames may be called ones. More are a circle of nothing else: that ends in the memo. */
#define CALLED_MAX 64u

/* Frames that need no allocation. */
#define ENCODE_FRAMES_FIRST 12u

struct encoder;
struct encode_frame;
typedef int encode_step(struct encoder *encoder, struct encode_frame *frame);

/* An object that is being written. When a step begins another frame, its own may have moved. */
struct encode_frame {
    encode_step *step;
    const kin_object *object;
    uint64_t begun;        /* of a table: keys in the batches that were begun */
    uint64_t next;         /* item, entry or part to be written next */
    uint64_t batch_end;    /* the same: where this batch ends; of a table: keys that it lacks */
    uint32_t stage;        /* of an instance: how far it is */
    uint8_t opcode;        /* that ends a batch */
    uint8_t single_opcode; /* that ends a batch of one; 0: as `opcode` */
    uint8_t unit;          /* items that belong together: 2 where a key and its value follow */
    uint8_t closing;       /* enum encode_closing */
    bool is_called;        /* it makes the instance of the frame below; and is counted */
    bool is_open;          /* it is counted in `open_count` */
    bool has_batch;        /* one is open */
    bool is_single;        /* and it is one item, without MARK */
    bool is_at_value;      /* the key was written, its value was not */
};

/* What is left to write when all items are. */
enum encode_closing { CLOSE_NOTHING, CLOSE_FROZENSET, CLOSE_CALL };

struct memo_entry {
    const void *key; /* NULL: free */
    uint64_t index;
};

struct encoder {
    struct kin__encoding *encoding;
    unsigned char *next; /* where to write */
    unsigned char *end;  /* of the memory for it */
    uint32_t protocol;
    uint32_t depth;      /* frames */
    uint32_t open_count; /* of which so many write what may come again, and cannot be noted yet */
    uint32_t called_count;
    uint32_t frame_capacity;
    uint32_t memo_count;
    uint64_t memo_capacity; /* a power of two; 0: no table yet */
    struct memo_entry *memo;
    struct encode_frame *frames; /* `first`, or allocated */
    const struct kin__encode_options *options;
    struct encode_frame first[ENCODE_FRAMES_FIRST];
};

/* A global that encoders write; its address is its key in the memo. */
struct known_global {
    const char *module;
    const char *name;
};

/* --- encode.c --- */

/* Makes room for more bytes. 0, -ENOMEM. */
int kin__encode_grow(struct encoder *encoder, size_t bytes);

/* Begins a frame; its fields are to be set by the caller. NULL: no memory. */
struct encode_frame *kin__encode_push(struct encoder *encoder, encode_step *step,
                                      const kin_object *object);

/* Writes an object, or begins a frame that will. */
int kin__encode_value(struct encoder *encoder, const kin_object *object);

/* The same for what kin__encode_leaf has left. */
int kin__encode_branch(struct encoder *encoder, const kin_object *object);

/* --- memo.c --- */

/* Whether the memo has it; then what fetches it is written. 1, 0, -ENOMEM. */
int kin__encode_get(struct encoder *encoder, const void *key);

/* Notes what was written last. */
int kin__encode_put(struct encoder *encoder, const void *key);

void kin__encode_memo_free(struct encoder *encoder);

/* --- data.c: what has bytes, of any size --- */
int kin__encode_integer(struct encoder *encoder, const struct object_integer *integer);
int kin__encode_text(struct encoder *encoder, const char *text, size_t size);
int kin__encode_data(struct encoder *encoder, const struct object_bytes *data);
int kin__encode_bytes(struct encoder *encoder, const void *data, size_t size);

/* --- items.c --- */

/* Begins to write what is in a list, as items of what was written last: `opcode` ends a batch,
 * `single_opcode`, unless it is 0, a batch of one. */
int kin__encode_items(struct encoder *encoder, const kin_object *list, enum opcode opcode,
                      unsigned single_opcode);
int kin__encode_list(struct encoder *encoder, const kin_object *list);
int kin__encode_tuple(struct encoder *encoder, const kin_object *tuple);

/* --- table.c --- */
int kin__encode_pairs(struct encoder *encoder, const kin_object *dict);
int kin__encode_dict(struct encoder *encoder, const kin_object *dict);
int kin__encode_set(struct encoder *encoder, const kin_object *set);

/* --- global.c --- */
int kin__encode_global(struct encoder *encoder, const struct object_global *global);
int kin__encode_class(struct encoder *encoder, const kin_class *class_);
int kin__encode_known(struct encoder *encoder, const struct known_global *known);

/* --- instance.c --- */
int kin__encode_instance(struct encoder *encoder, const kin_object *object);
int kin__encode_handle(struct encoder *encoder, const struct object_handle *handle);
int kin__encode_shared_memory(struct encoder *encoder, kin_handle handle);
int kin__encode_fd(struct encoder *encoder, const struct object_fd *fd);

/* --- python2.c --- */

/* Replaces the names of a global by those that it had in Python 2, if they were others. */
void kin__encode_rename(struct known_global *global);

#endif
