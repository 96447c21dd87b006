/* What the tests of this layer share. */
#ifndef UNIT_SHARED_SHARED_H
#define UNIT_SHARED_SHARED_H

#include "family/directory.h"
#include "family/verify.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/error.h>

/* Checks that the verifier finds nothing, once the family is quiet. */
static inline void check_sound(const char *place)
{
    char report[2000] = "";
    if (kin__family_verify(kin__family.memory, report, sizeof report) != 0) {
        test_fail(place, "the family's memory is not sound: %s", report);
    }
}
#define CHECK_SOUND() check_sound(TEST_HERE)

/* How many objects there are. */
static inline uint32_t object_count(void)
{
    uint32_t count = 0;
    uint32_t used = atomic_load(&kin__shared()->directory.used);
    for (uint32_t index = 1; index < used; index++) {
        count += atomic_load(&kin__entry_at(index)->state) == KIN__ENTRY_LIVE;
    }
    return count;
}

static inline bool is_there(kin_handle handle)
{
    return kin__directory_find(handle) != NULL;
}

#endif
