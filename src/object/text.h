/**
 * Str, bytes, bytearrays, globals: making them, also in a decoder's arena.
 */
#ifndef KIN_OBJECT_TEXT_H
#define KIN_OBJECT_TEXT_H

#include "object/object.h"
#include "object/region.h"

/* How UTF-8 may be. */
enum { UTF8_ASCII = 1, UTF8_OTHER = 2 };

/* UTF8_ASCII: each byte is a character; UTF8_OTHER: not all are; 0: not UTF-8. Surrogates may stand
 * in it, three bytes each, as Python's 'surrogatepass' has it. */
int kin__utf8_check(const void *data, size_t size);

/* A str. What is copied is what is checked: `data` may change meanwhile. 0, -EILSEQ, -ENOMEM. */
int kin__text_create(struct kin__arena *arena, const void *data, size_t size,
                     kin_object **ret_text);

/* A bytes object or bytearray, of which the data is still to be written if `data` is NULL. */
kin_object *kin__bytes_create(struct kin__arena *arena, kin_kind kind, const void *data,
                              size_t size);

/* Makes one of another size of a bytes object that nobody else has and that stands in no arena: its
 * data up to there stays, what is new is still to be written. NULL: no memory, it is as it was. */
kin_object *kin__bytes_resize(kin_object *bytes, size_t size);

/* A bytes object or bytearray whose data is elsewhere; `backing` is released at its end, also when
 * this fails. */
kin_object *kin__bytes_create_view(kin_kind kind, void *data, size_t size,
                                   struct kin__backing *backing);

#endif
