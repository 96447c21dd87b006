/* Lists, tuples, dicts, sets: making them, and putting values into them. */
#include "object/list.h"
#include "object/table.h"

#include "object/decode/decode.h"
#include "object/instance.h"

/* Bytes that a value costs in the array of a list, or of what has its form. */
enum { ITEM_BYTES = 16, PAIR_BYTES = 64 };

static int push_made(struct decoder *decoder, kin_object *object)
{
    return object == NULL ? kin__decode_fail_with(decoder, -ENOMEM, NULL)
                          : kin__decode_push(decoder, object);
}

/* --- making --- */

int kin__decode_empty_list(struct decoder *decoder)
{
    int r = kin__decode_charge_object(decoder, sizeof(struct object_list));
    return r < 0 ? r : push_made(decoder, kin__list_create(&decoder->arena, 0));
}

static int push_empty_table(struct decoder *decoder, kin_kind kind)
{
    int r = kin__decode_charge_object(decoder, sizeof(struct object_table));
    return r < 0 ? r : push_made(decoder, kin__table_create(&decoder->arena, kind, 0));
}

int kin__decode_empty_dict(struct decoder *decoder)
{
    return push_empty_table(decoder, KIN_KIND_DICT);
}

int kin__decode_empty_set(struct decoder *decoder)
{
    return push_empty_table(decoder, KIN_KIND_SET);
}

/* A tuple of the values from `items` on, which it replaces. */
static int make_tuple(struct decoder *decoder, kin_object **items, size_t count)
{
    int r = kin__decode_charge_object(decoder, sizeof(struct object_tuple) + count * sizeof *items);
    if (r < 0) {
        return r;
    }
    kin_object *tuple = kin__tuple_create(&decoder->arena, items, count);
    if (tuple == NULL) {
        return kin__decode_fail_with(decoder, -ENOMEM, NULL);
    }
    decoder->cursor.top = items;
    kin__decode_push(decoder, tuple);
    return kin__decode_check_depth(decoder, tuple);
}

int kin__decode_empty_tuple(struct decoder *decoder)
{
    return make_tuple(decoder, decoder->cursor.top, 0);
}

int kin__decode_tuple1(struct decoder *decoder)
{
    int r = kin__decode_need(decoder, 1);
    return r < 0 ? r : make_tuple(decoder, decoder->cursor.top - 1, 1);
}

int kin__decode_tuple2(struct decoder *decoder)
{
    int r = kin__decode_need(decoder, 2);
    return r < 0 ? r : make_tuple(decoder, decoder->cursor.top - 2, 2);
}

int kin__decode_tuple3(struct decoder *decoder)
{
    int r = kin__decode_need(decoder, 3);
    return r < 0 ? r : make_tuple(decoder, decoder->cursor.top - 3, 3);
}

int kin__decode_tuple(struct decoder *decoder)
{
    kin_object **items;
    size_t count;
    int r = kin__decode_need_mark(decoder, 0, &items, &count);
    if (r == 0) {
        r = make_tuple(decoder, items, count);
    }
    if (r == 0) {
        kin__decode_take_mark(decoder);
        kin__decode_push(decoder, items[0]);
    }
    return r;
}

/* --- filling what is new --- */

/*
 * Lists and dicts that are new and small when they get their values, as most are: filled in one go,
 * with an array behind them in the region. What is not like that is left to the functions below, as
 * if nothing had been tried: until all was looked at, nothing is charged or taken; only the parts
 * may have been marked as inside something.
 */

/* Whether `whole` may get an array of `bytes` bytes, for which `charge` is counted. */
static inline bool can_fill(const struct decoder *decoder, const kin_object *whole, kin_kind kind,
                            size_t bytes, size_t charge)
{
    return kin__is_in_memory(whole) && whole->kind == (uint8_t)kind &&
           (whole->flags & KIN__KEPT) == 0 && decoder->memory_left >= charge &&
           kin__arena_has_room(&decoder->arena, whole, bytes);
}

/* The array, of which `bytes` are used now. */
static inline void take_array(struct decoder *decoder, size_t bytes, size_t charge)
{
    decoder->memory_left -= charge;
    decoder->arena.next += bytes;
}

/* Looks at a value that goes into a container of this depth. Returns how deep that is then: not 0
 * once there is a container in it. */
static inline uint32_t look_at(const kin_object *part, uint32_t depth)
{
    if (!kin__is_container(part)) {
        return depth;
    }
    kin__mark_inside(part);
    uint32_t own_depth = ((const struct container *)part)->depth + 1;
    return own_depth > depth ? own_depth : depth;
}

