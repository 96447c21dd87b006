#include "shared/items.h"

#include "base/arithmetic.h"
#include "family/verify.h"

#include <kin/error.h>
#include <string.h>

/* --- making --- */

static uint32_t handle_count_of(const struct kin__item_type *type, uint64_t length)
{
    return type->class == KIN__ITEM_HANDLE ? 1 + (uint32_t)length : 1;
}

static uint64_t number_bytes_of(const struct kin__item_type *type, uint64_t length)
{
    return type->class == KIN__ITEM_HANDLE ? 0 : length * type->bytes;
}

/* Whether the items can be what their header says. */
static bool is_sound(const struct kin__memory *memory, const struct kin__items_shared *shared)
{
    const struct kin__item_type *type = kin__item_type_of(shared->code);
    uint64_t place = (uint64_t)((const unsigned char *)shared - memory->base);
    uint64_t bytes = 0;
    if (type == NULL || !kin__u64_multiply(shared->length, type->bytes, &bytes) ||
        shared->data_offset < sizeof *shared) {
        return false;
    }
    return kin__memory_has(memory, place + shared->data_offset,
                           number_bytes_of(type, shared->length));
}

static void open_items(struct kin__items *items, const struct kin__item_type *type)
{
    const struct kin__items_shared *shared = items->object.shared;
    items->type = type;
    items->length = shared->length;
    items->data = (unsigned char *)items->object.shared + shared->data_offset;
}

/* Opens the lock that is to be the value's, and refers to it in the block. */
static int add_lock(struct kin__items *items, const struct kin__items_plan *plan)
{
    kin_rlock_options options = {.size = sizeof options, .scope = plan->scope};
    options.name = kin__types[plan->type]->name; /* for reports of deadlocks */
    int r = plan->lock == NULL ? kin_rlock_create(&options, &items->lock)
                               : kin_rlock_attach(kin_rlock_handle(plan->lock), &items->lock);
    if (r < 0) {
        return r;
    }
    return kin__reference_add(kin__object_handles(&items->object), kin_rlock_handle(items->lock));
}

