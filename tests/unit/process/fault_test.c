#include "base/fault.h"
#include "os/fault.h"
#include "processes.h"

#ifdef KIN_FAULTS

/* 0, or what start said. A child that could not begin has ended as if it had been killed. */
static int start_and_join(bool *ret_was_run)
{
    kin_process *process = NULL;
    int exit_code = 0;
    int r = kin_process_start_bytes(return_seven, NULL, 0, NULL, &process);
    kin__allocation_fail_at(0);
    kin__os_fail_at(0);
    CHECK(r == 0 || process == NULL);
    if (r == 0) {
        CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
        CHECK_EQUAL(kin_process_exit_code(process, &exit_code), 0);
        CHECK(exit_code == 7 || exit_code < 0);
        kin_error *error = kin_process_error(process);
        CHECK_EQUAL(error != NULL, exit_code < 0); /* what it lacked is known */
        kin_error_free(error);
        kin_process_free(process);
    }
    *ret_was_run = exit_code == 7;
    return r;
}

TEST(a_start_without_memory_leaves_nothing)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    kin_cancel *cancel = NULL; /* something to inherit */
    REQUIRE(kin_cancel_create(&cancel) == 0);
    bool was_run = false;
    for (uint64_t n = 1; n < 30 && !was_run; n++) {
        kin__allocation_fail_at(n);
        int r = start_and_join(&was_run);
        CHECK(r == 0 || r == -ENOMEM);
        CHECK_MEMORY();
    }
    CHECK(was_run);
    kin_cancel_free(cancel);
}

TEST(a_start_that_the_system_refuses_leaves_nothing)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    kin_cancel *cancel = NULL; /* something to inherit */
    REQUIRE(kin_cancel_create(&cancel) == 0);
    bool was_run = false;
    for (uint64_t n = 1; n < 40; n++) {
        kin__os_fail_at(n);
        int r = start_and_join(&was_run);
        CHECK(r == 0 || r == -ENOMEM || r == -EAGAIN || r == -EMFILE || r == -ENOSYS);
        CHECK_MEMORY();
    }
    CHECK(was_run);
    kin_cancel_free(cancel);
}

#endif
