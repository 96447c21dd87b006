/*
 * Error trees as bytes.
 *
 * A magic number, then one record an error, each behind those of its cause and its children:
 *
 *     u32 code, u32 line, u32 child count, u8 flags, message, file, function, [backtrace]
 *
 * with a text as u32 bytes, the bytes, the last one of them a NUL. Reading is then a stack
 * machine: a record takes its children, and below them its cause, from the top of the stack
 * and puts itself there. The flag of the last record says that it is the root; it has to be
 * the only one left. Neither side recurses, so no depth is too deep, and the size of the bytes
 * bounds the work.
 *
 * An error with several parents is written, and comes back, once for each of them.
 */
#include "base/error_codec.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/reader.h"

static const uint32_t codec_magic = UINT32_C(0x3165696b); /* "kie1" */

enum { FLAG_CAUSE = 1, FLAG_BACKTRACE = 2, FLAG_ROOT = 4, FLAGS_ALL = 7 };

/* ---- writing ---- */

/* An error under way: `step` 0 is its cause, 1 ... its children; then comes its record. */
struct visit {
    const kin_error *error;
    size_t step;
};

static int encode_text(struct kin__buffer *buffer, const char *text)
{
    size_t bytes = strlen(text) + 1;
    if (bytes > KIN_ERROR_BYTES_MAX) {
        return -EMSGSIZE;
    }
    int result = kin__buffer_append_u32(buffer, (uint32_t)bytes);
    return result < 0 ? result : kin__buffer_append(buffer, text, bytes);
}

static int encode_numbers(struct kin__buffer *buffer, const kin_error *error, bool is_root)
{
    unsigned flags = (kin_error_cause(error) != NULL ? FLAG_CAUSE : 0U) |
                     (kin_error_backtrace(error) != NULL ? FLAG_BACKTRACE : 0U) |
                     (is_root ? FLAG_ROOT : 0U);
    /* The count fits: its children have been written, in KIN_ERROR_BYTES_MAX bytes. */
    const uint32_t numbers[] = {(uint32_t)kin_error_code(error), (uint32_t)kin_error_line(error),
                                (uint32_t)kin_error_child_count(error)};
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        result = kin__buffer_append_u32(buffer, numbers[i]);
    }
    return result < 0 ? result : kin__buffer_append_u8(buffer, (uint8_t)flags);
}

static int encode_record(struct kin__buffer *buffer, const kin_error *error, bool is_root)
{
    const char *const texts[] = {kin_error_message(error), kin_error_file(error),
                                 kin_error_function(error), kin_error_backtrace(error)};
    int result = encode_numbers(buffer, error, is_root);
    for (size_t i = 0; result == 0 && i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i] != NULL) {
            result = encode_text(buffer, texts[i]);
        }
    }
    return result;
}

static int visit_begin(struct kin__buffer *visits, const kin_error *error)
{
    struct visit visit = {.error = error};
    return kin__buffer_append(visits, &visit, sizeof(visit));
}

/* Goes one step in the error on top of the stack: down to its cause or a child, or up. */
static int encode_step(struct kin__buffer *buffer, struct kin__buffer *visits)
{
    struct visit *top = (struct visit *)(void *)(visits->data + visits->size) - 1;
    const kin_error *error = top->error;
    size_t step = top->step++;
    if (step == 0) {
        const kin_error *cause = kin_error_cause(error);
        return cause != NULL ? visit_begin(visits, cause) : 0;
    }
    if (step <= kin_error_child_count(error)) {
        return visit_begin(visits, kin_error_child(error, step - 1));
    }
    visits->size -= sizeof(struct visit);
    return encode_record(buffer, error, visits->size == 0);
}

int kin__error_encode(const kin_error *error, struct kin__buffer *buffer)
{
    size_t start = buffer->size;
    struct kin__buffer visits;
    kin__buffer_init(&visits);
    int result = kin__buffer_append_u32(buffer, codec_magic);
    if (result == 0) {
        result = visit_begin(&visits, error);
    }
    while (result == 0 && visits.size > 0) {
        result = encode_step(buffer, &visits);
        if (result == 0 && buffer->size - start > KIN_ERROR_BYTES_MAX) {
            result = -EMSGSIZE;
        }
    }
    kin__buffer_deinit(&visits);
    if (result < 0) {
        buffer->size = start;
    }
    return result;
}

