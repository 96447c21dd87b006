/**
 * kin_value: one item.
 */
#include "shared/items.h"
#include "shared/type.h"

struct kin_value {
    struct kin__items items;
};

#define DATA_OFFSET 16u /* right behind the header */

static_assert(DATA_OFFSET >= sizeof(struct kin__items_shared), "layout 1");

static const struct kin__type value_type = {
    .id = KIN__TYPE_VALUE, .name = "value", .verify = kin__items_verify};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&value_type);
}

/* The private part of a value, which calls do not change. */
static const struct kin__items *items_of(const kin_value *value)
{
    return value == NULL ? NULL : &value->items;
}

int kin_value_create(char type, const kin_value_options *options, kin_value **ret_value)
{
    static const kin_value_options defaults = {.size = sizeof defaults};
    options = options == NULL ? &defaults : options;
    if (ret_value == NULL || options->size != sizeof *options) {
        return -EINVAL;
    }
    struct kin__items_plan plan = {.type = KIN__TYPE_VALUE,
                                   .code = type,
                                   .is_raw = options->is_raw,
                                   .scope = options->scope,
                                   .data_offset = DATA_OFFSET,
                                   .length = 1,
                                   .initial = options->initial,
                                   .lock = options->lock};
    struct kin__items *items = NULL;
    int r = kin__items_create(&plan, &items);
    if (r == 0) {
        *ret_value = (kin_value *)items;
    }
    return r;
}

int kin_value_attach(kin_handle handle, kin_value **ret_value)
{
    struct kin__items *items = NULL;
    int r = ret_value == NULL ? -EINVAL : kin__items_attach(KIN__TYPE_VALUE, handle, &items);
    if (r == 0) {
        *ret_value = (kin_value *)items;
    }
    return r;
}

kin_value *kin_value_free(kin_value *value)
{
    kin__items_free(value == NULL ? NULL : &value->items);
    return NULL;
}

kin_handle kin_value_handle(const kin_value *value)
{
    return kin__object_handle(value);
}

char kin_value_type(const kin_value *value)
{
    return value == NULL ? '\0' : value->items.type->code;
}

void *kin_value_data(const kin_value *value)
{
    return kin__items_data(items_of(value));
}

kin_rlock *kin_value_lock(const kin_value *value)
{
    return value == NULL ? NULL : value->items.lock;
}

int kin_value_acquire(kin_value *value, kin_timeout timeout)
{
    return kin__items_acquire(items_of(value), timeout);
}

int kin_value_release(kin_value *value)
{
    return kin__items_release(items_of(value));
}

int kin_value_mark_consistent(kin_value *value)
{
    return kin__items_mark_consistent(items_of(value));
}

int kin_value_get_int(const kin_value *value, int64_t *ret_number)
{
    return kin__items_get_int(items_of(value), 0, ret_number);
}

int kin_value_get_uint(const kin_value *value, uint64_t *ret_number)
{
    return kin__items_get_uint(items_of(value), 0, ret_number);
}

int kin_value_get_float(const kin_value *value, double *ret_number)
{
    return kin__items_get_float(items_of(value), 0, ret_number);
}

int kin_value_set_int(kin_value *value, int64_t number)
{
    return kin__items_set_int(items_of(value), 0, number);
}

int kin_value_set_uint(kin_value *value, uint64_t number)
{
    return kin__items_set_uint(items_of(value), 0, number);
}

int kin_value_set_float(kin_value *value, double number)
{
    return kin__items_set_float(items_of(value), 0, number);
}

int kin_value_add_int(kin_value *value, int64_t number, int64_t *ret_old)
{
    return kin__items_add_int(items_of(value), 0, number, ret_old);
}

int kin_value_add_float(kin_value *value, double number, double *ret_old)
{
    return kin__items_add_float(items_of(value), 0, number, ret_old);
}

int kin_value_exchange_int(kin_value *value, int64_t number, int64_t *ret_old)
{
    return kin__items_exchange_int(items_of(value), 0, number, ret_old);
}

int kin_value_compare_exchange_int(kin_value *value, int64_t expected, int64_t number,
                                   int64_t *ret_old)
{
    return kin__items_compare_exchange_int(items_of(value), 0, expected, number, ret_old);
}

int kin_value_set_handle(kin_value *value, kin_handle handle)
{
    return kin__items_set_handle(items_of(value), 0, handle);
}

int kin_value_get_handle(const kin_value *value, kin_handle *ret_handle)
{
    return kin__items_get_handle(items_of(value), 0, ret_handle);
}
