/**
 * kin_array: items in a row.
 */
#include "shared/items.h"
#include "shared/slice.h"
#include "shared/type.h"

#include <kin/array.h>
#include <string.h>

struct kin_array {
    struct kin__items items;
};

#define DATA_OFFSET 64u /* a cache line: the numbers are aligned for vectors */

static_assert(DATA_OFFSET >= sizeof(struct kin__items_shared), "layout 1");

static const struct kin__type array_type = {
    .id = KIN__TYPE_ARRAY, .name = "array", .verify = kin__items_verify};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&array_type);
}

/* The private part of an array, which calls do not change. */
static const struct kin__items *items_of(const kin_array *array)
{
    return array == NULL ? NULL : &array->items;
}

int kin_array_create(char type, uint64_t length, const kin_array_options *options,
                     kin_array **ret_array)
{
    static const kin_array_options defaults = {.size = sizeof defaults};
    options = options == NULL ? &defaults : options;
    if (ret_array == NULL || options->size != sizeof *options) {
        return -EINVAL;
    }
    struct kin__items_plan plan = {.type = KIN__TYPE_ARRAY,
                                   .code = type,
                                   .is_raw = options->is_raw,
                                   .scope = options->scope,
                                   .data_offset = DATA_OFFSET,
                                   .length = length,
                                   .initial = options->initial,
                                   .lock = options->lock};
    struct kin__items *items = NULL;
    int r = kin__items_create(&plan, &items);
    if (r == 0) {
        *ret_array = (kin_array *)items;
    }
    return r;
}

int kin_array_attach(kin_handle handle, kin_array **ret_array)
{
    struct kin__items *items = NULL;
    int r = ret_array == NULL ? -EINVAL : kin__items_attach(KIN__TYPE_ARRAY, handle, &items);
    if (r == 0) {
        *ret_array = (kin_array *)items;
    }
    return r;
}

kin_array *kin_array_free(kin_array *array)
{
    kin__items_free(array == NULL ? NULL : &array->items);
    return NULL;
}

kin_handle kin_array_handle(const kin_array *array)
{
    return kin__object_handle(array);
}

char kin_array_type(const kin_array *array)
{
    return array == NULL ? '\0' : array->items.type->code;
}

uint64_t kin_array_length(const kin_array *array)
{
    return array == NULL ? 0 : array->items.length;
}

void *kin_array_data(const kin_array *array)
{
    return kin__items_data(items_of(array));
}

kin_rlock *kin_array_lock(const kin_array *array)
{
    return array == NULL ? NULL : array->items.lock;
}

int kin_array_acquire(kin_array *array, kin_timeout timeout)
{
    return kin__items_acquire(items_of(array), timeout);
}

int kin_array_release(kin_array *array)
{
    return kin__items_release(items_of(array));
}

int kin_array_mark_consistent(kin_array *array)
{
    return kin__items_mark_consistent(items_of(array));
}

int kin_array_get_int(const kin_array *array, uint64_t index, int64_t *ret_number)
{
    return kin__items_get_int(items_of(array), index, ret_number);
}

int kin_array_get_uint(const kin_array *array, uint64_t index, uint64_t *ret_number)
{
    return kin__items_get_uint(items_of(array), index, ret_number);
}

int kin_array_get_float(const kin_array *array, uint64_t index, double *ret_number)
{
    return kin__items_get_float(items_of(array), index, ret_number);
}

int kin_array_set_int(kin_array *array, uint64_t index, int64_t number)
{
    return kin__items_set_int(items_of(array), index, number);
}

int kin_array_set_uint(kin_array *array, uint64_t index, uint64_t number)
{
    return kin__items_set_uint(items_of(array), index, number);
}

int kin_array_set_float(kin_array *array, uint64_t index, double number)
{
    return kin__items_set_float(items_of(array), index, number);
}

int kin_array_add_int(kin_array *array, uint64_t index, int64_t number, int64_t *ret_old)
{
    return kin__items_add_int(items_of(array), index, number, ret_old);
}

int kin_array_add_float(kin_array *array, uint64_t index, double number, double *ret_old)
{
    return kin__items_add_float(items_of(array), index, number, ret_old);
}

