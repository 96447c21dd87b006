/**
 * What is escaped in the text of protocol 0.
 *
 * `write` moves on behind what was written; the last is what stands before a wrong escape, for
 * which the result is false.
 */
#ifndef KIN_OBJECT_DECODE_ESCAPE_H
#define KIN_OBJECT_DECODE_ESCAPE_H

#include <stdbool.h>

/* As between the quotes of Python 2's repr: bytes. Never writes more than it has read, so the two
 * may be the same place. */
bool kin__escape_undo(const char *at, const char *end, char **write);

/* Python's raw-unicode-escape, to UTF-8: Latin-1 with \u1234 and \U00012345. Writes at most twice
 * what it reads. */
bool kin__escape_undo_raw(const char *at, const char *end, char **write);

#endif
