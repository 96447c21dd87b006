/**
 * The opcodes of pickle: one byte each, and what Python's pickletools calls them.
 */
#ifndef KIN_OBJECT_DECODE_OPCODE_H
#define KIN_OBJECT_DECODE_OPCODE_H

/* clang-format off */
#define KIN__OPCODES(X) \
    X(MARK, 0x28) X(STOP, 0x2e) X(POP, 0x30) X(DUP, 0x32) X(FLOAT, 0x46) X(INT, 0x49) \
    X(LONG, 0x4c) X(NONE, 0x4e) X(PERSID, 0x50) X(REDUCE, 0x52) X(STRING, 0x53) X(UNICODE, 0x56) \
    X(APPEND, 0x61) X(BUILD, 0x62) X(GLOBAL, 0x63) X(DICT, 0x64) X(GET, 0x67) X(INST, 0x69) \
    X(LIST, 0x6c) X(PUT, 0x70) X(SETITEM, 0x73) X(TUPLE, 0x74) X(EMPTY_TUPLE, 0x29) \
    X(POP_MARK, 0x31) X(BINFLOAT, 0x47) X(BININT, 0x4a) X(BININT1, 0x4b) X(BININT2, 0x4d) \
    X(BINPERSID, 0x51) X(BINSTRING, 0x54) X(SHORT_BINSTRING, 0x55) X(BINUNICODE, 0x58) \
    X(EMPTY_LIST, 0x5d) X(APPENDS, 0x65) X(BINGET, 0x68) X(LONG_BINGET, 0x6a) X(OBJ, 0x6f) \
    X(BINPUT, 0x71) X(LONG_BINPUT, 0x72) X(SETITEMS, 0x75) X(EMPTY_DICT, 0x7d) X(PROTO, 0x80) \
    X(NEWOBJ, 0x81) X(EXT1, 0x82) X(EXT2, 0x83) X(EXT4, 0x84) X(TUPLE1, 0x85) X(TUPLE2, 0x86) \
    X(TUPLE3, 0x87) X(NEWTRUE, 0x88) X(NEWFALSE, 0x89) X(LONG1, 0x8a) X(LONG4, 0x8b) \
    X(BINBYTES, 0x42) X(SHORT_BINBYTES, 0x43) X(SHORT_BINUNICODE, 0x8c) X(BINUNICODE8, 0x8d) \
    X(BINBYTES8, 0x8e) X(EMPTY_SET, 0x8f) X(ADDITEMS, 0x90) X(FROZENSET, 0x91) \
    X(NEWOBJ_EX, 0x92) X(STACK_GLOBAL, 0x93) X(MEMOIZE, 0x94) X(FRAME, 0x95) X(BYTEARRAY8, 0x96) \
    X(NEXT_BUFFER, 0x97) X(READONLY_BUFFER, 0x98)
/* clang-format on */

enum opcode {
#define OPCODE_CONSTANT(name, byte) OPCODE_##name = (byte),
    KIN__OPCODES(OPCODE_CONSTANT)
#undef OPCODE_CONSTANT
};

/* The highest protocol there is. */
enum { PICKLE_PROTOCOL_MAX = 5 };

/* Its name; "" if the byte is no opcode. */
const char *kin__opcode_name(unsigned char byte);

#endif
