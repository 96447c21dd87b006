/**
 * The items of a kin_shared_list: setting, reading, searching.
 */
#include "shared/list_layout.h"

#include <string.h>

bool kin__list_is_sound(const kin_shared_item *item)
{
    return item != NULL && (unsigned)item->kind <= KIN_SHARED_BYTES &&
           (!kin__list_has_bytes(item->kind) || item->bytes.data != NULL || item->bytes.size == 0);
}

void kin__list_fill(struct kin__list_shared *shared, struct kin__list_place *place, uint32_t number,
                    const kin_shared_item *item)
{
    struct kin__list_side *side = &place->sides[number];
    uint64_t bits = 0;
    if (kin__list_has_bytes(item->kind)) {
        bits = item->bytes.size;
    } else if (item->kind == KIN_SHARED_FLOAT) {
        memcpy(&bits, &item->number, sizeof bits);
    } else if (item->kind != KIN_SHARED_NONE) {
        bits = item->kind == KIN_SHARED_BOOL ? item->boolean : (uint64_t)item->integer;
    }
    side->kind = (uint32_t)item->kind;
    side->bits = bits;
    if (kin__list_has_bytes(item->kind) && bits != 0) {
        memcpy(kin__list_bytes(shared, place, number), item->bytes.data, bits);
    }
}

/* A place that is being read or written, with the list locked. */
struct access {
    struct kin__list_shared *shared;
    struct kin__thread *self;
    struct kin__list_place *place;
};

static int begin(const kin_shared_list *list, uint64_t index, struct access *access)
{
    int r = kin__object_enter(list, &access->shared, &access->self);
    if (r < 0) {
        return r;
    }
    if (index >= access->shared->length) {
        return -ERANGE;
    }
    access->place = &access->shared->places[index];
    if (!kin__list_has_place(access->shared, access->place)) {
        return -EBADMSG;
    }
    kin__lock_acquire(&access->shared->lock, access->self); /* its holder left nothing half done */
    return 0;
}

static void end(const struct access *access)
{
    kin__lock_release(&access->shared->lock, access->self);
}

int kin_shared_list_set(kin_shared_list *list, uint64_t index, const kin_shared_item *item)
{
    struct access access;
    int r = kin__list_is_sound(item) ? begin(list, index, &access) : -EINVAL;
    if (r < 0) {
        return r;
    }
    struct kin__list_place *place = access.place;
    if (kin__list_has_bytes(item->kind) && item->bytes.size > place->capacity) {
        r = -EMSGSIZE;
    } else {
        uint32_t other = 1 - atomic_load_explicit(&place->current, memory_order_relaxed);
        kin__list_fill(access.shared, place, other, item);
        /* A kill before it leaves the old item; the fill is seen by the next holder of the lock. */
        atomic_store_explicit(&place->current, other, memory_order_release);
    }
    end(&access);
    return r;
}

int kin_shared_list_set_none(kin_shared_list *list, uint64_t index)
{
    static const kin_shared_item none;
    return kin_shared_list_set(list, index, &none);
}

int kin_shared_list_set_bool(kin_shared_list *list, uint64_t index, bool boolean)
{
    kin_shared_item item = {.kind = KIN_SHARED_BOOL, .boolean = boolean};
    return kin_shared_list_set(list, index, &item);
}

int kin_shared_list_set_int(kin_shared_list *list, uint64_t index, int64_t integer)
{
    kin_shared_item item = {.kind = KIN_SHARED_INT, .integer = integer};
    return kin_shared_list_set(list, index, &item);
}

int kin_shared_list_set_float(kin_shared_list *list, uint64_t index, double number)
{
    kin_shared_item item = {.kind = KIN_SHARED_FLOAT, .number = number};
    return kin_shared_list_set(list, index, &item);
}

int kin_shared_list_set_string(kin_shared_list *list, uint64_t index, const char *string)
{
    if (string == NULL) {
        return -EINVAL;
    }
    kin_shared_item item = {.kind = KIN_SHARED_STRING,
                            .bytes = {.data = string, .size = strlen(string)}};
    return kin_shared_list_set(list, index, &item);
}

int kin_shared_list_set_bytes(kin_shared_list *list, uint64_t index, const void *data, size_t size)
{
    kin_shared_item item = {.kind = KIN_SHARED_BYTES, .bytes = {.data = data, .size = size}};
    return kin_shared_list_set(list, index, &item);
}

/* What stands on the side that counts; of a string or bytes the size, and where they are. */
static kin_shared_item look(const struct access *access)
{
    const struct kin__list_place *place = access->place;
    uint32_t current = atomic_load_explicit(&place->current, memory_order_relaxed) & 1;
    const struct kin__list_side *side = &place->sides[current];
    kin_shared_item item = {.kind = (kin_shared_kind)side->kind, .capacity = place->capacity};
    if (kin__list_has_bytes(side->kind)) {
        item.bytes.data = kin__list_bytes(access->shared, place, current);
        item.bytes.size = side->bits < place->capacity ? side->bits : place->capacity;
    } else if (side->kind == KIN_SHARED_FLOAT) {
        memcpy(&item.number, &side->bits, sizeof item.number);
    } else {
        item.boolean = side->kind == KIN_SHARED_BOOL && side->bits != 0;
        item.integer = side->kind == KIN_SHARED_INT ? (int64_t)side->bits : 0;
    }
    return item;
}

