#include "base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(const unsigned char *data, size_t size, FILE *stream)
{
    for (size_t i = 0; i < size; i += 3) {
        size_t count = size - i < 3 ? size - i : 3;
        uint32_t bits = 0;
        for (size_t j = 0; j < 3; j++) {
            bits = bits << 8 | (j < count ? data[i + j] : 0u);
        }
        for (size_t j = 0; j < 4; j++) {
            fputc(j <= count ? digits[bits >> (18 - 6 * j) & 63] : '=', stream);
        }
    }
}

unsigned char *base64_read(const char *text, size_t size, size_t *ret_size)
{
    if (size % 4 != 0) {
        return NULL;
    }
    size_t padding = size >= 4 && text[size - 1] == '=' ? (text[size - 2] == '=' ? 2 : 1) : 0;
    unsigned char *data = malloc(size / 4 * 3 + 1);
    for (size_t i = 0; data != NULL && i < size; i += 4) {
        uint32_t bits = 0;
        for (size_t j = 0; j < 4; j++) {
            bool is_padding = i + j >= size - padding;
            const char *found = text[i + j] == '\0' ? NULL : strchr(digits, text[i + j]);
            if (!is_padding && found == NULL) {
                free(data);
                return NULL;
            }
            bits = bits << 6 | (is_padding ? 0u : (uint32_t)(found - digits));
        }
        data[i / 4 * 3] = (unsigned char)(bits >> 16);
        data[i / 4 * 3 + 1] = (unsigned char)(bits >> 8);
        data[i / 4 * 3 + 2] = (unsigned char)bits;
    }
    *ret_size = size / 4 * 3 - padding;
    return data;
}
