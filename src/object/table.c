#include "object/table.h"

#include <string.h>

#include "base/allocate.h"
#include "base/arithmetic.h"
#include "object/equality/equal.h"
#include "object/equality/hash.h"
#include "object/list.h"

/* Numbers of entries are stored in 32 bits; more keys than this are refused as if memory were
 * out. */
#define ENTRIES_MAX (UINT64_C(1) << 31)

/* The slots of an index for `capacity` entries: at least a third stays empty. */
static uint64_t slots_for(uint64_t capacity)
{
    return kin__u64_ceil_power_of_two(capacity + capacity / 2 + 1);
}

kin_object *kin__table_create(struct kin__arena *arena, kin_kind kind, uint64_t count)
{
    struct object_table *table = kin__object_allocate(arena, kind, sizeof *table);
    if (table == NULL) {
        return NULL;
    }
    kin__table_begin(table);
    struct kin__effort effort = KIN__EFFORT_OF_CALL; /* there is nothing to be hashed */
    if (count != 0 && kin__table_reserve(arena, table, count, &effort) < 0) {
        return kin_object_free(&table->container.object);
    }
    return &table->container.object;
}

/* Puts entry `number`, from 1, into the index at the first empty slot of its hash. */
static void put(uint32_t *index, uint32_t mask, uint64_t hash, uint64_t number)
{
    uint32_t at = (uint32_t)hash & mask;
    while (index[at] != 0) {
        at = (at + 1) & mask;
    }
    index[at] = ((uint32_t)(hash >> 32) & ~mask) | (uint32_t)number;
}

/* Moves the entries that are left together. */
static void compact(struct object_table *table)
{
    if (table->count == table->used) {
        return;
    }
    uint64_t used = 0;
    for (uint64_t i = 0; i < table->used; i++) {
        if (table->entries[i].key != NULL) {
            table->entries[used++] = table->entries[i];
        }
    }
    table->used = used;
}

static void fill_index(struct object_table *table)
{
    uint32_t mask = (uint32_t)table->index_mask;
    memset(table->index, 0, (table->index_mask + 1) * sizeof table->index[0]);
    for (uint64_t i = 0; i < table->used; i++) {
        put(table->index, mask, table->entries[i].hash, i + 1);
    }
}

/* What the entries of a table without index have not: their hashes. */
static int hash_entries(struct object_table *table, struct kin__effort *effort)
{
    int r = 0;
    for (uint64_t i = 0; i < table->used && r == 0; i++) {
        r = kin__hash(table->entries[i].key, effort, &table->entries[i].hash);
    }
    return r;
}

/* Makes the array of entries larger. */
static int move_entries(struct kin__arena *arena, struct object_table *table, uint64_t capacity)
{
    struct table_entry *entries = NULL;
    bool in_region = (table->container.object.flags & KIN__ARRAY_IN_REGION) != 0;
    if (table->entries == NULL && arena != NULL) {
        entries = kin__arena_array(arena, table, capacity * sizeof *entries);
    }
    if (entries != NULL) {
        table->container.object.flags |= KIN__ARRAY_IN_REGION;
    } else if (in_region) {
        entries = kin__allocate_array(capacity, sizeof *entries);
        if (entries != NULL) {
            memcpy(entries, table->entries, table->used * sizeof *entries);
            table->container.object.flags &= (uint8_t)~KIN__ARRAY_IN_REGION;
        }
    } else {
        entries = kin__reallocate(table->entries, capacity * sizeof *entries);
    }
    if (entries == NULL) {
        return -ENOMEM;
    }
    table->entries = entries;
    table->capacity = capacity;
    return 0;
}

/* Gives the table room for `capacity` entries, those that were removed not among them. On failure
 * it is as it was. */
static int resize(struct kin__arena *arena, struct object_table *table, uint64_t capacity,
                  struct kin__effort *effort)
{
    if (capacity > ENTRIES_MAX) {
        return -ENOMEM;
    }
    uint64_t slots = capacity > KIN__TABLE_SMALL ? slots_for(capacity) : 0;
    uint32_t *index = NULL;
    int r = 0;
    if (slots != 0 && table->index == NULL) {
        r = hash_entries(table, effort);
    }
    if (r == 0 && slots != 0 && (table->index == NULL || slots > table->index_mask + 1)) {
        index = kin__allocate_array(slots, sizeof *index);
        r = index == NULL ? -ENOMEM : 0;
    }
    if (r == 0 && capacity > table->capacity) {
        r = move_entries(arena, table, capacity);
    }
    if (r < 0) {
        kin__release(index);
        return r;
    }
    if (index != NULL) {
        kin__release(table->index);
        table->index = index;
        table->index_mask = slots - 1;
    }
    if (index != NULL || table->count != table->used) {
        compact(table);
        if (table->index != NULL) {
            fill_index(table);
        }
    }
    return 0;
}