/* Moves the bytes of an item to the caller's memory. */
static int copy_out(kin_shared_item *item, unsigned char *room, size_t room_bytes)
{
    const void *data = item->bytes.data;
    size_t size = item->bytes.size;
    size_t wanted = size + (item->kind == KIN_SHARED_STRING);
    item->bytes.data = NULL;
    if (wanted > room_bytes || (room == NULL && wanted != 0)) {
        return -EMSGSIZE;
    }
    if (size != 0) {
        memcpy(room, data, size);
    }
    if (item->kind == KIN_SHARED_STRING) {
        room[size] = '\0';
    }
    item->bytes.data = room;
    return 0;
}

int kin_shared_list_get(const kin_shared_list *list, uint64_t index, void *room, size_t room_bytes,
                        kin_shared_item *ret_item)
{
    struct access access;
    int r = ret_item == NULL ? -EINVAL : begin(list, index, &access);
    if (r < 0) {
        return r;
    }
    *ret_item = look(&access);
    if (kin__list_has_bytes(ret_item->kind)) {
        r = copy_out(ret_item, room, room_bytes);
    }
    end(&access);
    return r;
}

/* An item of one kind; -EINVAL: it is of another. */
static int get(const kin_shared_list *list, uint64_t index, kin_shared_kind kind,
               kin_shared_item *ret_item)
{
    int r = kin_shared_list_get(list, index, NULL, 0, ret_item);
    if (r < 0 && r != -EMSGSIZE) {
        return r;
    }
    return ret_item->kind == kind ? 0 : -EINVAL;
}

int kin_shared_list_get_kind(const kin_shared_list *list, uint64_t index, kin_shared_kind *ret_kind)
{
    kin_shared_item item;
    int r = ret_kind == NULL ? -EINVAL : kin_shared_list_get(list, index, NULL, 0, &item);
    if (r == 0 || r == -EMSGSIZE) {
        *ret_kind = item.kind;
        r = 0;
    }
    return r;
}

int kin_shared_list_get_bool(const kin_shared_list *list, uint64_t index, bool *ret_boolean)
{
    kin_shared_item item;
    int r = ret_boolean == NULL ? -EINVAL : get(list, index, KIN_SHARED_BOOL, &item);
    if (r == 0) {
        *ret_boolean = item.boolean;
    }
    return r;
}

int kin_shared_list_get_int(const kin_shared_list *list, uint64_t index, int64_t *ret_integer)
{
    kin_shared_item item;
    int r = ret_integer == NULL ? -EINVAL : get(list, index, KIN_SHARED_INT, &item);
    if (r == 0) {
        *ret_integer = item.integer;
    }
    return r;
}

int kin_shared_list_get_float(const kin_shared_list *list, uint64_t index, double *ret_number)
{
    kin_shared_item item;
    int r = ret_number == NULL ? -EINVAL : get(list, index, KIN_SHARED_FLOAT, &item);
    if (r == 0) {
        *ret_number = item.number;
    }
    return r;
}

int kin_shared_list_get_string(const kin_shared_list *list, uint64_t index, char *text,
                               size_t text_bytes)
{
    kin_shared_item item;
    int r = text == NULL ? -EINVAL : kin_shared_list_get(list, index, text, text_bytes, &item);
    if (r < 0 && r != -EMSGSIZE) {
        return r;
    }
    return item.kind == KIN_SHARED_STRING ? r : -EINVAL;
}

int kin_shared_list_get_bytes(const kin_shared_list *list, uint64_t index, void *room,
                              size_t room_bytes, kin_bytes *ret_bytes)
{
    kin_shared_item item;
    int r = ret_bytes == NULL ? -EINVAL : kin_shared_list_get(list, index, room, room_bytes, &item);
    if (r < 0 && r != -EMSGSIZE) {
        return r;
    }
    if (item.kind != KIN_SHARED_BYTES) {
        return -EINVAL;
    }
    if (r == 0) {
        *ret_bytes = item.bytes;
    }
    return r;
}

/* --- searching --- */

static bool is_same(const kin_shared_item *a, const kin_shared_item *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case KIN_SHARED_BOOL:
        return a->boolean == b->boolean;
    case KIN_SHARED_INT:
        return a->integer == b->integer;
    case KIN_SHARED_FLOAT:
        return a->number == b->number;
    case KIN_SHARED_STRING:
    case KIN_SHARED_BYTES:
        return a->bytes.size == b->bytes.size &&
               (a->bytes.size == 0 || memcmp(a->bytes.data, b->bytes.data, a->bytes.size) == 0);
    default:
        return true;
    }
}

/* 1 or 0: whether there stands such an item; or a code. */
static int matches(const kin_shared_list *list, uint64_t index, const kin_shared_item *item)
{
    struct access access;
    int r = begin(list, index, &access);
    if (r < 0) {
        return r;
    }
    kin_shared_item seen = look(&access);
    r = is_same(&seen, item);
    end(&access);
    return r;
}

int kin_shared_list_index(const kin_shared_list *list, const kin_shared_item *item,
                          uint64_t *ret_index)
{
    if (list == NULL || !kin__list_is_sound(item) || ret_index == NULL) {
        return -EINVAL;
    }
    int r = 0;
    for (uint64_t i = 0; r == 0; i++) {
        r = matches(list, i, item);
        if (r == 1) {
            *ret_index = i;
        }
    }
    return r == 1 ? 0 : r == -ERANGE ? -ENOENT : r;
}

uint64_t kin_shared_list_count(const kin_shared_list *list, const kin_shared_item *item)
{
    uint64_t count = 0;
    uint64_t length = kin__list_is_sound(item) ? kin_shared_list_length(list) : 0;
    for (uint64_t i = 0; i < length; i++) {
        count += matches(list, i, item) == 1;
    }
    return count;
}
