/* The member table: slots, threads that come and go, and what they hold. */
#define _GNU_SOURCE
#include "family/member.h"

#include "fake.h"
#include "family/death.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/error.h>

static uint32_t new_member(enum kin__member_role role)
{
    uint32_t owner = 0;
    REQUIRE(kin__member_claim(role, kin__family.owner, &owner) == 0);
    return owner;
}

TEST(a_slot_goes_from_free_to_claimed_to_live_to_free)
{
    begin();
    uint32_t owner = new_member(KIN__MEMBER_THREAD);
    CHECK_EQUAL(kin__member_state_of(owner), KIN__MEMBER_CLAIMED);
    CHECK(kin__member_move(owner, KIN__MEMBER_CLAIMED, KIN__MEMBER_LIVE, 0));
    CHECK(!kin__member_move(owner, KIN__MEMBER_CLAIMED, KIN__MEMBER_LIVE, 0));
    CHECK_EQUAL(kin__member_state_of(owner), KIN__MEMBER_LIVE);
    kin__member_free(owner);
    CHECK_EQUAL(kin__member_state_of(owner), KIN__MEMBER_FREE);
    CHECK(!kin__member_move(owner, KIN__MEMBER_FREE, KIN__MEMBER_LIVE, 0) ||
          kin__member_state_of(owner) == KIN__MEMBER_LIVE);
}

TEST(a_slot_that_is_used_again_has_another_owner_id)
{
    begin();
    uint32_t first = new_member(KIN__MEMBER_THREAD);
    kin__member_free(first);
    uint32_t second = new_member(KIN__MEMBER_THREAD);
    CHECK_EQUAL(kin__owner_slot(first), kin__owner_slot(second));
    CHECK(first != second);
    CHECK_EQUAL(kin__member_state_of(first), KIN__MEMBER_FREE);
    kin__member_free(first); /* does nothing to the second */
    CHECK_EQUAL(kin__member_state_of(second), KIN__MEMBER_CLAIMED);
    CHECK(!kin__member_move(first, KIN__MEMBER_CLAIMED, KIN__MEMBER_LIVE, 0));
    kin__member_free(second);
}

TEST(owner_ids_are_never_0_and_fit_their_bits_also_when_the_generation_wraps)
{
    begin();
    uint32_t owner = new_member(KIN__MEMBER_THREAD);
    for (int i = 0; i < 0x4010; i++) {
        kin__member_free(owner);
        uint32_t next = new_member(KIN__MEMBER_THREAD);
        CHECK(next != owner && next != 0 && (next & ~KIN__OWNER_MASK) == 0);
        CHECK(kin__owner_generation(next) != 0);
        owner = next;
    }
    kin__member_free(owner);
}

TEST(owner_ids_of_nobody_have_no_state)
{
    begin();
    CHECK_EQUAL(kin__member_state_of(0), KIN__MEMBER_FREE);
    CHECK_EQUAL(kin__member_state_of(UINT32_MAX), KIN__MEMBER_FREE);
    CHECK(kin__member_of(0xffff) == NULL);
    CHECK(kin__member_at(UINT32_MAX) == NULL);
}

TEST_OF_PROCESSES(a_full_member_table_is_no_memory_until_somebody_leaves)
{
    static uint32_t owners[2000];
    uint32_t count = 0;
    begin_small();
    while (kin__member_claim(KIN__MEMBER_THREAD, kin__family.owner, &owners[count]) == 0) {
        count++;
    }
    CHECK_EQUAL(count, kin__shared()->members.capacity - 3); /* slot 0, the process, its thread */
    uint32_t owner = 0;
    CHECK_EQUAL(kin__family_fork("child", 0, &owner), -ENOMEM);
    for (uint32_t i = 0; i < count; i++) {
        kin__member_free(owners[i]);
    }
    child_join(child_start(do_nothing, NULL));
    CHECK_SOUND();
}

static void *use_kin(void *user)
{
    kin_cancel *cancel = NULL;
    int r = kin_cancel_create(&cancel);
    atomic_store(&numbers[0], member_count());
    if (user == NULL) {
        CHECK_EQUAL(r, 0);
        const struct kin__member *member = kin__self()->member;
        CHECK_EQUAL(member->role, KIN__MEMBER_THREAD);
        CHECK_EQUAL(member->pid, getpid());
        CHECK_EQUAL(member->tid, gettid());
        CHECK_EQUAL(member->process, kin__family.owner);
    } else {
        CHECK_EQUAL(r, -ENOMEM);
        CHECK(kin__self() == NULL);
    }
    kin_cancel_free(cancel);
    return NULL;
}

