#define _GNU_SOURCE
#include "soak/soak.h"

#include "family/directory.h"
#include "family/heap.h"
#include "family/member.h"
#include "family/verify.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { REAP_SECONDS = 10 };

double soak_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static uint64_t count_members(void)
{
    uint64_t count = 0;
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        count += kin__word_state(atomic_load(&kin__member_at(slot)->word)) != KIN__MEMBER_FREE;
    }
    return count;
}

/* Blocks in use that are not this process's lists of references. */
static void count_block(void *user, const struct kin__block_header *header, uint64_t offset,
                        uint64_t bytes)
{
    uint64_t *count = user;
    (void)offset;
    (void)bytes;
    *count += atomic_load(&header->owner) != 0 && header->type != KIN__BLOCK_REFERENCES;
}

uint32_t soak_check_family(uint64_t member_count)
{
    char report[2048] = "";
    double limit = soak_now() + REAP_SECONDS;
    while (count_members() != member_count && soak_now() < limit) {
        usleep(1000);
    }
    uint32_t wrong = 0;
    if (count_members() != member_count) {
        printf("  %lu members are there, not %lu\n", (unsigned long)count_members(),
               (unsigned long)member_count);
        wrong++;
    }
    mtx_lock(&kin__family.reap_lock); /* not beside the keeper's last steps */
    uint32_t broken = kin__family_verify(kin__family.memory, report, sizeof report);
    mtx_unlock(&kin__family.reap_lock);
    if (broken != 0) {
        printf("  %u invariants broken:\n%s", broken, report);
        wrong += broken;
    }
    uint64_t blocks = 0;
    kin__heap_each(&kin__family.memory, count_block, &blocks);
    if (blocks != 0) {
        printf("  %lu blocks are left that nobody has\n", (unsigned long)blocks);
        wrong++;
    }
    return wrong;
}