/* ---- reading ---- */

struct record {
    uint32_t code;
    uint32_t line;
    uint32_t child_count;
    uint8_t flags;
    const char *message;
    const char *file;
    const char *function;
    const char *backtrace;
};

/* NULL: not a text; that there are NULs inside it is as bad as that there is none at its end. */
static const char *decode_text(struct kin__reader *reader)
{
    uint32_t bytes = kin__reader_take_u32(reader);
    const unsigned char *text = kin__reader_take_bytes(reader, bytes);
    if (text == NULL || bytes == 0 || memchr(text, '\0', bytes) != text + bytes - 1) {
        return NULL;
    }
    return (const char *)text;
}

static int decode_record(struct kin__reader *reader, struct record *ret_record)
{
    struct record record = {0};
    record.code = kin__reader_take_u32(reader);
    record.line = kin__reader_take_u32(reader);
    record.child_count = kin__reader_take_u32(reader);
    record.flags = kin__reader_take_u8(reader);
    record.message = decode_text(reader);
    record.file = decode_text(reader);
    record.function = decode_text(reader);
    if ((record.flags & FLAG_BACKTRACE) != 0) {
        record.backtrace = decode_text(reader);
    }
    if (reader->error != 0 || record.code <= INT32_MAX || record.line > INT32_MAX ||
        (record.flags & ~FLAGS_ALL) != 0 || record.message == NULL || record.file == NULL ||
        record.function == NULL ||
        (record.backtrace == NULL) != ((record.flags & FLAG_BACKTRACE) == 0)) {
        return -EBADMSG;
    }
    *ret_record = record;
    return 0;
}

/*
 * Reads one record, and puts its error in the place of its parts on the stack. Returns 1 if
 * it was the root, 0 if more has to come.
 */
static int decode_error(struct kin__reader *reader, struct kin__buffer *stack)
{
    struct record record;
    int result = decode_record(reader, &record);
    if (result < 0) {
        return result;
    }
    uint64_t part_count = record.child_count + (uint64_t)(record.flags & FLAG_CAUSE);
    if (part_count > stack->size / sizeof(kin_error *)) {
        return -EBADMSG;
    }
    /* Room for the error comes first: once it is made, the parts are its own. */
    result = kin__buffer_reserve(stack, sizeof(kin_error *));
    if (result < 0) {
        return result;
    }
    kin_error **parts = (kin_error **)(void *)(stack->data + stack->size) - part_count;
    kin_error_options options = {
        .size = sizeof(options),
        .child_count = record.child_count,
        .backtrace = record.backtrace,
    };
    options.cause = (record.flags & FLAG_CAUSE) != 0 ? *parts : NULL;
    options.children = parts + (part_count - record.child_count);
    kin_error *error = kin_error_create_at(record.file, (int)record.line, record.function, &options,
                                           (int)record.code, "%s", record.message);
    if (error == NULL) {
        return -ENOMEM;
    }
    stack->size -= part_count * sizeof(kin_error *);
    result = kin__buffer_append(stack, &error, sizeof(error));
    return result < 0 ? result : (record.flags & FLAG_ROOT) != 0;
}

static int decode_tree(struct kin__reader *reader, struct kin__buffer *stack)
{
    if (kin__reader_take_u32(reader) != codec_magic) {
        return -EBADMSG;
    }
    int result;
    do {
        result = decode_error(reader, stack);
    } while (result == 0);
    if (result > 0 && stack->size != sizeof(kin_error *)) {
        result = -EBADMSG;
    }
    return result < 0 ? result : kin__reader_finish(reader);
}

int kin__error_decode(const void *bytes, size_t size, kin_error **ret_error)
{
    if (size > KIN_ERROR_BYTES_MAX) {
        return -EBADMSG;
    }
    struct kin__reader reader;
    kin__reader_init(&reader, bytes, size);
    struct kin__buffer stack;
    kin__buffer_init(&stack);
    int result = decode_tree(&reader, &stack);
    kin_error **errors = (kin_error **)(void *)stack.data;
    if (result == 0) {
        *ret_error = errors[0];
    }
    for (size_t i = 0; result < 0 && i < stack.size / sizeof(kin_error *); i++) {
        kin_error_free(errors[i]);
    }
    kin__buffer_deinit(&stack);
    return result;
}
