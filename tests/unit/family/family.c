/* kin_init, kin_fini and the limits of the family's memory. */
#include "fake.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/error.h>
#include <stdlib.h>
#include <sys/resource.h>

static int init_with_bytes(uint64_t bytes)
{
    kin_family_options options = {.size = sizeof options, .memory_bytes_max = bytes};
    return kin_init_with(NULL, NULL, &options);
}

TEST(init_takes_null_and_arguments_that_are_not_its_own)
{
    char program[] = "program";
    char *array[] = {program, NULL};
    char **argv = array;
    int argc = 1;
    CHECK_EQUAL(kin_init(NULL, NULL), 0);
    kin_fini();
    CHECK_EQUAL(kin_init(&argc, &argv), 0);
    CHECK_EQUAL(argc, 1);
    CHECK(argv == array);
}

TEST(init_in_a_family_does_nothing)
{
    CHECK_EQUAL(kin_init(NULL, NULL), 0);
    uint32_t family = kin__shared()->family;
    CHECK_EQUAL(kin_init(NULL, NULL), 0);
    CHECK_EQUAL(kin__shared()->family, family);
    CHECK_EQUAL(member_count(), 2); /* the process and its thread */
}

TEST(fini_without_init_does_nothing)
{
    kin_fini();
    kin_fini();
}

TEST(init_and_fini_can_be_repeated)
{
    for (int i = 0; i < 20; i++) {
        kin_cancel *cancel = NULL;
        REQUIRE(kin_init(NULL, NULL) == 0);
        CHECK_EQUAL(kin_cancel_create(&cancel), 0);
        CHECK_EQUAL(kin_cancel_request(cancel), 0);
        kin_cancel_free(cancel);
        kin_fini();
    }
}

TEST(options_of_another_size_are_refused)
{
    kin_family_options options = {.size = 0};
    CHECK_EQUAL(kin_init_with(NULL, NULL, &options), -EINVAL);
    options.size = sizeof options + 8;
    CHECK_EQUAL(kin_init_with(NULL, NULL, &options), -EINVAL);
    CHECK(!kin__family_is_open());
}

TEST(a_memory_that_is_too_small_or_too_large_is_refused)
{
    CHECK_EQUAL(init_with_bytes(1), -EINVAL);
    CHECK_EQUAL(init_with_bytes(((uint64_t)64 << 20) - 1), -EINVAL);
    CHECK_EQUAL(init_with_bytes(((uint64_t)1 << 46) + 1), -EINVAL);
    CHECK_EQUAL(init_with_bytes(UINT64_MAX), -EINVAL);
    CHECK(!kin__family_is_open());
}

TEST(no_options_and_zero_options_are_64_gib)
{
    REQUIRE(kin_init_with(NULL, NULL, NULL) == 0);
    CHECK_EQUAL(kin__shared()->bytes, (long long)64 << 30);
    kin_fini();
    REQUIRE(kin_init_with(NULL, NULL, KIN_OPTIONS(kin_family_options, .memory_bytes_max = 0)) == 0);
    CHECK_EQUAL(kin__shared()->bytes, (long long)64 << 30);
}

TEST(the_smallest_memory_works)
{
    begin_small();
    CHECK_EQUAL(kin__shared()->bytes, (long long)64 << 20);
    CHECK_SOUND();
}

static void limit(int resource, uint64_t bytes)
{
    struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
    REQUIRE(setrlimit(resource, &limit) == 0);
}

TEST(a_limit_on_file_size_makes_the_memory_smaller)
{
    limit(RLIMIT_FSIZE, (uint64_t)100 << 20);
    begin();
    CHECK_EQUAL(kin__shared()->bytes, (long long)100 << 20);
    kin__object_free(&fake_create()->object);
    limit(RLIMIT_FSIZE, RLIM_INFINITY);
}

TEST(a_limit_on_file_size_below_the_smallest_memory_is_no_memory_and_no_signal)
{
    limit(RLIMIT_FSIZE, (uint64_t)1 << 20);
    CHECK_EQUAL(kin_init(NULL, NULL), -ENOMEM);
    limit(RLIMIT_FSIZE, 0);
    CHECK_EQUAL(kin_init(NULL, NULL), -ENOMEM);
    limit(RLIMIT_FSIZE, RLIM_INFINITY);
    CHECK(!kin__family_is_open());
}

