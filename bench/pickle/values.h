/**
 * The values of the bench `pickle`, told to whoever can build them. cpython.py makes the same.
 *
 *     dict      {'id': 17, 'name': 'Ada Lovelace', 'score': 0.75, 'active': True}
 *     ints      0 to 99 999
 *     strings   10 000, as 'string 00042'
 *     bytes     1 MiB
 *     document  a list of 20 dicts of a name, a list of tags, a dict
 */
#ifndef BENCH_PICKLE_VALUES_H
#define BENCH_PICKLE_VALUES_H

#include <stddef.h>
#include <stdint.h>

/** Who builds a value, the outer parts first. What follows list() or dict() are its `count` items,
 * or keys and values in turn. */
struct builder {
    void (*list)(size_t count);
    void (*dict)(size_t count);
    void (*text)(const char *text);
    void (*bytes)(const void *data, size_t size);
    void (*integer)(int64_t value);
    void (*real)(double value);
    void (*boolean)(int value);
};

/** Builds the value of this name. 0, or -1: there is none. */
int values_build(const char *name, const struct builder *builder);

#endif
