#include "object/repr/quote.h"

#include <stdint.h>
#include <string.h>

#include "object/repr/printable.h"

/* Single quotes, unless the text has some and no double ones. */
static char choose_quote(const void *text, size_t size)
{
    return size != 0 && memchr(text, '\'', size) != NULL && memchr(text, '"', size) == NULL ? '"'
                                                                                            : '\'';
}

/* `mark` and the lowest `digits` hexadecimal digits. */
static void write_hex(struct kin__writer *writer, char mark, uint32_t value, unsigned digits)
{
    char text[10] = {'\\', mark};
    for (unsigned i = 0; i < digits; i++) {
        text[2 + i] = "0123456789abcdef"[(value >> (4 * (digits - 1 - i))) & 0xf];
    }
    kin__write(writer, text, 2 + digits);
}

/* A byte that does not stand for itself. */
static void escape(struct kin__writer *writer, unsigned char byte)
{
    char text[2] = {'\\', (char)byte};
    switch (byte) {
    case '\n':
        text[1] = 'n';
        break;
    case '\r':
        text[1] = 'r';
        break;
    case '\t':
        text[1] = 't';
        break;
    case '\\':
    case '\'':
    case '"':
        break;
    default:
        write_hex(writer, 'x', byte, 2);
        return;
    }
    kin__write(writer, text, 2);
}

static int is_plain(unsigned char byte, char quote)
{
    return byte >= 0x20 && byte < 0x7f && byte != '\\' && byte != (unsigned char)quote;
}

/* A character of several bytes; returns how many. */
static size_t quote_character(struct kin__writer *writer, const unsigned char *at, size_t size)
{
    size_t needed = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    needed = needed < size ? needed : size;
    uint32_t point = at[0] & (0x7fu >> needed);
    for (size_t i = 1; i < needed; i++) {
        point = point << 6 | (at[i] & 0x3f);
    }
    if (kin__is_printable(point)) {
        kin__write(writer, at, needed);
    } else if (point <= 0xff) {
        write_hex(writer, 'x', point, 2);
    } else if (point <= 0xffff) {
        write_hex(writer, 'u', point, 4);
    } else {
        write_hex(writer, 'U', point, 8);
    }
    return needed;
}

void kin__quote_text(struct kin__writer *writer, const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;
    char quote = choose_quote(text, size);
    kin__write(writer, &quote, 1);
    for (size_t i = 0; i < size;) {
        size_t plain = i;
        while (plain < size && is_plain(bytes[plain], quote)) {
            plain++;
        }
        kin__write(writer, bytes + i, plain - i);
        i = plain;
        if (i < size && bytes[i] < 0x80) {
            escape(writer, bytes[i++]);
        } else if (i < size) {
            i += quote_character(writer, bytes + i, size - i);
        }
    }
    kin__write(writer, &quote, 1);
}

void kin__quote_bytes(struct kin__writer *writer, const void *data, size_t size, bool is_array)
{
    const unsigned char *bytes = data;
    char quote = choose_quote(bytes, size);
    char escaped = is_array ? '\'' : quote; /* in a bytearray Python escapes it needlessly, too */
    kin__write(writer, "b", 1);
    kin__write(writer, &quote, 1);
    for (size_t i = 0; i < size;) {
        size_t plain = i;
        while (plain < size && is_plain(bytes[plain], escaped)) {
            plain++;
        }
        kin__write(writer, bytes + i, plain - i);
        i = plain;
        if (i < size) {
            escape(writer, bytes[i++]);
        }
    }
    kin__write(writer, &quote, 1);
}
