/*
 * A list of items of all kinds that another process changes. See docs/guide/shared.md.
 */
#include <inttypes.h>
#include <kin.h>
#include <stdio.h>

static kin_shared_list *list; /* what is open here is open in every child */

static int change(kin_call *call)
{
    int64_t age = 0;
    kin_shared_list_get_int(list, 1, &age);
    int r = kin_shared_list_set_int(list, 1, age + 1);
    if (r == 0) {
        r = kin_shared_list_set_string(list, 0, "Ada Lovelace");
    }
    if (r == 0) {
        r = kin_shared_list_set_bool(list, 3, true); /* was nothing */
    }
    return r < 0 ? kin_call_fail(call, r, "cannot change it") : 0;
}
KIN_FUNCTION(change)

static void print_item(const kin_shared_item *item)
{
    switch (item->kind) {
    case KIN_SHARED_BOOL:
        printf("%s\n", item->boolean ? "true" : "false");
        break;
    case KIN_SHARED_INT:
        printf("%" PRId64 "\n", item->integer);
        break;
    case KIN_SHARED_FLOAT:
        printf("%g\n", item->number);
        break;
    case KIN_SHARED_STRING:
        printf("%s\n", (const char *)item->bytes.data);
        break;
    default:
        printf("nothing\n");
        break;
    }
}

static void print(void)
{
    char room[64];
    kin_shared_item item;
    for (uint64_t i = 0; i < kin_shared_list_length(list); i++) {
        if (kin_shared_list_get(list, i, room, sizeof room, &item) == 0) {
            print_item(&item);
        }
    }
}

int main(int argc, char **argv)
{
    const kin_shared_item items[] = {
        {.kind = KIN_SHARED_STRING, .bytes = {"Ada", 3}, .capacity = 20},
        {.kind = KIN_SHARED_INT, .integer = 35},
        {.kind = KIN_SHARED_FLOAT, .number = 1.5},
        {.kind = KIN_SHARED_NONE},
    };
    kin_process *child = NULL;
    kin_init(&argc, &argv);
    if (kin_shared_list_create(items, 4, NULL, &list) < 0) {
        return 1;
    }
    print();
    if (kin_process_start_bytes(change, NULL, 0, NULL, &child) < 0) {
        return 1;
    }
    kin_process_join(child, KIN_FOREVER);
    kin_process_free(child);
    print();
    int r = kin_shared_list_set_string(list, 0, "a name that has no room in here");
    printf("%s\n", kin_code_name(r));
    kin_shared_list_free(list);
    return 0;
}
