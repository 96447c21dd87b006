/**
 * An encoding while it is made.
 */
#ifndef KIN_OBJECT_ENCODE_ENCODING_H
#define KIN_OBJECT_ENCODE_ENCODING_H

#include "object/pickle.h"

void kin__encoding_init(struct kin__encoding *encoding);

/* Makes room for one element more behind the `count` of an array. 0, -ENOMEM. */
int kin__encoding_make_room(void *array, size_t element_bytes, uint32_t count, uint32_t *capacity);

#endif
