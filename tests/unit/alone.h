/*
 * Looks at the family's memory when this process is the last one in it. Others may be half way
 * through something, which the verifier would take for broken: a forkserver that has yet to let go
 * of the record of a child which has been joined, or a keeper that reaps.
 */
#ifndef UNIT_ALONE_H
#define UNIT_ALONE_H

#include "family/family.h"
#include "family/keeper.h"
#include "family/member.h"
#include "family/verify.h"
#include "harness/test.h"

#include <unistd.h>

static inline bool is_alone(void)
{
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        uint64_t word = atomic_load(&kin__member_at(slot)->word);
        uint32_t state = kin__word_state(word);
        bool is_own = kin__owner(slot, word) == kin__family.owner ||
                      (state == KIN__MEMBER_CLAIMED && kin__word_by(word) == kin__family.owner);
        if (kin__word_role(word) == KIN__MEMBER_PROCESS && state != KIN__MEMBER_FREE && !is_own) {
            return false;
        }
    }
    return true;
}

/* All others are about to end, or dead. */
static inline void check_memory_alone_at(const char *place)
{
    char report[4096] = "";
    while (!is_alone()) {
        if (!kin__keeper_runs()) {
            kin__keeper_look();
        }
        usleep(200);
    }
    mtx_lock(&kin__family.reap_lock); /* not beside the last steps of the keeper */
    uint32_t count = kin__family_verify(kin__family.memory, report, sizeof report);
    mtx_unlock(&kin__family.reap_lock);
    if (count != 0) {
        test_fail(place, "the family's memory is not sound: %s", report);
    }
}
#define CHECK_MEMORY_ALONE() check_memory_alone_at(TEST_HERE)

#endif
