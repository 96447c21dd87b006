/* Each system call and each allocation fails once, at every place. */
#include "base/fault.h"

#include "fake.h"
#include "os/fault.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/error.h>

#ifdef KIN_FAULTS

/* What is made to fail. */
struct fault {
    void (*fail_at)(uint64_t n);
    uint64_t (*count)(void); /* calls since fail_at */
};

static uint64_t allocations_before;

static void fail_allocation_at(uint64_t n)
{
    allocations_before = kin__allocation_count();
    kin__allocation_fail_at(n);
}

static uint64_t allocation_count(void)
{
    return kin__allocation_count() - allocations_before;
}

static const struct fault system_calls = {kin__os_fail_at, kin__os_call_count};
static const struct fault allocations = {fail_allocation_at, allocation_count};

static bool is_known(int code)
{
    return code == -ENOMEM || code == -EMFILE || code == -ENOSYS || code == -EAGAIN ||
           code == KIN_EFAMILY;
}

/* Runs `step` with the n-th call failing, n = 1, 2, ..., until no call was left to fail. */
static void fail_everywhere(const struct fault *fault, void (*step)(void))
{
    uint64_t n = 0;
    uint64_t count = 0;
    do {
        n++;
        fault->fail_at(n);
        step();
        count = fault->count();
        fault->fail_at(0);
        REQUIRE(n < 1000);
    } while (count >= n);
    CHECK(n > 2);
}

/* --- a family, an object and a child --- */

static void live_a_little(void)
{
    kin_cancel *cancel = NULL;
    kin_cancel *second = NULL;
    uint32_t owner = 0;
    int r = kin_init(NULL, NULL);
    CHECK(r == 0 || is_known(r));
    if (r < 0) {
        CHECK(!kin__family_is_open());
        return;
    }
    r = kin_cancel_create(&cancel);
    CHECK(r == 0 || (is_known(r) && cancel == NULL));
    if (r == 0) {
        r = kin_cancel_attach(kin_cancel_handle(cancel), &second);
        CHECK(r == 0 || (is_known(r) && second == NULL));
    }
    r = kin__family_fork("child", 0, &owner);
    if (r == 0) {
        kin_fini();
        _exit(0);
    }
    CHECK(r > 0 || is_known(r));
    if (r > 0) { /* the child may have died of the fault, which it has inherited */
        int status = 0;
        REQUIRE(waitpid(r, &status, 0) == r);
        CHECK(status == 0 || status == SIGKILL);
        while (kin__member_state_of(owner) != KIN__MEMBER_FREE) {
            pause_a_moment();
        }
    }
    kin_cancel_free(second);
    kin_cancel_free(cancel);
    CHECK_SOUND();
    kin_fini();
}

TEST_OF_PROCESSES_WITH(a_system_call_that_fails_is_a_code_and_leaves_nothing, .limit_seconds = 60)
{
    fail_everywhere(&system_calls, live_a_little);
}

TEST_OF_PROCESSES(an_allocation_that_fails_is_a_code_and_leaves_nothing)
{
    fail_everywhere(&allocations, live_a_little);
}

/* --- the child of a plain fork --- */

static kin_cancel *inherited;
static const struct fault *inherited_fault;
static uint64_t inherited_n;

/* In the child: the first call may fail, the next one not, and what is open is sound. */
static uint64_t join_family(void)
{
    inherited_fault->fail_at(inherited_n);
    int r = kin_cancel_request(inherited);
    uint64_t count = inherited_fault->count();
    inherited_fault->fail_at(0);
    CHECK(r == 0 || is_known(r));
    CHECK_EQUAL(kin_cancel_request(inherited), 0);
    CHECK_EQUAL(kin__entry_at(kin_cancel_handle(inherited).index)->references, 2);
    CHECK_EQUAL(member_count(), 4);
    kin_cancel_free(inherited);
    kin_fini();
    return count;
}

static void join_with_faults(const struct fault *fault)
{
    begin();
    REQUIRE(kin_cancel_create(&inherited) == 0);
    inherited_fault = fault;
    inherited_n = 0;
    do {
        inherited_n++;
        pid_t pid = fork();
        if (pid == 0) {
            atomic_store(&numbers[0], join_family());
            _exit(0);
        }
        child_join(pid);
        CHECK_EQUAL(member_count(), 2);
    } while (atomic_load(&numbers[0]) >= inherited_n);
    CHECK(inherited_n > 1);
    CHECK_EQUAL(kin__entry_at(kin_cancel_handle(inherited).index)->references, 1);
    CHECK_SOUND();
    kin_cancel_free(inherited);
}

TEST_OF_PROCESSES(a_child_that_fails_to_join_leaves_nothing_and_can_try_again)
{
    join_with_faults(&system_calls);
}

TEST_OF_PROCESSES(a_child_that_has_no_memory_to_join_leaves_nothing_and_can_try_again)
{
    join_with_faults(&allocations);
}

/* --- growth --- */

static void create_many(void)
{
    enum { COUNT = 300 };
    static struct fake *fakes[COUNT];
    uint64_t blocks[COUNT];
    for (int i = 0; i < COUNT; i++) {
        int r = fake_try(5000, &fakes[i]);
        CHECK(r == 0 || is_known(r));
        r = kin__block_create(i % 2 == 0 ? 100000 : 2000, 0, KIN__BLOCK_BYTES, &blocks[i]);
        CHECK(r == 0 || is_known(r));
        blocks[i] = r == 0 ? blocks[i] : 0;
    }
    CHECK_SOUND();
    for (int i = 0; i < COUNT; i++) {
        kin__object_free(fakes[i] == NULL ? NULL : &fakes[i]->object);
        kin__block_free(blocks[i], kin__block_owner(blocks[i]));
        fakes[i] = NULL;
    }
    kin__heap_trim();
    CHECK_SOUND();
}

TEST(objects_and_blocks_that_cannot_be_made_leave_a_sound_memory)
{
    begin();
    fail_everywhere(&system_calls, create_many);
}

TEST(objects_and_blocks_for_which_there_is_no_private_memory_leave_a_sound_memory)
{
    begin();
    uint64_t n = 1;
    uint64_t count = 0;
    do {
        fail_allocation_at(n);
        create_many();
        count = allocation_count();
        kin__allocation_fail_at(0);
        n += n / 4 + 1;
    } while (count >= n);
}

#endif
