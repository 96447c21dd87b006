/*
 * What is in a pickle, an opcode a line, as Python's pickletools shows it. Nothing is made but the
 * arguments that are shown, one at a time; of long ones the beginning.
 *
 * Of the stack only so much is known as a line shows: how many values there are above each MARK.
 */
#include <kin/error.h>
#include <kin/pickle.h>
#include <stdlib.h>
#include <string.h>

#include "base/allocate.h"
#include "base/buffer.h"
#include "object/decode/escape.h"
#include "object/decode/opcode.h"
#include "object/disassemble/shape.h"
#include "object/object.h"

enum {
    SHOWN_BYTES_MAX = 4096, /* of an argument */
    MARKS_MAX = 1 << 20,
    INDENT = 4
};

struct mark {
    uint64_t offset;
    uint64_t below; /* values below it, above the one before */
};

struct disassembly {
    const unsigned char *start;
    const unsigned char *at;
    const unsigned char *end;
    FILE *stream;
    struct mark *marks;
    size_t mark_count;
    size_t mark_capacity;
    uint64_t value_count; /* above the last MARK */
    uint64_t memo_count;
    unsigned protocol; /* the highest of all opcodes */
    const char *reason;
    struct kin__buffer shown; /* the argument */
};

static int fail(struct disassembly *disassembly, int code, const char *reason)
{
    disassembly->reason = reason;
    return code;
}

static const unsigned char *take(struct disassembly *disassembly, uint64_t size)
{
    const unsigned char *at = disassembly->at;
    if ((uint64_t)(disassembly->end - at) < size) {
        disassembly->reason = "the bytes end too early";
        return NULL;
    }
    disassembly->at += size;
    return at;
}

static uint64_t number_at(const unsigned char *at, unsigned width)
{
    uint64_t value = 0;
    for (unsigned i = width; i-- > 0;) {
        value = value << 8 | at[i];
    }
    return value;
}

/* Shows an object, which is taken; NULL is -ENOMEM. */
static int show(struct disassembly *disassembly, kin_object *object)
{
    struct kin__buffer *shown = &disassembly->shown;
    int size = object == NULL ? -ENOMEM : kin_object_format(object, NULL, 0);
    int r = size < 0 ? size : kin__buffer_reserve(shown, (size_t)size + 1);
    if (r == 0) {
        size = kin_object_format(object, (char *)shown->data + shown->size, (size_t)size + 1);
        r = size < 0 ? size : 0;
        shown->size += size < 0 ? 0 : (size_t)size;
    }
    kin_object_free(object);
    return r;
}

static int show_words(struct disassembly *disassembly, const char *words)
{
    return kin__buffer_append(&disassembly->shown, words, strlen(words));
}

/* Latin-1 as a str. */
static int show_latin(struct disassembly *disassembly, const unsigned char *at, size_t size)
{
    char text[2 * SHOWN_BYTES_MAX];
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        if (at[i] < 0x80) {
            text[used++] = (char)at[i];
        } else {
            text[used++] = (char)(0xc0 | at[i] >> 6);
            text[used++] = (char)(0x80 | (at[i] & 0x3f));
        }
    }
    kin_object *object = NULL;
    int r = kin_object_from_str(text, used, &object);
    return r < 0 ? r : show(disassembly, object);
}

/* A str; what is cut off may leave half a character, which is left away. */
static int show_text(struct disassembly *disassembly, const unsigned char *at, size_t size,
                     bool is_cut)
{
    kin_object *object = NULL;
    int r = kin_object_from_str(at, size, &object);
    for (size_t cut = 1; r == -EILSEQ && is_cut && cut < 4; cut++) {
        r = kin_object_from_str(at, size - cut, &object);
    }
    if (r == -EILSEQ) {
        return fail(disassembly, -EBADMSG, "text is not UTF-8");
    }
    return r < 0 ? r : show(disassembly, object);
}