/* What stands in a container that is filled now. See kin__object_link, kin__depth_add. */
static inline void complete(struct container *whole, uint32_t depth)
{
    bool is_referred_to = atomic_load_explicit(&whole->object.count, memory_order_relaxed) > 1;
    whole->depth = depth;
    whole->object.flags |= KIN__ARRAY_IN_REGION;
    whole->object.flags |= depth != 0 && is_referred_to ? KIN__MAY_CIRCLE : 0;
}

bool kin__decode_fill_list(struct decoder *decoder, kin_object *whole, kin_object *const *items,
                           size_t count)
{
    struct object_list *list = (struct object_list *)whole;
    size_t bytes = count * sizeof *items;
    size_t charge = (count + 1) * ITEM_BYTES;
    if (!can_fill(decoder, whole, KIN_KIND_LIST, bytes, charge) || list->capacity != 0 ||
        count == 0) {
        return false;
    }
    kin_object **array = (kin_object **)(void *)decoder->arena.next;
    uint32_t depth = list->container.depth;
    for (size_t i = 0; i < count; i++) {
        depth = look_at(items[i], depth);
        array[i] = items[i];
    }
    if (depth >= decoder->depth_max) {
        return false;
    }
    take_array(decoder, bytes, charge);
    complete(&list->container, depth);
    list->items = array;
    list->capacity = count;
    list->count = count;
    return true;
}

/* Keys that most dicts have: a str, or an int in the pointer. */
static inline bool is_plain_key(const kin_object *key)
{
    return kin__is_small_int(key) || (kin__is_in_memory(key) && key->kind == KIN_KIND_STR);
}

/* Whether two plain keys may be equal: they are of one size, and begin alike. */
static inline bool may_equal(const kin_object *one, const kin_object *other)
{
    if (kin__is_small_int(one) || kin__is_small_int(other)) {
        return one == other;
    }
    const struct object_text *one_text = (const struct object_text *)one;
    const struct object_text *other_text = (const struct object_text *)other;
    return one_text->size == other_text->size && one_text->bytes[0] == other_text->bytes[0];
}

/* Whether a key is plain, as those before it, and surely none of them. */
static inline bool is_new(const struct table_entry *entries, size_t count, const kin_object *key)
{
    bool is_good = is_plain_key(key);
    for (size_t i = 0; i < count && is_good; i++) {
        is_good = !may_equal(entries[i].key, key);
    }
    return is_good;
}

/* The entries of an earlier dict that was filled here, of as many keys; NULL: there is none. Dicts
 * of one kind are often alike: what has its very keys, in its order, has plain ones that are
 * different. Once there are hooks, that dict may have ended. */
static inline const struct table_entry *find_alike(const struct decoder *decoder, size_t count)
{
    const struct object_table *other = decoder->shapes[count % DECODE_SHAPES];
    bool is_alike = other != NULL && !decoder->is_keeping && other->count == count &&
                    other->used == count;
    return is_alike ? other->entries : NULL;
}

bool kin__decode_fill_dict(struct decoder *decoder, kin_object *whole, kin_object *const *items,
                           size_t count)
{
    struct object_table *table = (struct object_table *)whole;
    size_t pair_count = count / 2;
    size_t bytes = pair_count * sizeof *table->entries;
    size_t charge = pair_count * PAIR_BYTES;
    if (!can_fill(decoder, whole, KIN_KIND_DICT, bytes, charge) || table->capacity != 0 ||
        pair_count - 1 >= KIN__TABLE_SMALL || count % 2 != 0) {
        return false;
    }
    const struct table_entry *alike = find_alike(decoder, pair_count);
    struct table_entry *entries = (struct table_entry *)(void *)decoder->arena.next;
    uint32_t depth = table->container.depth;
    for (size_t i = 0; i < pair_count; i++) {
        kin_object *key = items[2 * i];
        if (alike == NULL || alike[i].key != key) {
            alike = NULL;
            if (!is_new(entries, i, key)) {
                return false;
            }
        }
        depth = look_at(items[2 * i + 1], depth);
        entries[i] = (struct table_entry){key, items[2 * i + 1], 0};
    }
    if (depth >= decoder->depth_max) {
        return false;
    }
    take_array(decoder, bytes, charge);
    complete(&table->container, depth);
    table->entries = entries;
    table->capacity = pair_count;
    table->used = pair_count;
    table->count = pair_count;
    decoder->shapes[pair_count % DECODE_SHAPES] = table;
    return true;
}

/* --- filling --- */

