/*
 * Graphs of objects as bytes, the same that description.py makes of them in Python: two are the
 * same if they hold the same values, of the same types, in the same order, and have the same
 * shared references. What the bytes are stands there.
 */
#ifndef INTEROP_DESCRIPTION_H
#define INTEROP_DESCRIPTION_H

#include <kin.h>
#include <stddef.h>

/* Bytes that grow; `data` is allocated. */
struct description {
    char *data;
    size_t size;
    size_t capacity;
};

/* Describes an object. */
struct description describe(const kin_object *object);

void description_free(struct description *description);

/* A CHECK that two are the same; a failure says `what` and where they begin to differ. */
void description_check(const char *what, const struct description *actual, const void *expected,
                       size_t expected_size);

#endif
