/* The record of a process, and the package that a child begins with. */
#include "family/call.h"
#include "family/family.h"
#include "family/verify.h"
#include "harness/test.h"
#include "process/method/package.h"

#include <errno.h>
#include <fcntl.h>
#include <kin.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void test_teardown(void)
{
    kin_fini();
}

static struct kin__record *begin(void)
{
    struct kin__record *record = NULL;
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(kin__record_create(&record) == 0);
    return record;
}

static int add_up(kin_call *call)
{
    return (int)(kin_call_int(call, 0) + kin_call_int(call, 1));
}
KIN_FUNCTION(add_up)

static int nameless(kin_call *call)
{
    (void)call;
    return 0;
}

/* --- the record --- */

TEST(what_the_kernel_told_counts_more_than_what_a_process_noted)
{
    struct kin__record *record = begin();
    int code = 5;
    CHECK_EQUAL(kin__record_end(record, &code), KIN__END_NONE);
    CHECK_EQUAL(code, 5);
    kin__record_note(record, KIN__END_NOTED, 3);
    kin__record_note(record, KIN__END_NOTED, 4);
    CHECK_EQUAL(kin__record_end(record, &code), KIN__END_NOTED);
    CHECK_EQUAL(code, 3);
    kin__record_note(record, KIN__END_WAITED, -SIGKILL);
    kin__record_note(record, KIN__END_NOTED, 7);
    CHECK_EQUAL(kin__record_end(record, &code), KIN__END_WAITED);
    CHECK_EQUAL(code, -SIGKILL);
    kin__record_free(record);
}

TEST(a_record_with_an_end_that_no_process_has_is_found_by_the_verifier)
{
    struct kin__record *record = begin();
    struct process_shared *shared = kin__record_shared(record);
    CHECK_EQUAL(kin__family_verify(kin__family.memory, NULL, 0), 0);
    atomic_store(&shared->end, (uint64_t)9 << 32);
    CHECK_EQUAL(kin__family_verify(kin__family.memory, NULL, 0), 1);
    atomic_store(&shared->end, (uint64_t)KIN__END_NOTED << 32 | 256);
    CHECK_EQUAL(kin__family_verify(kin__family.memory, NULL, 0), 1);
    atomic_store(&shared->end, 0);
    kin__record_free(record);
}

TEST(a_note_on_the_record_of_a_family_that_was_left_does_nothing)
{
    struct kin__record *record = begin();
    int code = 5;
    kin_fini();
    kin__record_note(record, KIN__END_NOTED, 1);
    CHECK_EQUAL(kin__record_end(record, &code), KIN__END_NONE);
    kin__record_free(record);
    kin__record_free(NULL);
}

/* --- the package --- */

