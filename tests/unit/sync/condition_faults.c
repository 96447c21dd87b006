/* kin_condition when memory is out, and on kernels that cannot wait for two words at once. */
#include "base/fault.h"
#include "os/fault.h"
#include "unit/sync/conditions.h"

#ifdef KIN_FAULTS

static void fail_allocation(uint64_t n)
{
    kin__allocation_fail_at(n);
}

static void fail_call(uint64_t n)
{
    kin__os_fail_at(n);
}

/* Makes one, opens it again, uses it. The first code that was not 0. */
static int use_condition(void)
{
    kin_condition *condition = NULL;
    kin_condition *again = NULL;
    int r = kin_condition_create(NULL, &condition);
    CHECK((r == 0) == (condition != NULL));
    if (r < 0) {
        return r;
    }
    r = kin_condition_attach(kin_condition_handle(condition), &again);
    CHECK((r == 0) == (again != NULL));
    acquire(condition);
    CHECK_EQUAL(kin_condition_notify(condition, 1), 0);
    CHECK_EQUAL(kin_condition_wait(condition, KIN_NOW), -EAGAIN);
    release(condition);
    kin_condition_free(again);
    kin_handle handle = kin_condition_handle(condition);
    kin_condition_free(condition);
    int gone = kin_condition_attach(handle, &again);
    CHECK(gone == -ESTALE || gone == -ENOMEM);
    return r;
}

static void fail_each(void (*fail)(uint64_t n))
{
    int r = -1;
    begin();
    for (uint64_t n = 1; r < 0; n++) {
        kin_fini();
        REQUIRE(kin_init(NULL, NULL) == 0);
        fail(n);
        r = use_condition();
        fail(0);
        CHECK(r == 0 || r == -ENOMEM);
        check_family();
    }
}

TEST(a_condition_that_cannot_be_made_or_opened_is_enomem_and_leaves_nothing)
{
    fail_each(fail_allocation);
}

TEST(each_call_to_the_system_that_a_condition_makes_can_fail)
{
    fail_each(fail_call);
}

TEST(where_the_kernel_cannot_wait_on_two_words_a_wait_with_a_token_ends_at_its_deadline)
{
    kin_condition *condition = new_condition();
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    acquire(condition);
    for (int i = 0; i < 3; i++) {
        kin__os_fail_at(1);
        CHECK_EQUAL(kin_condition_wait(condition, kin_by(kin_now_ns() + 3000000, cancel)),
                    -ETIMEDOUT);
        kin__os_fail_at(0);
    }
    release(condition);
    kin_cancel_free(cancel);
    kin_condition_free(condition);
}

#endif
