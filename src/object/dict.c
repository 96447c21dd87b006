/* kin_dict_...: tables (table.h) with values. */
#include <kin/dict.h>

#include <string.h>

#include "object/free/free.h"
#include "object/table.h"

kin_object *kin_dict_create(void)
{
    return kin__table_create(NULL, KIN_KIND_DICT, 0);
}

/* 0, -ENOMEM: there is none; -EINVAL: it is no dict. */
static int check(const kin_object *dict)
{
    kin_kind kind = kin__kind(dict);
    return kind == KIN_KIND_DICT ? 0 : kind == KIN_KIND_NOTHING ? -ENOMEM : -EINVAL;
}

int kin_dict_set(kin_object *dict, kin_object *key, kin_object *value)
{
    int r = check(dict);
    if (r == 0 && (key == NULL || value == NULL)) {
        r = -ENOMEM;
    }
    if (r < 0) {
        kin_object_free(key);
        kin_object_free(value);
        return r;
    }
    struct object_table *table = (struct object_table *)dict;
    struct kin__effort effort;
    kin_object *kept = kin__is_container(key) ? kin_object_ref(key) : NULL; /* it may be freed */
    r = kin__table_set(table, key, value, kin__effort_begin(&effort));
    if (r == 0) {
        kin__object_linked(&table->container, kept);
        kin__object_linked(&table->container, value);
    }
    kin_object_free(kept);
    return r;
}

int kin_dict_set_text(kin_object *dict, const char *key, kin_object *value)
{
    kin_object *text = NULL;
    int r = key == NULL ? -EINVAL : kin_object_from_str(key, strlen(key), &text);
    if (r < 0) {
        kin_object_free(value);
        return r;
    }
    return kin_dict_set(dict, text, value);
}

kin_object *kin_dict_get(const kin_object *dict, const kin_object *key)
{
    struct kin__effort effort;
    struct table_entry *entry;
    if (check(dict) < 0 || kin__table_find((const struct object_table *)dict, key,
                                           kin__effort_begin(&effort), &entry) != 1) {
        return NULL;
    }
    return entry->value;
}

kin_object *kin_dict_get_text(const kin_object *dict, const char *key)
{
    if (check(dict) < 0 || key == NULL) {
        return NULL;
    }
    struct table_entry *entry = kin__table_find_text((const struct object_table *)dict, key,
                                                     strlen(key));
    return entry == NULL ? NULL : entry->value;
}

int kin_dict_remove(kin_object *dict, const kin_object *key)
{
    struct object_table *table = (struct object_table *)dict;
    struct kin__effort effort;
    struct table_entry *entry;
    int r = check(dict);
    r = r < 0 ? r : kin__table_find(table, key, kin__effort_begin(&effort), &entry);
    if (r <= 0) {
        return r < 0 ? r : -ENOENT;
    }
    kin_object *old_key = entry->key;
    kin_object *old_value = entry->value;
    kin__table_remove(table, entry); /* before anything ends that may look into the dict */
    kin_object_free(old_key);
    kin_object_free(old_value);
    return 0;
}

bool kin_dict_next(const kin_object *dict, size_t *position, kin_object **ret_key,
                   kin_object **ret_value)
{
    struct table_entry *entry = NULL;
    if (check(dict) == 0 && position != NULL) {
        uint64_t at = *position;
        entry = kin__table_next((const struct object_table *)dict, &at);
        *position = at;
    }
    if (entry == NULL) {
        return false;
    }
    if (ret_key != NULL) {
        *ret_key = entry->key;
    }
    if (ret_value != NULL) {
        *ret_value = entry->value;
    }
    return true;
}
