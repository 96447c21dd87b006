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

#include <stdatomic.h>
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

/* Adds to a float or double; returns what was there. */
double kin__item_add_float(const struct kin__item_type *type, void *place, double number);

/* The bits that a type has. */
static inline uint64_t kin__item_mask(const struct kin__item_type *type)
{
    return type->bytes == 8 ? UINT64_MAX : ((uint64_t)1 << type->bytes * 8) - 1;
}

/* A number of an integer type, as C converts: what does not fit wraps. And back. */
static inline uint64_t kin__item_wrap(const struct kin__item_type *type, int64_t number)
{
    return (uint64_t)number & kin__item_mask(type);
}

static inline int64_t kin__item_unwrap(const struct kin__item_type *type, uint64_t bits)
{
    uint64_t sign = (kin__item_mask(type) >> 1) + 1;
    return type->class == KIN__ITEM_SIGNED ? (int64_t)((bits ^ sign) - sign) : (int64_t)bits;
}

static inline uint64_t kin__item_load(const struct kin__item_type *type, const void *place)
{
    switch (type->bytes) {
    case 1:
        return atomic_load_explicit((const _Atomic uint8_t *)place, memory_order_acquire);
    case 2:
        return atomic_load_explicit((const _Atomic uint16_t *)place, memory_order_acquire);
    case 4:
        return atomic_load_explicit((const _Atomic uint32_t *)place, memory_order_acquire);
    default:
        return atomic_load_explicit((const _Atomic uint64_t *)place, memory_order_acquire);
    }
}

static inline void kin__item_store(const struct kin__item_type *type, void *place, uint64_t bits)
{
    switch (type->bytes) {
    case 1:
        atomic_store_explicit((_Atomic uint8_t *)place, (uint8_t)bits, memory_order_release);
        break;
    case 2:
        atomic_store_explicit((_Atomic uint16_t *)place, (uint16_t)bits, memory_order_release);
        break;
    case 4:
        atomic_store_explicit((_Atomic uint32_t *)place, (uint32_t)bits, memory_order_release);
        break;
    default:
        atomic_store_explicit((_Atomic uint64_t *)place, bits, memory_order_release);
        break;
    }
}

static inline uint64_t kin__item_exchange(const struct kin__item_type *type, void *place,
                                          uint64_t bits)
{
    switch (type->bytes) {
    case 1:
        return atomic_exchange((_Atomic uint8_t *)place, (uint8_t)bits);
    case 2:
        return atomic_exchange((_Atomic uint16_t *)place, (uint16_t)bits);
    case 4:
        return atomic_exchange((_Atomic uint32_t *)place, (uint32_t)bits);
    default:
        return atomic_exchange((_Atomic uint64_t *)place, bits);
    }
}

#define KIN__COMPARE_EXCHANGE(word)                                                         \
    do {                                                                                    \
        word seen = (word)*expected;                                                        \
        is_done = atomic_compare_exchange_strong((_Atomic word *)place, &seen, (word)bits); \
        *expected = seen;                                                                   \
    } while (0)

/* Stores `bits` if `*expected` stands there; else says what does. */
static inline bool kin__item_compare_exchange(const struct kin__item_type *type, void *place,
                                              uint64_t *expected, uint64_t bits)
{
    bool is_done = false;
    switch (type->bytes) {
    case 1:
        KIN__COMPARE_EXCHANGE(uint8_t);
        break;
    case 2:
        KIN__COMPARE_EXCHANGE(uint16_t);
        break;
    case 4:
        KIN__COMPARE_EXCHANGE(uint32_t);
        break;
    default:
        KIN__COMPARE_EXCHANGE(uint64_t);
        break;
    }
    return is_done;
}

/* Adds to an integer, wrapping; returns what was there. */
static inline uint64_t kin__item_add(const struct kin__item_type *type, void *place, uint64_t bits)
{
    switch (type->bytes) {
    case 1:
        return atomic_fetch_add((_Atomic uint8_t *)place, (uint8_t)bits);
    case 2:
        return atomic_fetch_add((_Atomic uint16_t *)place, (uint16_t)bits);
    case 4:
        return atomic_fetch_add((_Atomic uint32_t *)place, (uint32_t)bits);
    default:
        return atomic_fetch_add((_Atomic uint64_t *)place, bits);
    }
}

#undef KIN__COMPARE_EXCHANGE

#endif