int kin__table_reserve(struct kin__arena *arena, struct object_table *table, uint64_t count,
                       struct kin__effort *effort)
{
    if (count <= table->capacity - table->used) {
        return 0;
    }
    if (count > ENTRIES_MAX) {
        return -ENOMEM;
    }
    if (table->capacity == 0 && count <= KIN__TABLE_SMALL) {
        return move_entries(arena, table, count);
    }
    uint64_t needed = table->count + count;
    uint64_t doubled = table->count * 2; /* many small steps cost no more than one large */
    return resize(arena, table, needed < doubled ? doubled : needed, effort);
}

/* Room for one more: twice what it holds, or what the index is good for. Rarely needed. */
__attribute__((noinline)) static int grow(struct object_table *table, struct kin__effort *effort)
{
    uint64_t capacity = table->count < 2 ? 4 : table->count * 2;
    if (capacity > KIN__TABLE_SMALL) {
        capacity = slots_for(capacity) * 2 / 3 - 1;
    }
    return resize(NULL, table, capacity, effort);
}

/* The entry of a text: `key` is the str, if there is one. 1, 0, or KIN_ELIMIT. */
static inline __attribute__((always_inline)) int find_text_in_few(const struct object_table *table,
                                                                  const struct object_text *key,
                                                                  struct kin__effort *effort,
                                                                  struct table_entry **ret_entry)
{
    for (uint64_t i = 0; i < table->used; i++) {
        struct table_entry *entry = &table->entries[i];
        const struct object_text *other = (const struct object_text *)entry->key;
        if (other == key) {
            *ret_entry = entry;
            return 1;
        }
        if (kin__is_in_memory(entry->key) && other->object.kind == KIN_KIND_STR &&
            other->size == key->size && other->bytes[0] == key->bytes[0]) {
            if (!kin__effort_charge_bytes(effort, key->size)) {
                return KIN_ELIMIT;
            }
            if (memcmp(other->bytes, key->bytes, key->size) == 0) {
                *ret_entry = entry;
                return 1;
            }
        }
    }
    return 0;
}

static int find_in_few(const struct object_table *table, const kin_object *key,
                       struct kin__effort *effort, struct table_entry **ret_entry)
{
    for (uint64_t i = 0; i < table->used; i++) {
        int r = kin__key_equal(table->entries[i].key, key, effort);
        if (r != 0) {
            *ret_entry = &table->entries[i];
            return r;
        }
    }
    return 0;
}

static int find_by_hash(const struct object_table *table, const kin_object *key, uint64_t hash,
                        struct kin__effort *effort, struct table_entry **ret_entry)
{
    uint32_t mask = (uint32_t)table->index_mask;
    uint32_t tag = (uint32_t)(hash >> 32);
    uint32_t slot;
    for (uint32_t at = (uint32_t)hash & mask; (slot = table->index[at]) != 0;
         at = (at + 1) & mask) {
        if (((slot ^ tag) & ~mask) != 0) {
            continue;
        }
        struct table_entry *entry = &table->entries[(slot & mask) - 1];
        if (entry->hash != hash || entry->key == NULL) {
            continue;
        }
        int r = entry->key == key               ? 1
                : kin__effort_charge(effort, 1) ? kin__key_equal(entry->key, key, effort)
                                                : KIN_ELIMIT;
        if (r != 0) {
            *ret_entry = entry;
            return r;
        }
    }
    return 0;
}

static bool is_text(const kin_object *key)
{
    return kin__is_in_memory(key) && key->kind == KIN_KIND_STR;
}

/* Whether the hash of a key must be asked, which says whether it can be one. */
static bool is_doubtful(const kin_object *key)
{
    return key == NULL || (kin__is_in_memory(key) &&
                           (key->kind == KIN_KIND_BYTEARRAY || key->kind >= KIN_KIND_LIST));
}

