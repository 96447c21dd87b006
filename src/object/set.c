/* kin_set_..., kin_frozenset_...: tables (table.h) without values. */
#include <kin/set.h>

#include "object/free/free.h"
#include "object/table.h"

kin_object *kin_set_create(void)
{
    return kin__table_create(NULL, KIN_KIND_SET, 0);
}

int kin_frozenset_from(kin_object *const *items, size_t count, kin_object **ret_object)
{
    struct kin__effort effort;
    int r = ret_object == NULL || (items == NULL && count != 0) ? -EINVAL : 0;
    kin_object *set = r < 0 ? NULL : kin__table_create(NULL, KIN_KIND_FROZENSET, count);
    if (r == 0 && set == NULL) {
        r = -ENOMEM;
    }
    for (size_t i = 0; items != NULL && i < count; i++) {
        if (r == 0) {
            r = kin__table_set((struct object_table *)set, items[i], NULL,
                               kin__effort_begin(&effort));
        } else {
            kin_object_free(items[i]);
        }
    }
    if (r < 0) {
        kin_object_free(set);
        return r;
    }
    *ret_object = set;
    return 0;
}

/* 0, -ENOMEM: there is none; -EINVAL: it is no set that can be changed. */
static int check(const kin_object *set)
{
    kin_kind kind = kin__kind(set);
    return kind == KIN_KIND_SET ? 0 : kind == KIN_KIND_NOTHING ? -ENOMEM : -EINVAL;
}

int kin_set_add(kin_object *set, kin_object *item)
{
    int r = check(set);
    if (r < 0) {
        kin_object_free(item);
        return r;
    }
    struct object_table *table = (struct object_table *)set;
    struct kin__effort effort;
    kin_object *kept = kin__is_container(item) ? kin_object_ref(item) : NULL; /* it may be freed */
    r = kin__table_set(table, item, NULL, kin__effort_begin(&effort));
    if (r == 0) {
        kin__object_linked(&table->container, kept);
    }
    kin_object_free(kept);
    return r;
}

bool kin_set_contains(const kin_object *set, const kin_object *item)
{
    struct kin__effort effort;
    struct table_entry *entry;
    kin_kind kind = kin__kind(set);
    return (kind == KIN_KIND_SET || kind == KIN_KIND_FROZENSET) &&
           kin__table_find((const struct object_table *)set, item, kin__effort_begin(&effort),
                           &entry) == 1;
}

int kin_set_remove(kin_object *set, const kin_object *item)
{
    struct object_table *table = (struct object_table *)set;
    struct kin__effort effort;
    struct table_entry *entry;
    int r = check(set);
    r = r < 0 ? r : kin__table_find(table, item, kin__effort_begin(&effort), &entry);
    if (r <= 0) {
        return r < 0 ? r : -ENOENT;
    }
    kin_object *old = entry->key;
    kin__table_remove(table, entry); /* before anything ends that may look into the set */
    kin_object_free(old);
    return 0;
}

bool kin_set_next(const kin_object *set, size_t *position, kin_object **ret_item)
{
    struct table_entry *entry = NULL;
    kin_kind kind = kin__kind(set);
    if ((kind == KIN_KIND_SET || kind == KIN_KIND_FROZENSET) && position != NULL) {
        uint64_t at = *position;
        entry = kin__table_next((const struct object_table *)set, &at);
        *position = at;
    }
    if (entry != NULL && ret_item != NULL) {
        *ret_item = entry->key;
    }
    return entry != NULL;
}