/* A child that has a package, and looks into it; what it finds is its exit status. */
static int unpack_in_child(const struct kin__process_plan *plan, int (*look)(kin_call *call))
{
    struct kin__record *record = begin();
    struct kin__package package = {0};
    uint32_t owner = 0;
    int r = kin__package_create(plan, record, &package);
    REQUIRE(r == 0);
    REQUIRE(kin__child_prepare("child", 0, &owner) == 0);
    kin__record_set_owner(record, owner);
    kin__package_give(&package, record, owner);
    kin__record_free(record); /* the package keeps it */
    int pid = kin__child_fork(owner);
    REQUIRE(pid >= 0);
    if (pid == 0) {
        struct kin__record *own = NULL;
        struct kin__process_plan unpacked = {0};
        const char *name = "";
        r = kin__package_open(package.fds, package.fd_count, &own, &unpacked, &name);
        kin_call call = {.object = unpacked.arguments,
                         .input = {.data = unpacked.data, .size = unpacked.size},
                         .fds = unpacked.fds,
                         .fd_count = unpacked.fd_count};
        _exit(r < 0 || unpacked.function != plan->function ? 99 : look(&call));
    }
    kin__child_started(owner, (uint32_t)pid);
    int status = 0;
    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    kin__package_deinit(&package);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(a_package_holds_arguments)
{
    kin_object *arguments = KIN_TUPLE(kin_object_from_int(4), kin_object_from_int(5));
    struct kin__process_plan plan = {.function = add_up, .arguments = arguments};
    CHECK_EQUAL(unpack_in_child(&plan, add_up), 9);
    kin_object_free(arguments);
}

static int is_hello(kin_call *call)
{
    kin_bytes input = kin_call_bytes(call);
    return input.size == 5 && memcmp(input.data, "hello", 5) == 0;
}

static int has_no_bytes(kin_call *call)
{
    return kin_call_bytes(call).size == 0;
}

TEST(a_package_holds_bytes_or_none)
{
    struct kin__process_plan plan = {.function = add_up, .data = (char[]){"hello"}, .size = 5};
    CHECK_EQUAL(unpack_in_child(&plan, is_hello), 1);
    kin_fini();
    plan = (struct kin__process_plan){.function = add_up};
    CHECK_EQUAL(unpack_in_child(&plan, has_no_bytes), 1);
}

/* Sets the event; the parent has let go of it. */
static int set_event(kin_call *call)
{
    kin_event *event = NULL;
    kin_handle handle = {0};
    int r = kin_object_to_handle(kin_call_argument(call, 0), &handle);
    if (r == 0) {
        r = kin_event_attach(handle, &event);
    }
    return r == 0 && kin_event_set(event) == 0 ? 1 : 0;
}

TEST(handles_in_a_package_keep_alive_what_they_name)
{
    kin_event *event = NULL;
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_object *arguments = NULL;
    REQUIRE(kin_object_from_handle(kin_event_handle(event), &arguments) == 0);
    struct kin__process_plan plan = {.function = add_up, .arguments = arguments};
    CHECK_EQUAL(unpack_in_child(&plan, set_event), 1);
    CHECK(kin_event_is_set(event));
    kin_object_free(arguments);
    kin_event_free(event);
}

/* The fd in the arguments is a pipe's end, the other one that of the options. */
static int write_to_both(kin_call *call)
{
    int fd = kin_object_fd(kin_call_argument(call, 0));
    bool is_written = write(fd, "a", 1) == 1 && kin_call_fd_count(call) == 1 &&
                      write(kin_call_fd(call, 0), "b", 1) == 1;
    return is_written;
}

TEST(fds_in_a_package_come_in_order)
{
    int ends[2], others[2];
    char bytes[2] = {0};
    REQUIRE(pipe(ends) == 0 && pipe(others) == 0);
    kin_object *arguments = NULL;
    REQUIRE(kin_object_from_fd(ends[1], &arguments) == 0);
    struct kin__process_plan plan = {
        .function = add_up, .arguments = arguments, .fds = &others[1], .fd_count = 1};
    CHECK_EQUAL(unpack_in_child(&plan, write_to_both), 1);
    CHECK_EQUAL(read(ends[0], &bytes[0], 1), 1);
    CHECK_EQUAL(read(others[0], &bytes[1], 1), 1);
    CHECK_EQUAL(bytes[0], 'a');
    CHECK_EQUAL(bytes[1], 'b');
    kin_object_free(arguments);
    close(ends[0]);
    close(ends[1]);
    close(others[0]);
    close(others[1]);
}

TEST(a_function_without_a_name_cannot_be_packed)
{
    struct kin__record *record = begin();
    struct kin__package package = {0};
    struct kin__process_plan plan = {.function = nameless};
    CHECK_EQUAL(kin__package_create(&plan, record, &package), KIN_EFUNCTION);
    kin__record_free(record);
}

TEST(what_was_prepared_for_a_child_is_freed_with_its_slot)
{
    struct kin__record *record = begin();
    struct kin__package package = {0};
    uint32_t owner = 0;
    struct kin__process_plan plan = {.function = add_up};
    kin_handle handle = record->object.handle;
    REQUIRE(kin__package_create(&plan, record, &package) == 0);
    REQUIRE(kin__child_prepare("child", 0, &owner) == 0);
    uint64_t place = package.place;
    kin__record_set_owner(record, owner);
    kin__package_give(&package, record, owner);
    kin__package_deinit(&package);
    kin__record_free(record);
    CHECK_EQUAL(kin__record_attach(handle, &record), 0);
    kin__record_free(record);
    CHECK(kin__child_abandon(owner));
    CHECK(!kin__child_abandon(owner));
    CHECK_EQUAL(kin__block_owner(place), 0);
    CHECK_EQUAL(kin__record_attach(handle, &record), -ESTALE);
}

TEST(a_process_for_which_nothing_was_packed_says_so)
{
    struct kin__record *record = begin();
    struct kin__record *own = NULL;
    struct kin__process_plan plan = {0};
    const char *name = NULL;
    CHECK_EQUAL(kin__package_open(NULL, 0, &own, &plan, &name), -ESTALE);
    kin__member_of(kin__family.owner)->record = kin__object_index(&record->object);
    CHECK_EQUAL(kin__package_open(NULL, 0, &own, &plan, &name), -ESTALE);
    kin__record_free(record);
}
