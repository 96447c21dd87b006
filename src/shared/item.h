/**
 * One item of a value or an array: how its type is laid out, and what can be done to it.
 *
 * A number is handled as its bits, those of its type in the low bytes of a uint64_t, the rest
 * zero. A load acquires, a store releases, a read-modify-write does both in one total order: each
 * is one instruction of the processor, so a kill comes before it or after it. Handles are counted,
 * see items.h.
 */
#ifndef KIN_SHARED_ITEM_H
#define KIN_SHARED_ITEM_H

#include <stdbool.h>
#include <stdint.h>

enum kin__item_class { KIN__ITEM_SIGNED, KIN__ITEM_UNSIGNED, KIN__ITEM_FLOAT, KIN__ITEM_HANDLE };

struct kin__item_type {
    char code; /* an enum kin_item_type */
    uint8_t class;
    uint8_t bytes;
};

/* The type of a code; NULL: there is none. */
const struct kin__item_type *kin__item_type_of(uint32_t code);

static inline bool kin__item_is_integer(const struct kin__item_type *type)
{
    return type->class == KIN__ITEM_SIGNED || type->class == KIN__ITEM_UNSIGNED;
}

/* A number as the type has it. 0; -ERANGE: it cannot; -EINVAL: a fraction in an integer type, or a
 * number in a handle. */
int kin__item_from_int(const struct kin__item_type *type, int64_t number, uint64_t *ret_bits);
int kin__item_from_uint(const struct kin__item_type *type, uint64_t number, uint64_t *ret_bits);
int kin__item_from_float(const struct kin__item_type *type, double number, uint64_t *ret_bits);

/* And back. 0; -ERANGE: it does not fit; -EINVAL: an integer is asked for and it is none. */
int kin__item_to_int(const struct kin__item_type *type, uint64_t bits, int64_t *ret_number);
int kin__item_to_uint(const struct kin__item_type *type, uint64_t bits, uint64_t *ret_number);
int kin__item_to_float(const struct kin__item_type *type, uint64_t bits, double *ret_number);

/* The same for an integer type, as C converts: what does not fit wraps. */
uint64_t kin__item_wrap(const struct kin__item_type *type, int64_t number);
int64_t kin__item_unwrap(const struct kin__item_type *type, uint64_t bits);

uint64_t kin__item_load(const struct kin__item_type *type, const void *place);
void kin__item_store(const struct kin__item_type *type, void *place, uint64_t bits);
uint64_t kin__item_exchange(const struct kin__item_type *type, void *place, uint64_t bits);

/* Stores `bits` if `*expected` stands there; else says what does. */
bool kin__item_compare_exchange(const struct kin__item_type *type, void *place, uint64_t *expected,
                                uint64_t bits);

/* Adds to an integer, wrapping; returns what was there. */
uint64_t kin__item_add(const struct kin__item_type *type, void *place, uint64_t bits);

/* Adds to a float or double; returns what was there. */
double kin__item_add_float(const struct kin__item_type *type, void *place, double number);

#endif