/* Looks; `*ret_hash` is the hash of the key if the table has an index. */
static inline __attribute__((always_inline)) int
find(const struct object_table *table, const kin_object *key, struct kin__effort *effort,
     uint64_t *ret_hash, struct table_entry **ret_entry)
{
    if (table->index == NULL && is_text(key)) {
        return find_text_in_few(table, (const struct object_text *)key, effort, ret_entry);
    }
    int r = table->index != NULL || is_doubtful(key) ? kin__hash(key, effort, ret_hash) : 0;
    if (r < 0) {
        return r;
    }
    return table->index != NULL ? find_by_hash(table, key, *ret_hash, effort, ret_entry)
                                : find_in_few(table, key, effort, ret_entry);
}

int kin__table_find(const struct object_table *table, const kin_object *key,
                    struct kin__effort *effort, struct table_entry **ret_entry)
{
    uint64_t hash = 0;
    return find(table, key, effort, &hash, ret_entry);
}

/* Adds what is not there yet. */
static int add(struct object_table *table, const struct table_entry *entry,
               struct kin__effort *effort)
{
    uint64_t hash = entry->hash;
    if (table->used == table->capacity) {
        bool was_small = table->index == NULL;
        int r = grow(table, effort);
        if (r == 0 && was_small && table->index != NULL) {
            r = kin__hash(entry->key, effort, &hash);
        }
        if (r < 0) {
            return r;
        }
    }
    table->entries[table->used] = (struct table_entry){entry->key, entry->value, hash};
    table->used++;
    table->count++;
    kin__depth_add(&table->container, entry->key);
    kin__depth_add(&table->container, entry->value);
    if (table->index != NULL) {
        put(table->index, (uint32_t)table->index_mask, hash, table->used);
    }
    return 0;
}

int kin__table_put(struct object_table *table, kin_object *key, kin_object *value,
                   struct kin__effort *effort, struct table_entry *ret_over)
{
    struct table_entry *entry;
    uint64_t hash = 0;
    int r = find(table, key, effort, &hash, &entry);
    if (r == 0 && table->index == NULL && table->used < table->capacity) { /* most of the time */
        table->entries[table->used++] = (struct table_entry){key, value, 0};
        table->count++;
        kin__depth_add(&table->container, key);
        kin__depth_add(&table->container, value);
        return 0;
    }
    if (r == 0) {
        r = add(table, &(struct table_entry){key, value, hash}, effort);
    }
    if (r > 0) {
        *ret_over = (struct table_entry){key, entry->value, 0};
        entry->value = value;
        kin__depth_add(&table->container, value);
    } else if (r < 0) {
        kin_object_free(key);
        kin_object_free(value);
    }
    return r;
}

int kin__table_set(struct object_table *table, kin_object *key, kin_object *value,
                   struct kin__effort *effort)
{
    struct table_entry over;
    int r = kin__table_put(table, key, value, effort, &over);
    if (r > 0) {
        kin_object_free(over.key);
        kin_object_free(over.value);
        r = 0;
    }
    return r;
}

/* Without a str: its parts stand in `text` and `size`. */
static struct table_entry *find_spelled(const struct object_table *table, const char *text,
                                        size_t size)
{
    for (uint64_t i = 0; i < table->used; i++) {
        const struct object_text *other = (const struct object_text *)table->entries[i].key;
        if (is_text(table->entries[i].key) && other->size == size &&
            memcmp(other->bytes, text, size) == 0) {
            return &table->entries[i];
        }
    }
    return NULL;
}

struct table_entry *kin__table_find_text(const struct object_table *table, const char *text,
                                         size_t size)
{
    if (table->index == NULL) {
        return find_spelled(table, text, size);
    }
    uint64_t hash = kin__hash_bytes(text, size);
    uint32_t mask = (uint32_t)table->index_mask;
    uint32_t slot;
    for (uint32_t at = (uint32_t)hash & mask; (slot = table->index[at]) != 0;
         at = (at + 1) & mask) {
        struct table_entry *entry = &table->entries[(slot & mask) - 1];
        const struct object_text *other = (const struct object_text *)entry->key;
        if ((((uint32_t)(hash >> 32) ^ slot) & ~mask) == 0 && entry->hash == hash &&
            is_text(entry->key) && other->size == size && memcmp(other->bytes, text, size) == 0) {
            return entry;
        }
    }
    return NULL;
}

void kin__table_remove(struct object_table *table, struct table_entry *entry)
{
    table->count--;
    if (table->index == NULL) {
        table->used--;
        size_t behind = (size_t)(table->entries + table->used - entry);
        memmove(entry, entry + 1, behind * sizeof *entry);
        return;
    }
    entry->key = NULL;
    entry->value = NULL;
}