static void *ignore_kin(void *user)
{
    atomic_store(&numbers[0], member_count());
    return user;
}

TEST(a_thread_is_a_member_from_its_first_use_to_its_end)
{
    begin();
    thread_join(thread_start(ignore_kin, NULL));
    CHECK_EQUAL(atomic_load(&numbers[0]), 2);
    for (int i = 0; i < 5; i++) {
        thread_join(thread_start(use_kin, NULL));
        CHECK_EQUAL(atomic_load(&numbers[0]), 3);
        CHECK_EQUAL(member_count(), 2);
    }
    CHECK_EQUAL(atomic_load(&kin__shared()->death_count), 0);
}

TEST(a_thread_for_which_there_is_no_slot_is_refused_and_ends_well)
{
    static uint32_t owners[2000];
    uint32_t count = 0;
    begin_small();
    while (kin__member_claim(KIN__MEMBER_THREAD, kin__family.owner, &owners[count]) == 0) {
        count++;
    }
    thread_join(thread_start(use_kin, owners));
    for (uint32_t i = 0; i < count; i++) {
        kin__member_free(owners[i]);
    }
    thread_join(thread_start(use_kin, NULL));
}

TEST(a_holding_that_is_noted_stands_there_once)
{
    begin();
    struct kin__thread *self = kin__self();
    for (int i = 0; i < 40; i++) {
        kin__holding_note(self, 7);
    }
    kin__holding_remove(self, 7);
    CHECK_EQUAL(atomic_load(&self->member->holdings[0]), 0);
    CHECK_EQUAL(atomic_load(&self->member->holding_overflow), 0);
}

TEST(holdings_are_a_set_of_which_each_claim_counts)
{
    begin();
    struct kin__thread *self = kin__self();
    _Atomic uint32_t *holdings = self->member->holdings;
    kin__holding_add(self, 7);
    kin__holding_add(self, 7);
    kin__holding_add(self, 8);
    kin__holding_remove(self, 7);
    CHECK_EQUAL(atomic_load(&holdings[0]), 0);
    CHECK_EQUAL(atomic_load(&holdings[1]), 7);
    CHECK_EQUAL(atomic_load(&holdings[2]), 8);
    kin__holding_remove(self, 7);
    kin__holding_remove(self, 8);
    CHECK_EQUAL(atomic_load(&self->member->holding_overflow), 0);
}

TEST(more_holdings_than_there_is_room_for_are_counted)
{
    begin();
    struct kin__thread *self = kin__self();
    for (uint32_t i = 1; i <= KIN__HOLDING_MAX + 2; i++) {
        kin__holding_add(self, i);
    }
    CHECK_EQUAL(atomic_load(&self->member->holding_overflow), 2);
    for (uint32_t i = 1; i <= KIN__HOLDING_MAX + 2; i++) {
        kin__holding_remove(self, i);
    }
    CHECK_EQUAL(atomic_load(&self->member->holding_overflow), 0);
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        CHECK_EQUAL(atomic_load(&self->member->holdings[i]), 0);
    }
}

static void check_own_member(void *user)
{
    (void)user;
    const struct kin__member *member = kin__family.member;
    CHECK_STRING(member->name, "a child with a name that is muc"); /* cut */
    CHECK_EQUAL(member->pid, getpid());
    CHECK_EQUAL(kin__member_of(member->parent)->pid, getppid());
    CHECK(member->taken_ns >= kin__member_of(member->parent)->taken_ns);
    CHECK_EQUAL(member->flags, KIN__MEMBER_DAEMON);
}

TEST_OF_PROCESSES(a_child_knows_its_name_and_its_parent)
{
    begin();
    uint32_t owner = 0;
    int pid = kin__family_fork("a child with a name that is much too long for its slot",
                               KIN__MEMBER_DAEMON, &owner);
    if (pid == 0) {
        check_own_member(NULL);
        kin_fini();
        _exit(0);
    }
    CHECK_EQUAL(kin__member_of(owner)->flags, KIN__MEMBER_DAEMON);
    child_join(pid);
    CHECK_EQUAL(kin__member_state_of(owner), KIN__MEMBER_FREE);
}