static int fill(struct kin__items *items, const void *initial)
{
    const kin_handle *handles = initial;
    if (items->type->class != KIN__ITEM_HANDLE) {
        memcpy(items->data, initial, items->length * items->type->bytes);
        return 0;
    }
    for (uint64_t i = 0; i < items->length; i++) {
        int r = kin__reference_replace(kin__items_reference(items, i), handles[i]);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int create(const struct kin__items_plan *plan, const struct kin__item_type *type,
                  struct kin__items **ret_items)
{
    struct kin__object_plan object = {.type = plan->type,
                                      .scope = plan->scope,
                                      .handle_count = handle_count_of(type, plan->length),
                                      .size = sizeof **ret_items};
    object.bytes = plan->data_offset + number_bytes_of(type, plan->length);
    struct kin__items *items = NULL;
    int r = kin__object_create(&object, &items);
    if (r < 0) {
        return r;
    }
    *(struct kin__items_shared *)items->object.shared = (struct kin__items_shared){
        .code = (uint32_t)type->code, .data_offset = plan->data_offset, .length = plan->length};
    open_items(items, type);
    r = plan->is_raw ? 0 : add_lock(items, plan);
    if (r == 0 && plan->initial != NULL) {
        r = fill(items, plan->initial);
    }
    if (r < 0) {
        kin__items_free(items);
        return r;
    }
    *ret_items = items;
    return 0;
}

int kin__items_create(const struct kin__items_plan *plan, struct kin__items **ret_items)
{
    const struct kin__item_type *type = kin__item_type_of((uint32_t)(unsigned char)plan->code);
    uint64_t bytes = 0;
    if (ret_items == NULL || type == NULL || (plan->is_raw && plan->lock != NULL)) {
        return -EINVAL;
    }
    if (plan->lock != NULL && plan->scope == KIN_SCOPE_FAMILY &&
        ((const struct kin__object *)(const void *)plan->lock)->is_process_only) {
        return -EINVAL;
    }
    if (!kin__u64_multiply(plan->length, type->bytes, &bytes) || bytes > INT64_MAX ||
        (type->class == KIN__ITEM_HANDLE && plan->length > KIN__ITEMS_HANDLES_MAX)) {
        return -ENOMEM;
    }
    return create(plan, type, ret_items);
}

int kin__items_attach(uint16_t type, kin_handle handle, struct kin__items **ret_items)
{
    struct kin__items *items = NULL;
    int r = ret_items == NULL ? -EINVAL : kin__object_attach(type, sizeof *items, handle, &items);
    if (r < 0) {
        return r;
    }
    const struct kin__items_shared *shared = items->object.shared;
    const kin_handle *lock = kin__object_handles(&items->object);
    if (!is_sound(&kin__family.memory, shared)) {
        r = -EBADMSG;
    } else if (lock->counter != 0) {
        r = kin_rlock_attach(*lock, &items->lock);
    }
    if (r < 0) {
        kin__items_free(items);
        return r;
    }
    open_items(items, kin__item_type_of(shared->code));
    *ret_items = items;
    return 0;
}

void kin__items_free(struct kin__items *items)
{
    if (items != NULL) {
        kin_rlock_free(items->lock);
        kin__object_free(items);
    }
}

/* --- the lock --- */

static int find_lock(const struct kin__items *items, kin_rlock **ret_lock)
{
    if (items == NULL || items->lock == NULL) {
        return -EINVAL;
    }
    *ret_lock = items->lock;
    return 0;
}

int kin__items_acquire(const struct kin__items *items, kin_timeout timeout)
{
    kin_rlock *lock = NULL;
    int r = find_lock(items, &lock);
    return r < 0 ? r : kin_rlock_acquire(lock, timeout);
}

int kin__items_release(const struct kin__items *items)
{
    kin_rlock *lock = NULL;
    int r = find_lock(items, &lock);
    return r < 0 ? r : kin_rlock_release(lock);
}

int kin__items_mark_consistent(const struct kin__items *items)
{
    kin_rlock *lock = NULL;
    int r = find_lock(items, &lock);
    return r < 0 ? r : kin_rlock_mark_consistent(lock);
}

/* Whether there are such items. */
static int look(const struct kin__items *items, uint64_t index, uint64_t count)
{
    struct kin__items_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__object_enter(items, &shared, &self);
    if (r < 0) {
        return r;
    }
    return index > items->length || count > items->length - index ? -ERANGE : 0;
}

int kin__items_begin(const struct kin__items *items, uint64_t index, uint64_t count)
{
    int r = look(items, index, count);
    return r < 0 || items->lock == NULL ? r : kin_rlock_acquire(items->lock, KIN_FOREVER);
}

void kin__items_end(const struct kin__items *items)
{
    if (items->lock != NULL) {
        kin_rlock_release(items->lock);
    }
}

/* --- single items, under the lock --- */

static int load(const struct kin__items *items, uint64_t index, uint64_t *ret_bits)
{
    int r = kin__items_begin(items, index, 1);
    if (r < 0) {
        return r;
    }
    if (items->type->class != KIN__ITEM_HANDLE) { /* else the conversion says what is wrong */
        *ret_bits = kin__item_load(items->type, kin__items_number(items, index));
    }
    kin__items_end(items);
    return r;
}

static int store(const struct kin__items *items, uint64_t index, uint64_t bits)
{
    int r = kin__items_begin(items, index, 1);
    if (r < 0) {
        return r;
    }
    kin__item_store(items->type, kin__items_number(items, index), bits);
    kin__items_end(items);
    return r;
}

/* What a conversion said, or else what the access did. */
static int join(int accessed, int converted)
{
    return converted < 0 ? converted : accessed;
}

int kin__items_get_int(const struct kin__items *items, uint64_t index, int64_t *ret_number)
{
    uint64_t bits = 0;
    int r = ret_number == NULL ? -EINVAL : load(items, index, &bits);
    return r < 0 ? r : join(r, kin__item_to_int(items->type, bits, ret_number));
}

int kin__items_get_uint(const struct kin__items *items, uint64_t index, uint64_t *ret_number)
{
    uint64_t bits = 0;
    int r = ret_number == NULL ? -EINVAL : load(items, index, &bits);
    return r < 0 ? r : join(r, kin__item_to_uint(items->type, bits, ret_number));
}

int kin__items_get_float(const struct kin__items *items, uint64_t index, double *ret_number)
{
    uint64_t bits = 0;
    int r = ret_number == NULL ? -EINVAL : load(items, index, &bits);
    return r < 0 ? r : join(r, kin__item_to_float(items->type, bits, ret_number));
}

int kin__items_set_int(const struct kin__items *items, uint64_t index, int64_t number)
{
    uint64_t bits = 0;
    int r = items == NULL ? -EINVAL : kin__item_from_int(items->type, number, &bits);
    return r < 0 ? r : store(items, index, bits);
}

int kin__items_set_uint(const struct kin__items *items, uint64_t index, uint64_t number)
{
    uint64_t bits = 0;
    int r = items == NULL ? -EINVAL : kin__item_from_uint(items->type, number, &bits);
    return r < 0 ? r : store(items, index, bits);
}

int kin__items_set_float(const struct kin__items *items, uint64_t index, double number)
{
    uint64_t bits = 0;
    int r = items == NULL ? -EINVAL : kin__item_from_float(items->type, number, &bits);
    return r < 0 ? r : store(items, index, bits);
}

/* Whether there is such an item, and it is a handle. */
static int begin_handle(const struct kin__items *items, uint64_t index)
{
    if (items == NULL || items->type->class != KIN__ITEM_HANDLE) {
        return -EINVAL;
    }
    return kin__items_begin(items, index, 1);
}

int kin__items_get_handle(const struct kin__items *items, uint64_t index, kin_handle *ret_handle)
{
    int r = ret_handle == NULL ? -EINVAL : begin_handle(items, index);
    if (r < 0) {
        return r;
    }
    *ret_handle = kin__reference_read(kin__items_reference(items, index));
    kin__items_end(items);
    return r;
}

int kin__items_set_handle(const struct kin__items *items, uint64_t index, kin_handle handle)
{
    int r = begin_handle(items, index);
    if (r < 0) {
        return r;
    }
    int replaced = kin__reference_replace(kin__items_reference(items, index), handle);
    kin__items_end(items);
    return join(r, replaced);
}

/* --- single items, without the lock --- */

static int look_at_integer(const struct kin__items *items, uint64_t index)
{
    int r = look(items, index, 1);
    return r == 0 && !kin__item_is_integer(items->type) ? -EINVAL : r;
}

static void tell_old(const struct kin__items *items, uint64_t bits, int64_t *ret_old)
{
    if (ret_old != NULL) {
        *ret_old = kin__item_unwrap(items->type, bits);
    }
}

int kin__items_add_int(const struct kin__items *items, uint64_t index, int64_t number,
                       int64_t *ret_old)
{
    int r = look_at_integer(items, index);
    if (r < 0) {
        return r;
    }
    uint64_t bits = kin__item_wrap(items->type, number);
    bits = kin__item_add(items->type, kin__items_number(items, index), bits);
    tell_old(items, bits, ret_old);
    return 0;
}

int kin__items_add_float(const struct kin__items *items, uint64_t index, double number,
                         double *ret_old)
{
    int r = look(items, index, 1);
    if (r < 0 || items->type->class != KIN__ITEM_FLOAT) {
        return r < 0 ? r : -EINVAL;
    }
    double old = kin__item_add_float(items->type, kin__items_number(items, index), number);
    if (ret_old != NULL) {
        *ret_old = old;
    }
    return 0;
}

int kin__items_exchange_int(const struct kin__items *items, uint64_t index, int64_t number,
                            int64_t *ret_old)
{
    int r = look_at_integer(items, index);
    if (r < 0) {
        return r;
    }
    uint64_t bits = kin__item_wrap(items->type, number);
    bits = kin__item_exchange(items->type, kin__items_number(items, index), bits);
    tell_old(items, bits, ret_old);
    return 0;
}

int kin__items_compare_exchange_int(const struct kin__items *items, uint64_t index,
                                    int64_t expected, int64_t number, int64_t *ret_old)
{
    int r = look_at_integer(items, index);
    if (r < 0) {
        return r;
    }
    uint64_t seen = kin__item_wrap(items->type, expected);
    bool is_done = kin__item_compare_exchange(items->type, kin__items_number(items, index), &seen,
                                              kin__item_wrap(items->type, number));
    tell_old(items, seen, ret_old);
    return is_done ? 0 : -EAGAIN;
}

/* --- the verifier --- */

void kin__items_verify(struct kin__verifier *verifier, uint32_t index, const void *at)
{
    const struct kin__items_shared *shared = at;
    /* Code 0: its maker was killed before it was ready. */
    if (shared->code != 0 && !is_sound(&verifier->memory, shared)) {
        kin__verify_fail(verifier, "items %u: no such type or length", index);
    }
}