static int show_sized(struct disassembly *disassembly, const struct shape *shape)
{
    const unsigned char *at = take(disassembly, shape->width);
    uint64_t size = at == NULL ? 0 : number_at(at, shape->width);
    at = at == NULL ? NULL : take(disassembly, size);
    if (at == NULL) {
        return -EBADMSG;
    }
    bool is_cut = size > SHOWN_BYTES_MAX;
    size_t shown = is_cut ? SHOWN_BYTES_MAX : (size_t)size;
    int r = 0;
    if (shape->argument == ARGUMENT_LONG) {
        r = is_cut ? show_words(disassembly, "an int")
                   : show(disassembly, kin_object_from_int_bytes(at, shown));
    } else if (shape->argument == ARGUMENT_TEXT) {
        r = show_text(disassembly, at, shown, is_cut);
    } else if (shape->argument == ARGUMENT_LATIN) {
        r = show_latin(disassembly, at, shown);
    } else {
        r = show(disassembly, shape->argument == ARGUMENT_BYTES
                                  ? kin_object_from_bytes(at, shown)
                                  : kin_object_from_bytearray(at, shown));
    }
    if (r == 0 && is_cut) {
        char words[48];
        snprintf(words, sizeof words, " ... of %llu bytes", (unsigned long long)size);
        r = show_words(disassembly, words);
    }
    return r;
}

static int show_number(struct disassembly *disassembly, const struct shape *shape)
{
    const unsigned char *at = take(disassembly, shape->width);
    if (at == NULL) {
        return -EBADMSG;
    }
    uint64_t bits = number_at(at, shape->width);
    if (shape->argument == ARGUMENT_UINT) {
        return show(disassembly, kin_object_from_uint(bits));
    }
    if (shape->argument == ARGUMENT_INT) {
        return show(disassembly, kin_object_from_int((int32_t)(uint32_t)bits));
    }
    double value;
    bits = __builtin_bswap64(bits); /* as a number the highest byte was first */
    memcpy(&value, &bits, sizeof value);
    return show(disassembly, kin_object_from_float(value));
}

/* A line without its newline. NULL: there is none. */
static const unsigned char *take_line(struct disassembly *disassembly, size_t *ret_size)
{
    size_t left = (size_t)(disassembly->end - disassembly->at);
    const unsigned char *end = left == 0 ? NULL : memchr(disassembly->at, '\n', left);
    if (end == NULL) {
        disassembly->reason = "a line does not end";
        return NULL;
    }
    size_t size = (size_t)(end - disassembly->at);
    *ret_size = size < SHOWN_BYTES_MAX ? size : SHOWN_BYTES_MAX - 1;
    return take(disassembly, size + 1);
}

/* A line of text with escapes, in quotes or raw. */
static int show_escaped(struct disassembly *disassembly, const char *line, size_t size,
                        enum argument argument)
{
    bool is_cut = size >= SHOWN_BYTES_MAX - 1; /* in the middle of an escape, as it may be */
    const char *end = line + size;
    char text[2 * SHOWN_BYTES_MAX];
    char *write = text;
    bool is_sound;
    if (argument == ARGUMENT_QUOTED_LINE) {
        bool is_quoted = size >= 2 && (line[0] == '\'' || line[0] == '"');
        end -= is_quoted && end[-1] == line[0] ? 1 : 0;
        is_sound = kin__escape_undo(line + is_quoted, end, &write);
    } else {
        is_sound = kin__escape_undo_raw(line, end, &write);
    }
    if (!is_sound && !is_cut) {
        return fail(disassembly, -EBADMSG, "a wrong escape in a str");
    }
    size_t used = (size_t)(write - text);
    return argument == ARGUMENT_QUOTED_LINE
               ? show_latin(disassembly, (const unsigned char *)text, used)
               : show_text(disassembly, (const unsigned char *)text, used, false);
}

