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
#include "object/decode/opcode.h"
#include "object/object.h"

enum {
    SHOWN_BYTES_MAX = 4096, /* of an argument */
    MARKS_MAX = 1 << 20,
    INDENT = 4
};

enum argument {
    ARGUMENT_NONE,
    ARGUMENT_UINT,       /* of `width` bytes */
    ARGUMENT_INT,        /* 4 bytes, signed */
    ARGUMENT_FLOAT,      /* 8 bytes, the highest first */
    ARGUMENT_LONG,       /* a size of `width` bytes, and so many bytes of two's complement */
    ARGUMENT_TEXT,       /* a size and UTF-8 */
    ARGUMENT_LATIN,      /* a size and Latin-1 */
    ARGUMENT_BYTES,      /* a size and bytes */
    ARGUMENT_BYTEARRAY,  /* the same */
    ARGUMENT_INT_LINE,   /* decimal digits; 00 and 01 are bools */
    ARGUMENT_FLOAT_LINE, /* what strtod reads */
    ARGUMENT_QUOTED_LINE,
    ARGUMENT_TEXT_LINE, /* Latin-1 with \u1234 and \U12345678 */
    ARGUMENT_LINE,
    ARGUMENT_LINES /* two */
};

/* What is to be known of an opcode. */
struct shape {
    unsigned char protocol; /* the first that has it */
    unsigned char argument;
    unsigned char width;
    bool takes_mark; /* and all above it */
    unsigned char pops;
    unsigned char pushes;
};

