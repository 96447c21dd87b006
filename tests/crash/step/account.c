#define _GNU_SOURCE
#include "step/record.h"

#include "family/directory.h"
#include "family/heap.h"
#include "family/member.h"
#include "family/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void count_block(void *user, const struct kin__block_header *header, uint64_t offset,
                        uint64_t bytes)
{
    struct account *account = user;
    (void)offset;
    if (atomic_load(&header->owner) != 0) {
        account->blocks++;
        account->bytes += bytes;
    }
}

uint64_t account_members(void)
{
    uint64_t count = 0;
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        count += kin__word_state(atomic_load(&kin__member_at(slot)->word)) != KIN__MEMBER_FREE;
    }
    return count;
}

struct account account_take(void)
{
    struct account account = {.members = account_members()};
    uint32_t used = atomic_load(&kin__shared()->directory.used);
    kin__heap_each(&kin__family.memory, count_block, &account);
    for (uint32_t index = 1; index < used; index++) {
        account.objects += atomic_load(&kin__entry_at(index)->state) != KIN__ENTRY_FREE;
    }
    return account;
}

/* Reaps children whose parents died: they are ours now. True: there are none left but one that
   stays. */
static bool is_childless(void)
{
    char path[64];
    char text[64];
    pid_t pid = 0;
    do {
        pid = waitpid(-1, NULL, WNOHANG);
    } while (pid > 0);
    if (pid < 0 || crash_stage.hammer == 0) {
        return pid < 0;
    }
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    size_t size = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    text[size] = '\0';
    if (file != NULL) {
        fclose(file);
    }
    char *end = NULL;
    return strtol(text, &end, 10) == crash_stage.hammer && strtol(end, NULL, 10) == 0;
}

void crash_await_quiet(void)
{
    double limit = crash_now() + crash_hang_ms() * 1e-3;
    while (!is_childless() || account_members() != crash_stage.member_count) {
        if (crash_now() > limit) {
            crash_hang("the dead are not reaped, or live on");
            return;
        }
        usleep(50);
    }
}

static void check_invariants(void)
{
    char report[1024] = "";
    mtx_lock(&kin__family.reap_lock); /* not beside the keeper's last steps */
    uint32_t failures = kin__family_verify(kin__family.memory, report, sizeof report);
    mtx_unlock(&kin__family.reap_lock);
    if (failures != 0) {
        crash_fail("%u invariants broken:\n%s", failures, report);
    }
}

static void check_account(const struct account *base)
{
    struct account account = account_take();
    if (account.blocks != base->blocks || account.bytes != base->bytes ||
        account.objects != base->objects) {
        crash_fail("%lld blocks, %lld bytes, %lld objects are in use that nobody has",
                   (long long)(account.blocks - base->blocks),
                   (long long)(account.bytes - base->bytes),
                   (long long)(account.objects - base->objects));
    }
}

void account_check(const struct account *base)
{
    crash_await_quiet();
    if (atomic_load(&crash_record->failure_count) != 0) {
        return; /* what is left may be that of somebody who hangs */
    }
    hammer_hold();
    check_invariants();
    if (base != NULL) {
        check_account(base);
    }
    hammer_release();
}