/* Appends to a list, for which it takes an array beside it if it is new. Takes on success only. */
static int extend(struct decoder *decoder, kin_object *object, kin_object **items, size_t count)
{
    struct object_list *list = (struct object_list *)object;
    int r = kin__decode_charge(decoder, (count + 1) * ITEM_BYTES);
    if (r < 0) {
        return r;
    }
    if (list->capacity == 0 && count != 0) {
        list->items = kin__arena_array(&decoder->arena, list, count * sizeof *items);
        if (list->items != NULL) {
            list->capacity = count;
            list->container.object.flags |= KIN__ARRAY_IN_REGION;
        }
    }
    r = kin__list_extend(object, items, count, kin__decode_own_count(object));
    return r < 0 ? kin__decode_fail_with(decoder, r, NULL) : 0;
}

/* Sets pairs, or adds members, where `step` is 1. What is taken leaves None in its place. */
static int fill(struct decoder *decoder, kin_object *object, kin_object **items, size_t count,
                size_t step)
{
    struct object_table *table = (struct object_table *)object;
    int r = kin__decode_charge(decoder, (count / step) * PAIR_BYTES);
    if (r == 0) {
        r = kin__table_reserve(&decoder->arena, table, count / step, &decoder->effort);
    }
    uint32_t own_count = kin__decode_own_count(object);
    for (size_t i = 0; r == 0 && i < count; i += step) {
        kin_object *key = items[i];
        kin_object *value = step == 1 ? NULL : items[i + 1];
        kin__object_link(&table->container, key, own_count);
        kin__object_link(&table->container, value, own_count);
        items[i] = KIN__NONE;
        items[i + step - 1] = KIN__NONE;
        struct table_entry over;
        r = kin__table_put(table, key, value, &decoder->effort, &over);
        if (r == 1) { /* there was an equal key: the memo may name what is left over */
            r = kin__decode_drop_both(decoder, over.key, over.value);
        }
    }
    return r == 0 || decoder->reason != NULL
               ? r
               : kin__decode_fail_with(decoder, r == -EINVAL ? -EBADMSG : r, "it can be no key");
}

static bool is_made_by_class(const kin_object *object)
{
    kin_kind kind = kin__kind(object);
    return kind == KIN_KIND_INSTANCE || kind == KIN_KIND_OPAQUE;
}

/* How an instance or opaque object takes values, which are the callee's in any case. */
typedef int take_function(kin_object *whole, uint32_t own_count, kin_object *const *items,
                          size_t count);

/* Lets an instance take the values from `items` on, to which the stack is cut. */
static int let_take(struct decoder *decoder, kin_object *whole, kin_object **items,
                    take_function *take)
{
    size_t count = (size_t)(decoder->cursor.top - items);
    kin__decode_hurry(decoder);
    int r = kin__decode_charge(decoder, (count + 2) * PAIR_BYTES);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < count; i++) {
        kin__depth_add((struct container *)whole, items[i]);
    }
    decoder->cursor.top = items;
    r = take(whole, kin__decode_own_count(whole), items, count);
    return r < 0 ? kin__decode_fail_with(decoder, r, "its class takes no such parts") : 0;
}

/* Puts the values from `items` on into the one below, or below the MARK. What is left on the
 * stack, the MARK or none of them, is the caller's to cut. */
static int append_values(struct decoder *decoder, kin_object *whole, kin_object **items)
{
    if (is_made_by_class(whole)) {
        return let_take(decoder, whole, items, kin__instance_append);
    }
    if (kin__kind(whole) != KIN_KIND_LIST) {
        return kin__decode_fail(decoder, -EBADMSG, "what is appended to is no list");
    }
    int r = extend(decoder, whole, items, (size_t)(decoder->cursor.top - items));
    if (r == 0) {
        decoder->cursor.top = items;
    }
    return r;
}

static int set_values(struct decoder *decoder, kin_object *whole, kin_object **items)
{
    size_t count = (size_t)(decoder->cursor.top - items);
    if (count % 2 != 0) {
        return kin__decode_fail(decoder, -EBADMSG, "a key without a value");
    }
    if (is_made_by_class(whole)) {
        return let_take(decoder, whole, items, kin__instance_set_pairs);
    }
    if (kin__kind(whole) != KIN_KIND_DICT) {
        return kin__decode_fail(decoder, -EBADMSG, "what gets items is no dict");
    }
    return fill(decoder, whole, items, count, 2);
}

static int add_values(struct decoder *decoder, kin_object *whole, kin_object **items)
{
    if (is_made_by_class(whole)) {
        return let_take(decoder, whole, items, kin__instance_add_members);
    }
    if (kin__kind(whole) != KIN_KIND_SET) {
        return kin__decode_fail(decoder, -EBADMSG, "what gets members is no set");
    }
    return fill(decoder, whole, items, (size_t)(decoder->cursor.top - items), 1);
}

