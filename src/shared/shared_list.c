/**
 * kin_shared_list: making, opening, checking; items are set and read in list_item.c.
 */
#include "shared/list_layout.h"

#include "family/verify.h"
#include "shared/type.h"

static void check_place(struct kin__verifier *verifier, uint32_t index,
                        const struct kin__list_shared *shared, const struct kin__list_place *place)
{
    uint32_t current = atomic_load(&place->current);
    const struct kin__list_side *side = &place->sides[current & 1];
    if (current > 1 || side->kind > KIN_SHARED_BYTES ||
        (kin__list_has_bytes(side->kind) && side->bits > place->capacity)) {
        kin__verify_fail(verifier, "shared list %u: an item cannot be", index);
    }
    if (!kin__list_has_place(shared, place)) {
        kin__verify_fail(verifier, "shared list %u: an item lies outside", index);
    }
}

/* Whether the places lie in the list, and that in the memory. */
static bool is_list_sound(const struct kin__memory *memory, const struct kin__list_shared *shared)
{
    uint64_t offset = (uint64_t)((const unsigned char *)shared - memory->base);
    return kin__memory_has(memory, offset, shared->end) &&
           shared->length <= shared->end / sizeof(struct kin__list_place);
}

static void verify(struct kin__verifier *verifier, uint32_t index, const void *at)
{
    const struct kin__list_shared *shared = at;
    if (!is_list_sound(&verifier->memory, shared)) {
        kin__verify_fail(verifier, "shared list %u: no such length", index);
        return;
    }
    for (uint64_t i = 0; i < shared->length; i++) {
        check_place(verifier, index, shared, &shared->places[i]);
    }
}

static const struct kin__type list_type = {
    .id = KIN__TYPE_SHARED_LIST, .name = "shared list", .verify = verify};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&list_type);
}

/* --- making --- */

static const kin_shared_item none;

static const kin_shared_item *item_at(const kin_shared_item *items, uint64_t index)
{
    return items == NULL ? &none : &items[index];
}

static uint64_t capacity_of(const kin_shared_item *item)
{
    uint64_t size = kin__list_has_bytes(item->kind) ? item->bytes.size : 0;
    return size > item->capacity ? size : item->capacity;
}

/* How many bytes the list takes. 0, or -EINVAL, -ENOMEM. */
static int measure(const kin_shared_item *items, uint64_t length, uint64_t *ret_bytes)
{
    uint64_t limit = INT64_MAX;
    uint64_t bytes = sizeof(struct kin__list_shared);
    if (length > limit / sizeof(struct kin__list_place) / 2) {
        return -ENOMEM;
    }
    bytes += length * sizeof(struct kin__list_place);
    for (uint64_t i = 0; i < length; i++) {
        const kin_shared_item *item = item_at(items, i);
        if (!kin__list_is_sound(item)) {
            return -EINVAL;
        }
        uint64_t capacity = capacity_of(item);
        if (capacity > limit / 4 || bytes > limit / 2) {
            return -ENOMEM;
        }
        bytes += 2 * kin__u64_align_up(capacity, 8);
    }
    *ret_bytes = bytes;
    return 0;
}

static void lay_out(struct kin__list_shared *shared, const kin_shared_item *items, uint64_t length,
                    uint64_t bytes)
{
    uint64_t offset = sizeof *shared + length * sizeof(struct kin__list_place);
    for (uint64_t i = 0; i < length; i++) {
        struct kin__list_place *place = &shared->places[i];
        place->capacity = capacity_of(item_at(items, i));
        place->bytes = offset;
        offset += 2 * kin__u64_align_up(place->capacity, 8);
        kin__list_fill(shared, place, 0, item_at(items, i));
    }
    shared->length = length;
    shared->end = bytes;
}

int kin_shared_list_create(const kin_shared_item *items, uint64_t length,
                           const kin_shared_list_options *options, kin_shared_list **ret_list)
{
    static const kin_shared_list_options defaults = {.size = sizeof defaults};
    uint64_t bytes = 0;
    options = options == NULL ? &defaults : options;
    if (ret_list == NULL || options->size != sizeof *options) {
        return -EINVAL;
    }
    int r = measure(items, length, &bytes);
    if (r < 0) {
        return r;
    }
    struct kin__object_plan plan = {.type = KIN__TYPE_SHARED_LIST,
                                    .scope = options->scope,
                                    .size = sizeof(kin_shared_list),
                                    .bytes = bytes};
    kin_shared_list *list = NULL;
    r = kin__object_create(&plan, &list);
    if (r < 0) {
        return r;
    }
    lay_out(list->object.shared, items, length, bytes);
    *ret_list = list;
    return 0;
}

int kin_shared_list_attach(kin_handle handle, kin_shared_list **ret_list)
{
    kin_shared_list *list = NULL;
    int r = ret_list == NULL
                ? -EINVAL
                : kin__object_attach(KIN__TYPE_SHARED_LIST, sizeof *list, handle, &list);
    if (r < 0) {
        return r;
    }
    if (!is_list_sound(&kin__family.memory, list->object.shared)) {
        kin_shared_list_free(list);
        return -EBADMSG;
    }
    *ret_list = list;
    return 0;
}

kin_shared_list *kin_shared_list_free(kin_shared_list *list)
{
    kin__object_free(list);
    return NULL;
}

kin_handle kin_shared_list_handle(const kin_shared_list *list)
{
    return kin__object_handle(list);
}

uint64_t kin_shared_list_length(const kin_shared_list *list)
{
    const struct kin__list_shared *shared = list == NULL ? NULL : list->object.shared;
    return shared == NULL ? 0 : shared->length;
}

size_t kin_shared_list_capacity(const kin_shared_list *list, uint64_t index)
{
    const struct kin__list_shared *shared = list == NULL ? NULL : list->object.shared;
    return shared == NULL || index >= shared->length ? 0 : shared->places[index].capacity;
}