TEST(a_limit_on_file_size_that_comes_later_costs_nothing)
{
    uint64_t offset = 0;
    begin();
    limit(RLIMIT_FSIZE, 4096);
    CHECK_EQUAL(kin__block_create(10 << 20, 0, KIN__BLOCK_BYTES, &offset), 0);
    memset(kin__at(offset), 1, 10 << 20);
    limit(RLIMIT_FSIZE, RLIM_INFINITY);
    kin__block_free(offset, kin__block_owner(offset));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if !defined(__has_feature) /* clang's sanitizers reserve address space as well */

TEST(a_limit_on_address_space_makes_the_memory_smaller)
{
    limit(RLIMIT_AS, (uint64_t)1 << 30);
    begin();
    CHECK(kin__shared()->bytes <= (uint64_t)512 << 20);
    CHECK(kin__shared()->bytes >= (uint64_t)64 << 20);
    limit(RLIMIT_AS, RLIM_INFINITY);
}

TEST(too_little_address_space_is_no_memory)
{
    limit(RLIMIT_AS, (uint64_t)100 << 20);
    CHECK_EQUAL(kin_init(NULL, NULL), -ENOMEM);
    limit(RLIMIT_AS, RLIM_INFINITY);
}

#endif
#endif

TEST(without_a_family_calls_are_refused)
{
    kin_cancel *cancel = NULL;
    CHECK_EQUAL(kin_cancel_create(&cancel), KIN_EFAMILY);
    CHECK_EQUAL(kin_cancel_attach((kin_handle){.index = 1, .counter = 1}, &cancel), KIN_EFAMILY);
    CHECK_EQUAL(kin__thread_register(), KIN_EFAMILY);
    CHECK(cancel == NULL);
}

TEST(an_object_of_an_earlier_family_can_only_be_freed)
{
    kin_cancel *cancel = NULL;
    begin();
    REQUIRE(kin_cancel_create(&cancel) == 0);
    kin_fini();
    REQUIRE(kin_init(NULL, NULL) == 0);
    kin_cancel_free(cancel);
    CHECK_SOUND();
}

static void *use_twice(void *user)
{
    kin_cancel *cancel = NULL;
    (void)user;
    CHECK_EQUAL(kin_cancel_create(&cancel), 0);
    kin_cancel_free(cancel);
    atomic_store(&numbers[0], 1);
    await_number(1, 1);
    CHECK_EQUAL(kin_cancel_create(&cancel), 0);
    CHECK_EQUAL(kin__thread_current.member->tid, kin__os_thread_id());
    kin_cancel_free(cancel);
    return NULL;
}

TEST(a_thread_that_knew_an_earlier_family_is_a_member_of_the_next)
{
    begin();
    pthread_t thread = thread_start(use_twice, NULL);
    await_number(0, 1);
    kin_fini();
    REQUIRE(kin_init(NULL, NULL) == 0);
    uint32_t count = member_count();
    atomic_store(&numbers[1], 1);
    thread_join(thread);
    CHECK_EQUAL(member_count(), count);
}

TEST_OF_PROCESSES(a_child_that_exits_without_fini_has_left_the_family)
{
    begin();
    uint32_t count = member_count();
    uint32_t owner = 0;
    int pid = kin__family_fork("child", 0, &owner);
    if (pid == 0) {
        exit(0);
    }
    child_join(pid);
    while (member_count() != count) {
        pause_a_moment();
    }
    CHECK_EQUAL(atomic_load(&kin__shared()->death_count), 0); /* it was no death */
    CHECK_SOUND();
}

TEST(there_is_a_core)
{
    CHECK(kin_cpu_count() >= 1);
}

TEST(the_first_process_is_called_main_process)
{
    begin();
    CHECK_STRING(kin__family.member->name, "MainProcess");
    CHECK_EQUAL(kin__family.member->pid, getpid());
    CHECK_EQUAL(kin__family.member->parent, 0);
    CHECK_EQUAL(kin__member_state_of(kin__family.owner), KIN__MEMBER_LIVE);
}