int kin_array_exchange_int(kin_array *array, uint64_t index, int64_t number, int64_t *ret_old)
{
    return kin__items_exchange_int(items_of(array), index, number, ret_old);
}

int kin_array_compare_exchange_int(kin_array *array, uint64_t index, int64_t expected,
                                   int64_t number, int64_t *ret_old)
{
    return kin__items_compare_exchange_int(items_of(array), index, expected, number, ret_old);
}

int kin_array_set_handle(kin_array *array, uint64_t index, kin_handle handle)
{
    return kin__items_set_handle(items_of(array), index, handle);
}

int kin_array_get_handle(const kin_array *array, uint64_t index, kin_handle *ret_handle)
{
    return kin__items_get_handle(items_of(array), index, ret_handle);
}

/* --- slices --- */

/* Where the `i`-th item of a slice is in the array. */
static uint64_t index_in(const struct kin__slice_range *range, uint64_t i)
{
    return range->first + i * (uint64_t)range->step;
}

static void copy_out(const struct kin__items *items, const struct kin__slice_range *range, void *to)
{
    unsigned char *place = to;
    kin_handle *handles = to;
    uint32_t bytes = items->type->bytes;
    if (items->type->class != KIN__ITEM_HANDLE && range->step == 1) {
        memcpy(to, kin__items_number(items, range->first), range->count * bytes);
        return;
    }
    for (uint64_t i = 0; i < range->count; i++) {
        uint64_t index = index_in(range, i);
        if (items->type->class == KIN__ITEM_HANDLE) {
            handles[i] = kin__reference_read(kin__items_reference(items, index));
        } else {
            memcpy(place + i * bytes, kin__items_number(items, index), bytes);
        }
    }
}

static int copy_in(const struct kin__items *items, const struct kin__slice_range *range,
                   const void *from)
{
    const unsigned char *place = from;
    const kin_handle *handles = from;
    uint32_t bytes = items->type->bytes;
    int r = 0;
    if (items->type->class != KIN__ITEM_HANDLE && range->step == 1) {
        memcpy(kin__items_number(items, range->first), from, range->count * bytes);
        return 0;
    }
    for (uint64_t i = 0; r == 0 && i < range->count; i++) {
        uint64_t index = index_in(range, i);
        if (items->type->class == KIN__ITEM_HANDLE) {
            r = kin__reference_replace(kin__items_reference(items, index), handles[i]);
        } else {
            memcpy(kin__items_number(items, index), place + i * bytes, bytes);
        }
    }
    return r;
}

/* Whether there is an array, and memory for what a slice has; and which items it has. */
static int resolve(const kin_array *array, kin_slice slice, const void *memory,
                   struct kin__slice_range *ret_range)
{
    if (array == NULL) {
        return -EINVAL;
    }
    int r = kin__slice_resolve(slice, array->items.length, ret_range);
    return r == 0 && memory == NULL && ret_range->count != 0 ? -EINVAL : r;
}

int kin_array_get_slice(const kin_array *array, kin_slice slice, void *items, uint64_t room,
                        uint64_t *ret_count)
{
    struct kin__slice_range range;
    int r = resolve(array, slice, items, &range);
    if (r < 0) {
        return r;
    }
    if (ret_count != NULL) {
        *ret_count = range.count;
    }
    if (range.count > room) {
        return -EMSGSIZE;
    }
    r = kin__items_begin(&array->items, 0, 0);
    if (r >= 0 && range.count != 0) {
        copy_out(&array->items, &range, items);
    }
    if (r >= 0) {
        kin__items_end(&array->items);
    }
    return r;
}

int kin_array_set_slice(kin_array *array, kin_slice slice, const void *items, uint64_t count)
{
    struct kin__slice_range range;
    int r = resolve(array, slice, items, &range);
    if (r < 0 || range.count != count) {
        return r < 0 ? r : -EINVAL;
    }
    r = kin__items_begin(&array->items, 0, 0);
    if (r < 0) {
        return r;
    }
    int copied = range.count == 0 ? 0 : copy_in(&array->items, &range, items);
    kin__items_end(&array->items);
    return copied < 0 ? copied : r;
}
