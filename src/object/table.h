/**
 * Tables: what dicts, sets and frozensets are made of.
 *
 * Entries stand in the order of insertion. While a table has at most KIN__TABLE_SMALL of them,
 * there is no index and no hash: to look at each is faster. Above, an open-addressing index leads
 * from a hash to an entry. A slot of the index is 0, or the number of the entry, from 1, in its
 * lower bits, as many as an index of this size needs, and bits of the hash above, so that hardly
 * any wrong entry is looked at. An entry that is removed loses its key but keeps its place, and
 * the slots that lead to it lead on, until the entries are full: then those left move together.
 *
 * What refuses a key that can change is its hash. Of tuples, frozensets and instances it is asked
 * also in small tables.
 */
#ifndef KIN_OBJECT_TABLE_H
#define KIN_OBJECT_TABLE_H

#include <string.h>

#include "object/equality/effort.h"
#include "object/object.h"
#include "object/region.h"

enum { KIN__TABLE_SMALL = 8 };

/* Sets what a table without keys has behind its header. */
static inline void kin__table_begin(struct object_table *table)
{
    memset((char *)table + sizeof(kin_object), 0, sizeof *table - sizeof(kin_object));
}

/* An empty dict, set or frozenset with room for `count` keys. NULL: no memory. */
kin_object *kin__table_create(struct kin__arena *arena, kin_kind kind, uint64_t count);

/* Makes room for `count` more keys; `arena` may be NULL. 0, KIN_ELIMIT or -ENOMEM. */
int kin__table_reserve(struct kin__arena *arena, struct object_table *table, uint64_t count,
                       struct kin__effort *effort);

/*
 * Sets the value of a key, or adds a member (`value` NULL). Both are taken, also on failure. A key
 * that is there stays; so does, in a set, the member. If the table is one that is being changed,
 * kin__object_link must have been called for both.
 *
 * 0, -EINVAL: the key can change; KIN_ELIMIT: `effort` is spent; -ENOMEM (also for a NULL key).
 */
int kin__table_set(struct object_table *table, kin_object *key, kin_object *value,
                   struct kin__effort *effort);

/* The same, but returns 1 if the key is there: `key` and the value before, or NULL, are then left
 * over, and the caller's. */
int kin__table_put(struct object_table *table, kin_object *key, kin_object *value,
                   struct kin__effort *effort, struct table_entry *ret_over);

/* Looks for a key: 1 and its entry, 0: it is not there, or the codes of kin__table_set. */
int kin__table_find(const struct object_table *table, const kin_object *key,
                    struct kin__effort *effort, struct table_entry **ret_entry);

/* The entry of a key that is a str of these bytes; NULL: there is none. */
struct table_entry *kin__table_find_text(const struct object_table *table, const char *text,
                                         size_t size);

/* Takes an entry out; its key and value are the caller's then. */
void kin__table_remove(struct object_table *table, struct table_entry *entry);

/* The next entry at or after `*position`, which moves behind it; NULL: none. */
static inline struct table_entry *kin__table_next(const struct object_table *table,
                                                  uint64_t *position)
{
    while (*position < table->used) {
        struct table_entry *entry = &table->entries[(*position)++];
        if (entry->key != NULL) {
            return entry;
        }
    }
    return NULL;
}

#endif