typedef int put_function(struct decoder *decoder, kin_object *whole, kin_object **items);

/* Puts `count` values on top into the one below. */
static int put_top(struct decoder *decoder, size_t count, put_function *put)
{
    int r = kin__decode_need(decoder, count + 1);
    if (r < 0) {
        return r;
    }
    kin_object **items = decoder->cursor.top - count;
    r = put(decoder, items[-1], items);
    if (r < 0) {
        return r;
    }
    decoder->cursor.top = items;
    return kin__decode_check_depth(decoder, items[-1]);
}

/* Puts the values above the MARK into the one below it. */
static int put_marked(struct decoder *decoder, put_function *put)
{
    kin_object **items;
    size_t count;
    int r = kin__decode_need_mark(decoder, 1, &items, &count);
    if (r == 0 && count != 0) {
        r = put(decoder, items[-2], items);
    }
    if (r < 0) {
        return r;
    }
    kin__decode_take_mark(decoder);
    return kin__decode_check_depth(decoder, items[-2]);
}

int kin__decode_append(struct decoder *decoder)
{
    return put_top(decoder, 1, append_values);
}

int kin__decode_appends(struct decoder *decoder)
{
    return put_marked(decoder, append_values);
}

int kin__decode_setitem(struct decoder *decoder)
{
    return put_top(decoder, 2, set_values);
}

int kin__decode_setitems(struct decoder *decoder)
{
    return put_marked(decoder, set_values);
}

int kin__decode_additems(struct decoder *decoder)
{
    return put_marked(decoder, add_values);
}

/* Makes a container of the values above the MARK: it is pushed above them, filled, and moved. */
static int make_of_marked(struct decoder *decoder, kin_object *made, put_function *put)
{
    kin_object **items = decoder->cursor.floor;
    int r = put(decoder, made, items);
    if (r < 0) {
        kin_object_free(made); /* the memo cannot name it */
        return r;
    }
    kin__decode_take_mark(decoder);
    kin__decode_push(decoder, made);
    return kin__decode_check_depth(decoder, made);
}

static int make_marked(struct decoder *decoder, kin_kind kind, put_function *put)
{
    kin_object **items;
    size_t count;
    int r = kin__decode_need_mark(decoder, 0, &items, &count);
    if (r == 0) {
        r = kin__decode_charge_object(decoder, sizeof(struct object_table));
    }
    if (r < 0) {
        return r;
    }
    kin_object *made = kind == KIN_KIND_LIST ? kin__list_create(&decoder->arena, 0)
                                             : kin__table_create(&decoder->arena, kind, 0);
    return made == NULL ? kin__decode_fail_with(decoder, -ENOMEM, NULL)
                        : make_of_marked(decoder, made, put);
}

int kin__decode_list(struct decoder *decoder)
{
    return make_marked(decoder, KIN_KIND_LIST, append_values);
}

int kin__decode_dict(struct decoder *decoder)
{
    return make_marked(decoder, KIN_KIND_DICT, set_values);
}

static int add_frozen(struct decoder *decoder, kin_object *whole, kin_object **items)
{
    return fill(decoder, whole, items, (size_t)(decoder->cursor.top - items), 1);
}

int kin__decode_frozenset(struct decoder *decoder)
{
    return make_marked(decoder, KIN_KIND_FROZENSET, add_frozen);
}

int kin__decode_set_of(struct decoder *decoder, kin_kind kind, const kin_object *members,
                       kin_object **ret_set)
{
    size_t count = kin_object_count(members);
    int r = kin__decode_charge(decoder, sizeof(struct object_table) + count * sizeof members);
    if (r < 0) {
        return r;
    }
    kin_object *set = kin__table_create(&decoder->arena, kind, 0);
    kin_object *copy = set == NULL ? NULL : kin__list_create(NULL, count);
    if (copy == NULL) {
        kin_object_free(set);
        return kin__decode_fail_with(decoder, -ENOMEM, NULL);
    }
    kin_object **items = ((struct object_list *)copy)->items;
    for (size_t i = 0; i < count; i++) {
        items[i] = kin_object_ref(kin_object_at(members, i));
    }
    ((struct object_list *)copy)->count = count;
    r = fill(decoder, set, items, count, 1);
    kin_object_free(copy);
    if (r < 0) {
        kin_object_free(set);
        return r;
    }
    *ret_set = set;
    return 0;
}
