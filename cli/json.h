/**
 * Objects as JSON and back. JSON knows six kinds of values; the others are objects with one key
 * that begins with "$":
 *
 *     None, bool, int of 64 bits, finite float, str, list, dict with str keys    as in JSON
 *     {"$int": "36893488147419103232"}      any other int
 *     {"$float": "nan"}                     inf, -inf, nan
 *     {"$complex": [1.0, 2.0]}
 *     {"$str": "7aCA"}                      base64 of UTF-8 with lone surrogates, as bytes
 *     {"$bytes": "AAE="}, {"$bytearray": ...}               base64
 *     {"$tuple": [...]}, {"$set": [...]}, {"$frozenset": [...]}
 *     {"$dict": [[key, value], ...]}        other keys, or one that begins with "$"
 *     {"$global": ["collections", "deque"]}
 *     {"$array": ["i", [1, 2]]}             an array.array of numbers
 *     {"$instance": "deque", "module": "collections", "arguments": [...], "items": ...,
 *      "state": ...}                        of a class that kin knows
 *     {"$opaque": "os.system", "arguments": [...], "state": ..., "$pickle": base64}
 *                                           of any other; it is read from "$pickle"
 */
#ifndef KIN_CLI_JSON_H
#define KIN_CLI_JSON_H

#include <kin.h>
#include <stdio.h>

/* Writes an object and a newline. 0, or a code: -ELOOP: it leads back to itself, or is deeper than
 * JSON_DEPTH_MAX: nothing was written; -EIO; others. `indent`: spaces a level, 0: all in one
 * line. */
enum { JSON_DEPTH_MAX = 1000 };
int json_write(const kin_object *object, int indent, FILE *stream);

/* Reads the values that stand in a text, one after the other: calls `take` with each, which takes
 * it and returns 0 or a code that ends it. On failure `fault` gets a reason. 0, -EBADMSG, ... */
struct json_fault {
    size_t offset;
    char reason[200];
};
int json_read(const void *data, size_t size, int (*take)(void *user, kin_object *object),
              void *user, struct json_fault *fault);

#endif
