#include "object/decode/opcode.h"

#include <stddef.h>

static const char *const names[256] = {
#define OPCODE_NAME(name, byte) [byte] = #name,
    KIN__OPCODES(OPCODE_NAME)
#undef OPCODE_NAME
};

const char *kin__opcode_name(unsigned char byte)
{
    return names[byte] == NULL ? "" : names[byte];
}
