/*
 * An object type of the tests: a holder and a second block, and what the family layer does with
 * them. And a small family, and looks at it from outside.
 */
#ifndef UNIT_FAMILY_FAKE_H
#define UNIT_FAMILY_FAKE_H

#include "family/heap.h"
#include "family/reference.h"
#include "family/runtime.h"
#include "family/verify.h"
#include "unit/children.h"

#define FAKE_TYPE 30u

/* In the family's memory. */
struct fake_shared {
    _Atomic uint32_t holder;       /* owner id; repair clears that of a dead one */
    _Atomic uint32_t repair_count; /* how often repair was called for this object */
    _Atomic uint32_t dead;         /* the last one for whom it was called */
    _Atomic uint64_t extra;        /* a second block of the object; 0: none */
};

struct fake {
    struct kin__object object;
};

/* Creates a fake; ends the test if that fails. */
struct fake *fake_create(void);

/* One with a shared part of another size: what kin__object_create says. */
int fake_try(uint64_t bytes, struct fake **ret_fake);

struct fake_shared *fake_shared(const struct fake *fake);

/* Starts a family of the smallest size. */
void begin_small(void);

/* A child's body that does nothing. */
void do_nothing(void *user);

/* How many slots are in use; how many blocks belong to a process. */
uint32_t member_count(void);
uint32_t block_count_of(uint64_t owner);

/* Checks that the verifier finds nothing, once the family is quiet. */
void check_sound(const char *place);
#define CHECK_SOUND() check_sound(TEST_HERE)

#endif