static const struct shape shapes[256] = {
    [OPCODE_MARK] = {0, ARGUMENT_NONE, 0, false, 0, 1},
    [OPCODE_EMPTY_TUPLE] = {1, ARGUMENT_NONE, 0, false, 0, 1},
    [OPCODE_STOP] = {0, ARGUMENT_NONE, 0, false, 1, 0},
    [OPCODE_POP] = {0, ARGUMENT_NONE, 0, false, 1, 0},
    [OPCODE_POP_MARK] = {1, ARGUMENT_NONE, 0, true, 0, 0},
    [OPCODE_DUP] = {0, ARGUMENT_NONE, 0, false, 1, 2},
    [OPCODE_BINBYTES] = {3, ARGUMENT_BYTES, 4, false, 0, 1},
    [OPCODE_SHORT_BINBYTES] = {3, ARGUMENT_BYTES, 1, false, 0, 1},
    [OPCODE_FLOAT] = {0, ARGUMENT_FLOAT_LINE, 0, false, 0, 1},
    [OPCODE_BINFLOAT] = {1, ARGUMENT_FLOAT, 8, false, 0, 1},
    [OPCODE_INT] = {0, ARGUMENT_INT_LINE, 0, false, 0, 1},
    [OPCODE_BININT] = {1, ARGUMENT_INT, 4, false, 0, 1},
    [OPCODE_BININT1] = {1, ARGUMENT_UINT, 1, false, 0, 1},
    [OPCODE_LONG] = {0, ARGUMENT_INT_LINE, 0, false, 0, 1},
    [OPCODE_BININT2] = {1, ARGUMENT_UINT, 2, false, 0, 1},
    [OPCODE_NONE] = {0, ARGUMENT_NONE, 0, false, 0, 1},
    [OPCODE_PERSID] = {0, ARGUMENT_LINE, 0, false, 0, 1},
    [OPCODE_BINPERSID] = {1, ARGUMENT_NONE, 0, false, 1, 1},
    [OPCODE_REDUCE] = {0, ARGUMENT_NONE, 0, false, 2, 1},
    [OPCODE_STRING] = {0, ARGUMENT_QUOTED_LINE, 0, false, 0, 1},
    [OPCODE_BINSTRING] = {1, ARGUMENT_LATIN, 4, false, 0, 1},
    [OPCODE_SHORT_BINSTRING] = {1, ARGUMENT_LATIN, 1, false, 0, 1},
    [OPCODE_UNICODE] = {0, ARGUMENT_TEXT_LINE, 0, false, 0, 1},
    [OPCODE_BINUNICODE] = {1, ARGUMENT_TEXT, 4, false, 0, 1},
    [OPCODE_EMPTY_LIST] = {1, ARGUMENT_NONE, 0, false, 0, 1},
    [OPCODE_APPEND] = {0, ARGUMENT_NONE, 0, false, 2, 1},
    [OPCODE_BUILD] = {0, ARGUMENT_NONE, 0, false, 2, 1},
    [OPCODE_GLOBAL] = {0, ARGUMENT_LINES, 0, false, 0, 1},
    [OPCODE_DICT] = {0, ARGUMENT_NONE, 0, true, 0, 1},
    [OPCODE_APPENDS] = {1, ARGUMENT_NONE, 0, true, 1, 1},
    [OPCODE_GET] = {0, ARGUMENT_INT_LINE, 0, false, 0, 1},
    [OPCODE_BINGET] = {1, ARGUMENT_UINT, 1, false, 0, 1},
    [OPCODE_INST] = {0, ARGUMENT_LINES, 0, true, 0, 1},
    [OPCODE_LONG_BINGET] = {1, ARGUMENT_UINT, 4, false, 0, 1},
    [OPCODE_LIST] = {0, ARGUMENT_NONE, 0, true, 0, 1},
    [OPCODE_OBJ] = {1, ARGUMENT_NONE, 0, true, 0, 1},
    [OPCODE_PUT] = {0, ARGUMENT_INT_LINE, 0, false, 0, 0},
    [OPCODE_BINPUT] = {1, ARGUMENT_UINT, 1, false, 0, 0},
    [OPCODE_LONG_BINPUT] = {1, ARGUMENT_UINT, 4, false, 0, 0},
    [OPCODE_SETITEM] = {0, ARGUMENT_NONE, 0, false, 3, 1},
    [OPCODE_TUPLE] = {0, ARGUMENT_NONE, 0, true, 0, 1},
    [OPCODE_SETITEMS] = {1, ARGUMENT_NONE, 0, true, 1, 1},
    [OPCODE_EMPTY_DICT] = {1, ARGUMENT_NONE, 0, false, 0, 1},
    [OPCODE_PROTO] = {2, ARGUMENT_UINT, 1, false, 0, 0},
    [OPCODE_NEWOBJ] = {2, ARGUMENT_NONE, 0, false, 2, 1},
    [OPCODE_EXT1] = {2, ARGUMENT_UINT, 1, false, 0, 1},
    [OPCODE_EXT2] = {2, ARGUMENT_UINT, 2, false, 0, 1},
    [OPCODE_EXT4] = {2, ARGUMENT_INT, 4, false, 0, 1},
    [OPCODE_TUPLE1] = {2, ARGUMENT_NONE, 0, false, 1, 1},
    [OPCODE_TUPLE2] = {2, ARGUMENT_NONE, 0, false, 2, 1},
    [OPCODE_TUPLE3] = {2, ARGUMENT_NONE, 0, false, 3, 1},
    [OPCODE_NEWTRUE] = {2, ARGUMENT_NONE, 0, false, 0, 1},
    [OPCODE_NEWFALSE] = {2, ARGUMENT_NONE, 0, false, 0, 1},
    [OPCODE_LONG1] = {2, ARGUMENT_LONG, 1, false, 0, 1},
    [OPCODE_LONG4] = {2, ARGUMENT_LONG, 4, false, 0, 1},
    [OPCODE_SHORT_BINUNICODE] = {4, ARGUMENT_TEXT, 1, false, 0, 1},
    [OPCODE_BINUNICODE8] = {4, ARGUMENT_TEXT, 8, false, 0, 1},
    [OPCODE_BINBYTES8] = {4, ARGUMENT_BYTES, 8, false, 0, 1},
    [OPCODE_EMPTY_SET] = {4, ARGUMENT_NONE, 0, false, 0, 1},
    [OPCODE_ADDITEMS] = {4, ARGUMENT_NONE, 0, true, 1, 1},
    [OPCODE_FROZENSET] = {4, ARGUMENT_NONE, 0, true, 0, 1},
    [OPCODE_NEWOBJ_EX] = {4, ARGUMENT_NONE, 0, false, 3, 1},
    [OPCODE_STACK_GLOBAL] = {4, ARGUMENT_NONE, 0, false, 2, 1},
    [OPCODE_MEMOIZE] = {4, ARGUMENT_NONE, 0, false, 1, 1},
    [OPCODE_FRAME] = {4, ARGUMENT_UINT, 8, false, 0, 0},
    [OPCODE_BYTEARRAY8] = {5, ARGUMENT_BYTEARRAY, 8, false, 0, 1},
    [OPCODE_NEXT_BUFFER] = {5, ARGUMENT_NONE, 0, false, 0, 1},
    [OPCODE_READONLY_BUFFER] = {5, ARGUMENT_NONE, 0, false, 1, 1},
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

/* The value of `count` hexadecimal digits; UINT32_MAX: they are none. */
static uint32_t hexadecimal(const char *at, size_t count)
{
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++) {
        const char *digits = "0123456789abcdef";
        char letter = (char)(at[i] >= 'A' && at[i] <= 'F' ? at[i] + ('a' - 'A') : at[i]);
        const char *found = letter == '\0' ? NULL : strchr(digits, letter);
        if (found == NULL) {
            return UINT32_MAX;
        }
        value = value << 4 | (uint32_t)(found - digits);
    }
    return value;
}