static int show_line(struct disassembly *disassembly, const struct shape *shape)
{
    char line[2 * SHOWN_BYTES_MAX];
    size_t size = 0;
    size_t second_size = 0;
    const unsigned char *at = take_line(disassembly, &size);
    if (at == NULL) {
        return -EBADMSG;
    }
    memcpy(line, at, size);
    line[size] = '\0';
    if (shape->argument == ARGUMENT_LINES) {
        at = take_line(disassembly, &second_size);
        if (at == NULL) {
            return -EBADMSG;
        }
        line[size] = ' ';
        memcpy(line + size + 1, at, second_size);
        return show_text(disassembly, (const unsigned char *)line, size + 1 + second_size, true);
    }
    if (shape->argument == ARGUMENT_INT_LINE) {
        size -= size > 0 && line[size - 1] == 'L' ? 1 : 0;
        line[size] = '\0';
        bool is_bool = size == 2 && line[0] == '0' && (line[1] == '0' || line[1] == '1');
        return show_words(disassembly, !is_bool ? line : line[1] == '1' ? "True" : "False");
    }
    if (shape->argument == ARGUMENT_FLOAT_LINE) {
        return show(disassembly, kin_object_from_float(strtod(line, NULL)));
    }
    if (shape->argument == ARGUMENT_LINE) {
        return show_latin(disassembly, (const unsigned char *)line, size);
    }
    return show_escaped(disassembly, line, size, shape->argument);
}

static int show_argument(struct disassembly *disassembly, const struct shape *shape)
{
    disassembly->shown.size = 0;
    switch (shape->argument) {
    case ARGUMENT_NONE:
        return 0;
    case ARGUMENT_UINT:
    case ARGUMENT_INT:
    case ARGUMENT_FLOAT:
        return show_number(disassembly, shape);
    case ARGUMENT_LONG:
    case ARGUMENT_TEXT:
    case ARGUMENT_LATIN:
    case ARGUMENT_BYTES:
    case ARGUMENT_BYTEARRAY:
        return show_sized(disassembly, shape);
    default:
        return show_line(disassembly, shape);
    }
}

static int push_mark(struct disassembly *disassembly, uint64_t offset)
{
    if (disassembly->mark_count == MARKS_MAX) {
        return fail(disassembly, KIN_ELIMIT, "more MARKs than the limit");
    }
    if (disassembly->mark_count == disassembly->mark_capacity) {
        size_t capacity = disassembly->mark_capacity == 0 ? 64 : 2 * disassembly->mark_capacity;
        void *marks = kin__reallocate(disassembly->marks, capacity * sizeof *disassembly->marks);
        if (marks == NULL) {
            return fail(disassembly, -ENOMEM, "no memory");
        }
        disassembly->marks = marks;
        disassembly->mark_capacity = capacity;
    }
    disassembly->marks[disassembly->mark_count++] = (struct mark){
        .offset = offset, .below = disassembly->value_count};
    disassembly->value_count = 0;
    return 0;
}

/* What an opcode does to the stack; `message` gets what is shown of it. */
static int step(struct disassembly *disassembly, unsigned char opcode, uint64_t offset,
                char message[48])
{
    const struct shape *shape = &kin__opcode_shapes[opcode];
    bool pops_mark = opcode == OPCODE_POP && disassembly->value_count == 0;
    uint64_t pops = pops_mark ? 0 : shape->pops;
    message[0] = '\0';
    if (opcode == OPCODE_MARK) {
        return push_mark(disassembly, offset);
    }
    if (shape->takes_mark || pops_mark) {
        if (disassembly->mark_count == 0) {
            return fail(disassembly, -EBADMSG,
                        pops_mark ? "a value is missing" : "a MARK is missing");
        }
        struct mark mark = disassembly->marks[--disassembly->mark_count];
        snprintf(message, 48, "(MARK at %llu)", (unsigned long long)mark.offset);
        disassembly->value_count = mark.below;
    }
    if (opcode == OPCODE_MEMOIZE) {
        snprintf(message, 48, "(as %llu)", (unsigned long long)disassembly->memo_count);
    }
    if (opcode == OPCODE_MEMOIZE || opcode == OPCODE_PUT || opcode == OPCODE_BINPUT ||
        opcode == OPCODE_LONG_BINPUT) {
        disassembly->memo_count++;
    }
    if (disassembly->value_count < pops) {
        return fail(disassembly, -EBADMSG, "a value is missing");
    }
    disassembly->value_count += shape->pushes - pops;
    return 0;
}

