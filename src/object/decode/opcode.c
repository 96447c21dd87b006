/* The names of opcodes, and which function executes one that the loop does not know by itself. */
#include "object/decode/decode.h"

/* clang-format off */
#define DECODE_FUNCTIONS(X) \
    X(APPEND, append) X(APPENDS, appends) X(EMPTY_LIST, empty_list) X(LIST, list) \
    X(EMPTY_TUPLE, empty_tuple) X(TUPLE, tuple) X(TUPLE1, tuple1) X(TUPLE2, tuple2) \
    X(TUPLE3, tuple3) X(EMPTY_DICT, empty_dict) X(DICT, dict) X(SETITEM, setitem) \
    X(SETITEMS, setitems) X(EMPTY_SET, empty_set) X(ADDITEMS, additems) X(FROZENSET, frozenset) \
    X(POP, pop) X(POP_MARK, pop_mark) X(DUP, dup) X(PUT, put) X(BINPUT, binput) \
    X(LONG_BINPUT, long_binput) X(MEMOIZE, memoize) X(GET, get) X(BINGET, binget) \
    X(LONG_BINGET, long_binget) X(INT, int) X(LONG, long) X(LONG1, long1) X(LONG4, long4) \
    X(FLOAT, float) X(BINFLOAT, binfloat) X(STRING, string) X(BINSTRING, binstring) \
    X(SHORT_BINSTRING, short_binstring) X(UNICODE, unicode) X(BINUNICODE8, binunicode8) \
    X(BINBYTES8, binbytes8) X(BYTEARRAY8, bytearray8) X(NEXT_BUFFER, next_buffer) \
    X(READONLY_BUFFER, readonly_buffer) X(GLOBAL, global) X(STACK_GLOBAL, stack_global) \
    X(REDUCE, reduce) X(NEWOBJ, newobj) X(NEWOBJ_EX, newobj_ex) X(BUILD, build) X(INST, inst) \
    X(OBJ, obj) X(PERSID, persid) X(BINPERSID, persid) X(EXT1, ext) X(EXT2, ext) X(EXT4, ext) \
    X(PROTO, proto) X(FRAME, frame) X(STOP, stop)
/* clang-format on */

/* Each is defined in the file of its noun, and called from this table only. */
#define DECLARE(opcode, name) decode_function kin__decode_##name;
DECODE_FUNCTIONS(DECLARE)

decode_function *const kin__decode_functions[256] = {
#define ENTRY(opcode, name) [OPCODE_##opcode] = kin__decode_##name,
    DECODE_FUNCTIONS(ENTRY)};

static const char *const names[256] = {
#define OPCODE_NAME(name, byte) [byte] = #name,
    KIN__OPCODES(OPCODE_NAME)
#undef OPCODE_NAME
};

const char *kin__opcode_name(unsigned char byte)
{
    return names[byte] == NULL ? "" : names[byte];
}

int kin__decode_proto(struct decoder *decoder)
{
    const unsigned char *at = kin__decode_take(decoder, 1);
    if (at == NULL) {
        return -EBADMSG;
    }
    decoder->protocol = kin__decode_u8(at);
    return decoder->protocol > PICKLE_PROTOCOL_MAX
               ? kin__decode_fail(decoder, -EBADMSG, "a protocol that is not known")
               : 0;
}

int kin__decode_frame(struct decoder *decoder)
{
    const unsigned char *at = kin__decode_take(decoder, 8);
    if (at == NULL) {
        return -EBADMSG;
    }
    uint64_t size = kin__decode_u64(at);
    if (decoder->is_in_frame) {
        return kin__decode_fail(decoder, -EBADMSG, "a frame in a frame");
    }
    if (size > (uint64_t)(decoder->input_end - decoder->cursor.at)) {
        return kin__decode_fail(decoder, -EBADMSG, "a frame longer than what is left");
    }
    decoder->cursor.end = decoder->cursor.at + size;
    decoder->is_in_frame = size != 0;
    return 0;
}

int kin__decode_stop(struct decoder *decoder)
{
    int r = kin__decode_need(decoder, 1);
    if (r < 0) {
        return r;
    }
    if (decoder->cursor.top != decoder->stack + 1) {
        return kin__decode_fail(decoder, -EBADMSG, "values are left on the stack");
    }
    if (!decoder->is_prefix && decoder->cursor.at != decoder->input_end) {
        return kin__decode_fail(decoder, -EBADMSG, "bytes behind STOP");
    }
    r = decoder->is_depth_doubtful ? kin__decode_measure(decoder, *decoder->stack) : 0;
    return r < 0 ? r : 1;
}
