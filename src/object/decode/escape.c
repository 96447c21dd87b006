#include "object/decode/escape.h"

#include <stdint.h>
#include <string.h>

static int hex_value(char digit)
{
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
           : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                          : -1;
}

/* Reads `count` hexadecimal digits. -1: they are not there. */
static int64_t take_hex(const char **at, const char *end, int count)
{
    int64_t value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        int digit = *at < end ? hex_value(**at) : -1;
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

/* Reads up to three octal digits, of which there is one. */
static char take_octal(const char **at, const char *end)
{
    unsigned value = 0;
    for (int i = 0; i < 3 && *at < end && **at >= '0' && **at <= '7'; i++, (*at)++) {
        value = value * 8 + (unsigned)(**at - '0');
    }
    return (char)(value & 0xff);
}

/* Writes what the escape behind a backslash says. False: there is none. */
static bool unescape(const char **at, const char *end, char **write)
{
    static const char letters[] = "\\'\"bftnrva";
    static const char meanings[] = "\\'\"\b\f\t\n\r\v\a";
    if (*at == end) {
        return false;
    }
    const char *letter = **at == '\0' ? NULL : strchr(letters, **at);
    if (letter != NULL) {
        *(*write)++ = meanings[letter - letters];
        (*at)++;
    } else if (**at >= '0' && **at <= '7') {
        *(*write)++ = take_octal(at, end);
    } else if (**at == 'x') {
        (*at)++;
        int64_t value = take_hex(at, end, 2);
        *(*write)++ = (char)value;
        return value >= 0;
    } else { /* unknown ones stay */
        *(*write)++ = '\\';
        *(*write)++ = *(*at)++;
    }
    return true;
}

bool kin__escape_undo(const char *at, const char *end, char **write)
{
    while (at < end) {
        if (*at != '\\') {
            *(*write)++ = *at++;
            continue;
        }
        at++;
        if (!unescape(&at, end, write)) {
            return false;
        }
    }
    return true;
}

static char *write_utf8(char *write, uint32_t character)
{
    if (character < 0x80) {
        *write++ = (char)character;
        return write;
    }
    int more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    *write++ = (char)(leads[more] | (character >> (6 * more)));
    while (more-- > 0) {
        *write++ = (char)(0x80 | ((character >> (6 * more)) & 0x3f));
    }
    return write;
}

bool kin__escape_undo_raw(const char *at, const char *end, char **write)
{
    while (at < end) {
        unsigned char byte = (unsigned char)*at++;
        if (byte != '\\' || at == end || (*at != 'u' && *at != 'U')) {
            *write = write_utf8(*write, byte);
            if (byte == '\\' && at < end) { /* and what is behind it is no escape */
                *write = write_utf8(*write, (unsigned char)*at++);
            }
            continue;
        }
        int count = *at++ == 'u' ? 4 : 8;
        int64_t character = take_hex(&at, end, count);
        if (character < 0 || character > 0x10ffff) {
            return false;
        }
        *write = write_utf8(*write, (uint32_t)character);
    }
    return true;
}