/* Writes the line of an opcode. */
static int write_line(const struct disassembly *disassembly, unsigned char opcode, uint64_t offset,
                      int depth, const char *message)
{
    const char *name = kin__opcode_name(opcode);
    char code[8];
    snprintf(code, sizeof code, opcode < 0x80 ? "%c" : "\\x%02x", opcode);
    char line[128];
    int indent = depth * INDENT;
    int size = snprintf(line, sizeof line, "%5llu: %-4s ", (unsigned long long)offset, code);
    bool is_written = fwrite(line, 1, (size_t)size, disassembly->stream) == (size_t)size;
    for (int i = 0; i < indent; i++) {
        is_written = is_written && fputc(' ', disassembly->stream) != EOF;
    }
    bool has_more = disassembly->shown.size != 0 || message[0] != '\0';
    size = snprintf(line, sizeof line, has_more ? "%-10s" : "%s", name);
    is_written = is_written && fwrite(line, 1, (size_t)size, disassembly->stream) == (size_t)size;
    if (disassembly->shown.size != 0) {
        is_written = is_written && fputc(' ', disassembly->stream) != EOF &&
                     fwrite(disassembly->shown.data, 1, disassembly->shown.size,
                            disassembly->stream) == disassembly->shown.size;
    }
    size = snprintf(line, sizeof line, "%s%s\n", message[0] == '\0' ? "" : " ", message);
    is_written = is_written && fwrite(line, 1, (size_t)size, disassembly->stream) == (size_t)size;
    return is_written ? 0 : -EIO;
}

/* One opcode: 1 after STOP, 0, or a code. */
static int disassemble_one(struct disassembly *disassembly)
{
    uint64_t offset = (uint64_t)(disassembly->at - disassembly->start);
    const unsigned char *at = take(disassembly, 1);
    if (at == NULL) {
        return -EBADMSG;
    }
    unsigned char opcode = *at;
    const struct shape *shape = &kin__opcode_shapes[opcode];
    if (kin__opcode_name(opcode)[0] == '\0') {
        return fail(disassembly, -EBADMSG, "not an opcode");
    }
    if (shape->protocol > disassembly->protocol) {
        disassembly->protocol = shape->protocol;
    }
    char message[48];
    int depth = disassembly->mark_count > 16 ? 16 : (int)disassembly->mark_count;
    int r = show_argument(disassembly, shape);
    r = r < 0 ? r : step(disassembly, opcode, offset, message);
    r = r < 0 ? r : write_line(disassembly, opcode, offset, depth, message);
    return r < 0 ? r : opcode == OPCODE_STOP;
}

int kin_pickle_disassemble(const void *data, size_t size, FILE *stream, size_t *ret_size,
                           kin_pickle_fault *ret_fault)
{
    if (stream == NULL || (data == NULL && size != 0)) {
        return -EINVAL;
    }
    struct disassembly disassembly = {.start = data, .at = data, .stream = stream};
    disassembly.end = disassembly.at + size;
    const unsigned char *opcode_at = data;
    int r = 0;
    while (r == 0) {
        opcode_at = disassembly.at;
        r = disassemble_one(&disassembly);
    }
    if (r > 0) {
        char line[64];
        int line_size = snprintf(line, sizeof line, "highest protocol among opcodes = %u\n",
                                 disassembly.protocol);
        r = fwrite(line, 1, (size_t)line_size, stream) == (size_t)line_size ? 0 : -EIO;
    }
    if (r == 0 && ret_size != NULL) {
        *ret_size = (size_t)(disassembly.at - disassembly.start);
    }
    if (r < 0 && ret_fault != NULL) {
        bool is_there = opcode_at < disassembly.end;
        *ret_fault = (kin_pickle_fault){.offset = (uint64_t)(opcode_at - disassembly.start),
                                        .opcode = is_there ? kin__opcode_name(*opcode_at) : "",
                                        .reason = disassembly.reason == NULL ? kin_code_text(r)
                                                                             : disassembly.reason,
                                        .code = r};
    }
    kin__release(disassembly.marks);
    kin__buffer_deinit(&disassembly.shown);
    return r;
}
