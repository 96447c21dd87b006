/* The stack of values, and how values leave it. */
#include "object/decode/decode.h"

#include "base/allocate.h"
#include "object/instance.h"

int kin__decode_need(struct decoder *decoder, size_t count)
{
    const struct decode_cursor *cursor = &decoder->cursor;
    if ((size_t)(cursor->top - cursor->floor) < count) {
        return kin__decode_fail(decoder, -EBADMSG, "a value is missing on the stack");
    }
    return 0;
}

/* Where the part of the stack below the last MARK begins. */
static kin_object **floor_below(const struct decoder *decoder)
{
    return decoder->stack + ((uintptr_t)decoder->cursor.floor[-1] >> 2);
}

int kin__decode_need_mark(struct decoder *decoder, size_t count, kin_object ***ret_items,
                          size_t *ret_count)
{
    const struct decode_cursor *cursor = &decoder->cursor;
    if (cursor->floor == decoder->stack) {
        return kin__decode_fail(decoder, -EBADMSG, "there is no MARK");
    }
    if ((size_t)(cursor->floor - 1 - floor_below(decoder)) < count) {
        return kin__decode_fail(decoder, -EBADMSG, "a value is missing below the MARK");
    }
    *ret_items = cursor->floor;
    *ret_count = (size_t)(cursor->top - cursor->floor);
    return 0;
}

void kin__decode_take_mark(struct decoder *decoder)
{
    struct decode_cursor *cursor = &decoder->cursor;
    cursor->top = cursor->floor - 1;
    cursor->floor = floor_below(decoder);
}

static int append_dropped(struct decoder *decoder, kin_object *object)
{
    if (decoder->dropped_count == decoder->dropped_capacity) {
        size_t capacity = decoder->dropped_capacity == 0 ? 64 : 2 * decoder->dropped_capacity;
        size_t more = capacity - decoder->dropped_capacity;
        int r = kin__decode_charge(decoder, more * sizeof object);
        if (r < 0) {
            return r;
        }
        kin_object **dropped = kin__reallocate(decoder->dropped, capacity * sizeof object);
        if (dropped == NULL) {
            return kin__decode_fail_with(decoder, -ENOMEM, NULL);
        }
        decoder->dropped = dropped;
        decoder->dropped_capacity = capacity;
    }
    decoder->dropped[decoder->dropped_count++] = object;
    return 0;
}

int kin__decode_drop(struct decoder *decoder, kin_object *object)
{
    if (!kin__is_in_memory(object)) {
        return 0;
    }
    if ((object->flags & KIN__MAY_CIRCLE) == 0 && atomic_load(&object->count) > 1) {
        kin_object_free(object); /* not the last reference */
        return 0;
    }
    return append_dropped(decoder, object);
}

int kin__decode_drop_both(struct decoder *decoder, kin_object *first, kin_object *second)
{
    int r = kin__decode_drop(decoder, first);
    int s = kin__decode_drop(decoder, second);
    kin_object_free(r < 0 ? first : NULL); /* then the memo is not asked any more */
    kin_object_free(s < 0 ? second : NULL);
    return r < 0 ? r : s;
}

/* Whether it may be a buffer of the caller, at which other threads look: no mark is made on it. */
static bool may_be_buffer(const kin_object *object)
{
    return object->kind == KIN_KIND_BYTES || object->kind == KIN_KIND_BYTEARRAY;
}

int kin__decode_keep_object(struct decoder *decoder, kin_object *object)
{
    if (!kin__is_in_memory(object) || (object->flags & KIN__KEPT) != 0) {
        return 0;
    }
    int r = append_dropped(decoder, object);
    if (r == 0) {
        kin_object_ref(object);
        object->flags |= may_be_buffer(object) ? 0 : KIN__KEPT;
    }
    return r;
}

void kin__decode_clear(struct decoder *decoder)
{
    size_t count = 0;
    for (kin_object **value = decoder->stack; value < decoder->cursor.top; value++) {
        if (!kin__decode_is_mark(*value)) {
            decoder->stack[count++] = *value;
        }
    }
    for (size_t i = 0; i < decoder->dropped_count; i++) {
        if (!may_be_buffer(decoder->dropped[i])) {
            decoder->dropped[i]->flags &= (uint8_t)~KIN__KEPT;
        }
    }
    kin__objects_free(decoder->stack, count);
    kin__objects_free(decoder->dropped, decoder->dropped_count);
}

int kin__decode_dup(struct decoder *decoder)
{
    int r = kin__decode_need(decoder, 1);
    if (r == 0) {
        r = kin__decode_charge_object(decoder, 0);
    }
    if (r < 0) {
        return r;
    }
    kin_object *value = decoder->cursor.top[-1];
    decoder->is_depth_doubtful = decoder->is_depth_doubtful || kin__is_container(value);
    return kin__decode_push(decoder, kin_object_ref(value));
}

/* A call whose result is dropped: what it did to its first argument is noted there. */
static bool is_effect(const kin_object *object, kin_object **ret_target)
{
    if (kin__kind(object) != KIN_KIND_OPAQUE) {
        return false;
    }
    const struct object_instance *call = (const struct object_instance *)object;
    kin_object *target = kin_object_at(call->arguments, 0);
    *ret_target = target;
    return call->made_by == MADE_BY_CALL && kin__kind(target) == KIN_KIND_OPAQUE &&
           target != object;
}

int kin__decode_pop(struct decoder *decoder)
{
    struct decode_cursor *cursor = &decoder->cursor;
    if (cursor->top == cursor->floor && cursor->floor != decoder->stack) {
        kin__decode_take_mark(decoder);
        return 0;
    }
    int r = kin__decode_need(decoder, 1);
    if (r < 0) {
        return r;
    }
    kin_object *value = cursor->top[-1];
    kin_object *target;
    if (is_effect(value, &target)) {
        r = kin__decode_charge(decoder, 2 * sizeof(struct instance_part));
        if (r == 0) { /* a circle: it has to be let go once, also if only this call leads to it */
            r = kin__decode_keep_object(decoder, target);
        }
        if (r == 0) {
            cursor->top--;
            decoder->is_depth_doubtful = true;
            r = kin__instance_add_effect(target, 0, value);
            r = r < 0 ? kin__decode_fail_with(decoder, r, "it has no such state") : 0;
        }
        return r;
    }
    r = kin__decode_drop(decoder, value);
    if (r == 0) {
        cursor->top--;
    }
    return r;
}

int kin__decode_pop_mark(struct decoder *decoder)
{
    kin_object **items;
    size_t count;
    int r = kin__decode_need_mark(decoder, 0, &items, &count);
    while (r == 0 && decoder->cursor.top > items) {
        r = kin__decode_drop(decoder, decoder->cursor.top[-1]);
        if (r == 0) {
            decoder->cursor.top--;
        }
    }
    if (r == 0) {
        kin__decode_take_mark(decoder);
    }
    return r;
}
