/**
 * Numbers as Python's repr() writes them.
 */
#ifndef KIN_OBJECT_REPR_NUMBER_H
#define KIN_OBJECT_REPR_NUMBER_H

#include "object/object.h"
#include "object/repr/writer.h"

enum { KIN__FLOAT_TEXT_BYTES = 32 };

/* Spells a double with the fewest digits that lead back to it: "0.1", "1.0", "1e+16", "-inf",
 * "nan". `is_part`: of a complex number, where a whole one is "1". */
void kin__float_to_text(double value, bool is_part, char ret_text[static KIN__FLOAT_TEXT_BYTES]);

/* Writes a bool, int, float or complex number. 0 or -ENOMEM. */
int kin__write_number(struct kin__writer *writer, const kin_object *number);

#endif
