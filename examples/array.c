/*
 * An array that processes fill together, by its C memory, by items and by slices. See
 * docs/guide/shared.md.
 */
#include <inttypes.h>
#include <kin.h>
#include <stdio.h>
#include <string.h>

enum { LENGTH = 20, PROCESSES = 4 };

static kin_array *squares; /* what is open here is open in every child */
static kin_array *sums;

/* Fills its part of the array: nobody else writes there, so there is nothing to lock. */
static int fill(kin_call *call)
{
    int64_t part = 0;
    memcpy(&part, kin_call_bytes(call).data, sizeof part);
    int64_t *items = kin_array_data(squares);
    for (int64_t i = part * LENGTH / PROCESSES; i < (part + 1) * LENGTH / PROCESSES; i++) {
        items[i] = i * i;
        kin_array_add_int(sums, (uint64_t)i % 2, items[i], NULL); /* here all write */
    }
    return 0;
}
KIN_FUNCTION(fill)

static void print(kin_slice slice)
{
    int64_t items[LENGTH];
    uint64_t count = 0;
    if (kin_array_get_slice(squares, slice, items, LENGTH, &count) >= 0) {
        for (uint64_t i = 0; i < count; i++) {
            printf("%" PRId64 "%c", items[i], i + 1 < count ? ' ' : '\n');
        }
    }
}

int main(int argc, char **argv)
{
    kin_init(&argc, &argv);
    if (kin_array_create(KIN_ITEM_INT64, LENGTH, NULL, &squares) < 0 ||
        kin_array_create(KIN_ITEM_INT64, 2, NULL, &sums) < 0) {
        return 1;
    }
    kin_process *children[PROCESSES] = {NULL};
    for (int64_t i = 0; i < PROCESSES; i++) {
        if (kin_process_start_bytes(fill, &i, sizeof i, NULL, &children[i]) < 0) {
            return 1;
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        kin_process_join(children[i], KIN_FOREVER);
        kin_process_free(children[i]);
    }
    print((kin_slice){0, INT64_MAX, 1});
    print((kin_slice){INT64_MAX, INT64_MIN, -5}); /* as [::-5] in Python */

    const int64_t zeros[3] = {0, 0, 0};
    kin_array_set_slice(squares, (kin_slice){-3, INT64_MAX, 1}, zeros, 3);
    print((kin_slice){-5, INT64_MAX, 1});

    int64_t even = 0;
    int64_t odd = 0;
    kin_array_get_int(sums, 0, &even);
    kin_array_get_int(sums, 1, &odd);
    printf("%" PRId64 " + %" PRId64 "\n", even, odd);
    int r = kin_array_get_int(squares, LENGTH, &even);
    printf("%s\n", kin_code_name(r));
    kin_array_free(squares);
    kin_array_free(sums);
    return 0;
}
