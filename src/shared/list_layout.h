/**
 * The memory of a kin_shared_list: places that change under a lock whose holder may die.
 *
 * Each place has two sides, and says which of them counts. A writer fills the other side and turns
 * the place over with one store. So the lock guards nothing that can be half done: who finds its
 * holder dead goes on, and nobody above has to be told. The price is twice the memory; the
 * alternative, a lock that passes on as owner-died with one copy, would leave each user to guess
 * what an item of mixed old and new bytes was meant to be.
 *
 * Readers take the lock too: a side that does not count may be under a writer's hands.
 *
 *     header    struct kin__list_shared
 *     places    struct kin__list_place[length]
 *     bytes     of each place, two sides of `capacity` bytes, each at a multiple of 8
 */
#ifndef KIN_SHARED_LIST_LAYOUT_H
#define KIN_SHARED_LIST_LAYOUT_H

#include "base/arithmetic.h"
#include "family/lock.h"
#include "family/reference.h"

#include <kin/shared_list.h>

struct kin__list_side {
    uint32_t kind;
    uint32_t reserved;
    uint64_t bits; /* the number; of a string or bytes: their size */
};

/* Peer death: a dead writer has turned the place over or not. */
struct kin__list_place {
    _Atomic uint32_t current; /* the side that counts; under the lock */
    uint32_t reserved;
    uint64_t capacity; /* constant */
    uint64_t bytes;    /* constant: from the start of the header to the first side's bytes */
    struct kin__list_side sides[2];
};

/* Peer death: the lock passes on, and guards nothing that can be half done. */
struct kin__list_shared {
    struct kin__lock lock;
    uint32_t reserved;
    uint64_t length; /* constant */
    uint64_t end;    /* constant: bytes of all of it */
    struct kin__list_place places[];
};

KIN_STATIC_ASSERT_SIZE(struct kin__list_side, 16);
KIN_STATIC_ASSERT_SIZE(struct kin__list_place, 56);
KIN_STATIC_ASSERT_SIZE(struct kin__list_shared, 24);

struct kin_shared_list {
    struct kin__object object;
};

/* Whether an item of a kind has bytes. */
static inline bool kin__list_has_bytes(uint32_t kind)
{
    return kind == KIN_SHARED_STRING || kind == KIN_SHARED_BYTES;
}

/* Whether a place's bytes lie in the list. */
static inline bool kin__list_has_place(const struct kin__list_shared *shared,
                                       const struct kin__list_place *place)
{
    return place->capacity <= shared->end && place->bytes <= shared->end &&
           2 * kin__u64_align_up(place->capacity, 8) <= shared->end - place->bytes;
}

/* The bytes of one side of a place. */
static inline unsigned char *kin__list_bytes(struct kin__list_shared *shared,
                                             const struct kin__list_place *place, uint32_t side)
{
    return (unsigned char *)shared + place->bytes + side * kin__u64_align_up(place->capacity, 8);
}

/* Whether an item that a caller gave can be one. */
bool kin__list_is_sound(const kin_shared_item *item);

/* Writes an item to a side of a place, which has room for it. */
void kin__list_fill(struct kin__list_shared *shared, struct kin__list_place *place, uint32_t number,
                    const kin_shared_item *item);

#endif
