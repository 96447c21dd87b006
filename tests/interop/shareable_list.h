/*
 * A ShareableList of multiprocessing.shared_memory, as it is in memory:
 *
 *     int64 count
 *     int64 offsets[count + 1]    of the items and of their end; 3.8: int64 sizes[count]
 *     items                       each in a multiple of 8 bytes
 *     char formats[count][8]      as struct.pack has them: "q", "d", "8s", "xxxxxxx?", "xxxxxx?x"
 *     int8 codes[count]           0 a number or bool, 1 str, 2 bytes, 3 None
 */
#ifndef INTEROP_SHAREABLE_LIST_H
#define INTEROP_SHAREABLE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shareable_list {
    char *memory;
    bool has_sizes; /* Python 3.8 */
};

enum shareable_code { CODE_NUMBER, CODE_STR, CODE_BYTES, CODE_NONE };

/* An item that is written: format, code, and 8 bytes of a number or the text. */
struct shareable_item {
    const char *format;
    enum shareable_code code;
    const void *data;
    size_t size; /* of data */
    size_t room; /* bytes that the item has in the list: a multiple of 8 */
};

/* How many bytes a list of these items takes. */
size_t shareable_list_bytes(const struct shareable_item *items, size_t count, bool has_sizes);

/* Writes a list into memory that is zero. */
void shareable_list_make(struct shareable_list *list, const struct shareable_item *items,
                         size_t count);

/* Replaces an item by one that has room there. */
void shareable_list_set(struct shareable_list *list, size_t index,
                        const struct shareable_item *item);

/* CHECKs that an item is this one. */
void shareable_list_check(const struct shareable_list *list, size_t index,
                          const struct shareable_item *expected);

#endif
