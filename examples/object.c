/*
 * Values that are made while the program runs. See docs/guide/objects.md.
 */
#include <kin.h>
#include <stdio.h>

/* Counts the words of a text in a dict. */
static int count_words(const char *const *words, size_t count, kin_object *counts)
{
    for (size_t i = 0; i < count; i++) {
        int64_t seen = 0;
        kin_object *before = kin_dict_get_text(counts, words[i]); /* borrowed */
        if (before != NULL) {
            kin_object_to_int(before, &seen);
        }
        int r = kin_dict_set_text(counts, words[i], kin_object_from_int(seen + 1));
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

int main(void)
{
    static const char *const words[] = {"tea", "milk", "tea", "sugar", "tea"};
    kin_object *counts = kin_dict_create();
    if (count_words(words, 5, counts) < 0) {
        return 1;
    }
    kin_object_print(counts, stdout);

    /* What puts an object into another takes it: here, all that is made on the spot. Only what is
       used again afterwards needs a reference of its own. */
    kin_object *order = kin_dict_create();
    kin_dict_set_text(order, "what", kin_object_ref(counts));
    kin_dict_set_text(order, "table", KIN_TUPLE(kin_object_from_int(4), kin_object_from_text("B")));
    kin_dict_set_text(order, "price", kin_object_from_float(9.5));
    kin_dict_set_text(order, "who", kin_object_from_text("Zoë's"));
    kin_object_print(order, stdout);

    /* Equal as in Python: across types of numbers, whatever the order in a dict. */
    kin_object *other = kin_dict_create();
    kin_dict_set_text(other, "sugar", kin_object_from_bool(true));
    kin_dict_set_text(other, "milk", kin_object_from_float(1.0));
    kin_dict_set_text(other, "tea", kin_object_from_int(3));
    printf("equal: %d\n", kin_object_equal(counts, other));

    /* Keys are what cannot change: a tuple, but not a list. */
    kin_object *seats = kin_dict_create();
    int tuple = kin_dict_set(seats, KIN_TUPLE(kin_object_from_int(1), kin_object_from_int(2)),
                             kin_object_from_text("Zoë"));
    int list = kin_dict_set(seats, KIN_LIST(kin_object_from_int(1), kin_object_from_int(2)),
                            kin_object_from_text("Bo"));
    printf("a tuple as key: %s; a list: %s\n", tuple == 0 ? "yes" : "no", list == 0 ? "yes" : "no");

    size_t position = 0;
    for (kin_object *key, *value; kin_dict_next(counts, &position, &key, &value);) {
        int64_t count = 0;
        kin_object_to_int(value, &count);
        printf("%lld x %s\n", (long long)count, kin_object_text(key));
    }

    /* A list may even hold itself; the last reference ends all of it. */
    kin_object *ring = KIN_LIST(kin_object_from_text("round"), kin_object_from_text("and"));
    kin_list_append(ring, kin_object_ref(ring));
    kin_object_print(ring, stdout);

    kin_object_free(ring);
    kin_object_free(seats);
    kin_object_free(other);
    kin_object_free(order);
    kin_object_free(counts);
    return 0;
}