static size_t put_character(char *at, uint32_t character)
{
    if (character < 0x80) {
        at[0] = (char)character;
        return 1;
    }
    size_t size = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = size; i-- > 1; character >>= 6) {
        at[i] = (char)(0x80 | (character & 0x3f));
    }
    at[0] = (char)((0xf00 >> size & 0xff) | character);
    return size;
}

/* Latin-1 with escapes, as UTF-8. */
static int show_escaped(struct disassembly *disassembly, const char *line, size_t size)
{
    char text[2 * SHOWN_BYTES_MAX];
    size_t used = 0;
    for (size_t i = 0; i < size;) {
        size_t digits = line[i] != '\\' ? 0 : line[i + 1] == 'u' ? 4 : line[i + 1] == 'U' ? 8 : 0;
        uint32_t character = digits == 0 ? UINT32_MAX : hexadecimal(line + i + 2, digits);
        if (character > 0x10ffff) {
            character = (unsigned char)line[i];
            digits = 0;
        }
        used += put_character(text + used, character);
        i += digits == 0 ? 1 : digits + 2;
    }
    kin_object *object = NULL;
    int r = kin_object_from_str(text, used, &object);
    if (r == -EILSEQ) {
        return fail(disassembly, -EBADMSG, "text is not UTF-8");
    }
    return r < 0 ? r : show(disassembly, object);
}

static int show_line(struct disassembly *disassembly, const struct shape *shape)
{
    char line[2 * SHOWN_BYTES_MAX + 16] = {0}; /* digits are looked for behind its end */
    size_t size = 0;
    size_t second_size = 0;
    const unsigned char *at = take_line(disassembly, &size);
    if (at == NULL) {
        return -EBADMSG;
    }
    memcpy(line, at, size);
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
    if (shape->argument == ARGUMENT_TEXT_LINE) {
        return show_escaped(disassembly, line, size);
    }
    bool is_quoted = shape->argument == ARGUMENT_QUOTED_LINE && size >= 2;
    return show_latin(disassembly, (const unsigned char *)line + is_quoted,
                      is_quoted ? size - 2 : size);
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
    const struct shape *shape = &shapes[opcode];
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
    const struct shape *shape = &shapes[opcode];
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
