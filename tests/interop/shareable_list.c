#include "interop/shareable_list.h"

#include "harness/test.h"

static int64_t number_at(const struct shareable_list *list, size_t index)
{
    int64_t number;
    memcpy(&number, list->memory + 8 * index, sizeof number);
    return number;
}

static void set_number(struct shareable_list *list, size_t index, size_t number)
{
    int64_t value = (int64_t)number;
    memcpy(list->memory + 8 * index, &value, sizeof value);
}

static size_t count_of(const struct shareable_list *list)
{
    return (size_t)number_at(list, 0);
}

/* Where item `index`, or the end, is behind the start of the items. */
static size_t offset_of(const struct shareable_list *list, size_t index)
{
    if (!list->has_sizes) {
        return (size_t)number_at(list, 1 + index);
    }
    size_t offset = 0;
    for (size_t i = 0; i < index; i++) {
        offset += (size_t)number_at(list, 1 + i);
    }
    return offset;
}

static char *items_of(const struct shareable_list *list)
{
    return list->memory + 8 * (1 + count_of(list) + (list->has_sizes ? 0 : 1));
}

static char *item_at(const struct shareable_list *list, size_t index)
{
    return items_of(list) + offset_of(list, index);
}

static char *format_at(const struct shareable_list *list, size_t index)
{
    return items_of(list) + offset_of(list, count_of(list)) + 8 * index;
}

static char *code_at(const struct shareable_list *list, size_t index)
{
    return format_at(list, count_of(list)) + index;
}

size_t shareable_list_bytes(const struct shareable_item *items, size_t count, bool has_sizes)
{
    size_t bytes = 8 + 8 * count + (has_sizes ? 0 : 8) + 9 * count;
    for (size_t i = 0; i < count; i++) {
        bytes += items[i].room;
    }
    return bytes;
}

void shareable_list_set(struct shareable_list *list, size_t index,
                        const struct shareable_item *item)
{
    size_t room = offset_of(list, index + 1) - offset_of(list, index);
    REQUIRE(item->size <= room && strlen(item->format) <= 8);
    memset(item_at(list, index), 0, room);
    memcpy(item_at(list, index), item->data, item->size);
    memset(format_at(list, index), 0, 8);
    memcpy(format_at(list, index), item->format, strlen(item->format));
    *code_at(list, index) = (char)item->code;
}

void shareable_list_make(struct shareable_list *list, const struct shareable_item *items,
                         size_t count)
{
    size_t offset = 0;
    set_number(list, 0, count);
    for (size_t i = 0; i < count; i++) {
        set_number(list, 1 + i, list->has_sizes ? items[i].room : offset);
        offset += items[i].room;
    }
    if (!list->has_sizes) {
        set_number(list, 1 + count, offset);
    }
    for (size_t i = 0; i < count; i++) {
        shareable_list_set(list, i, &items[i]);
    }
}

void shareable_list_check(const struct shareable_list *list, size_t index,
                          const struct shareable_item *expected)
{
    char format[9] = "";
    memcpy(format, format_at(list, index), 8);
    CHECK(index < count_of(list));
    CHECK_STRING(format, expected->format);
    CHECK_EQUAL(*code_at(list, index), expected->code);
    CHECK(expected->size == 0 || memcmp(item_at(list, index), expected->data, expected->size) == 0);
}
