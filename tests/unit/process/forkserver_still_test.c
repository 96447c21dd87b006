/* Children of a forkserver that stands still: what needs it, and what does not. */
#define _GNU_SOURCE
#include "../children.h"
#include "process/process.h"
#include "process/runtime.h"
#include "processes.h"

#include <fcntl.h>

static void begin_serving(void)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    method = kin_context_get(KIN_FORKSERVER);
}

static pid_t stop_server(void)
{
    pid_t pid = (pid_t)kin__member_of(kin__forkserver.owner)->pid;
    REQUIRE(kill(pid, SIGSTOP) == 0);
    while (state_in_kernel((uint32_t)pid, (uint32_t)pid) != 'T') {
        pause_a_moment();
    }
    return pid;
}

static int return_when_told(kin_call *call)
{
    char byte = 0;
    say_so(call);
    CHECK_EQUAL(read(kin_call_fd(call, 0), &byte, 1), 1);
    return 7;
}
KIN_FUNCTION(return_when_told)

/* The server has not waited for it, and has its record open; that is sound, and no part of the
 * child. */
TEST(a_child_that_ends_by_itself_is_joined_while_its_server_stands_still)
{
    begin_serving();
    int ends[2];
    char report[4096] = "";
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    kin_process *process = start_and_await_word(
        return_when_told, (kin_process_options){.fds = &ends[0], .fd_count = 1});
    pid_t server = stop_server();
    uint32_t owner = process->owner;
    CHECK_EQUAL(write(ends[1], "x", 1), 1);
    CHECK_EQUAL(exit_code_of(process), 7);
    CHECK_EQUAL(kin__member_state_of(owner), KIN__MEMBER_FREE);
    CHECK_EQUAL(kin__family_verify(kin__family.memory, report, sizeof report), 0);
    CHECK_STRING(report, "");
    CHECK_EQUAL(kill(server, SIGCONT), 0);
    close(ends[0]);
    close(ends[1]);
    CHECK_MEMORY();
}

static int hold_lock(kin_call *call)
{
    kin_handle handle = {0};
    kin_lock *lock = NULL;
    REQUIRE(kin_object_to_handle(kin_call_argument(call, 1), &handle) == 0);
    REQUIRE(kin_lock_attach(handle, &lock) == 0);
    REQUIRE(kin_lock_acquire(lock, KIN_FOREVER) == 0);
    return wait_for_ever(call);
}
KIN_FUNCTION(hold_lock)

/* One that holds the lock. */
static kin_process *start_holder(kin_lock *lock)
{
    int ends[2];
    char byte = 0;
    kin_object *fd = NULL, *handle = NULL;
    REQUIRE(pipe(ends) == 0);
    REQUIRE(kin_object_from_fd(ends[1], &fd) == 0);
    REQUIRE(kin_object_from_handle(kin_lock_handle(lock), &handle) == 0);
    kin_process *process = start_given(hold_lock, KIN_TUPLE(fd, handle), (kin_process_options){0});
    close(ends[1]);
    REQUIRE(read(ends[0], &byte, 1) == 1);
    close(ends[0]);
    return process;
}

/* Only the server knows how it has ended. What it held needs no server. */
TEST(a_child_that_was_killed_is_joined_when_its_server_goes_on)
{
    begin_serving();
    kin_lock *lock = NULL;
    REQUIRE(kin_lock_create(NULL, &lock) == 0);
    kin_process *process = start_holder(lock);
    pid_t server = stop_server();
    CHECK_EQUAL(kin_process_kill(process), 0);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_FOREVER), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_process_join(process, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_process_join(process, kin_by(kin_now_ns() + 1, NULL)), -ETIMEDOUT);
    CHECK_EQUAL(kill(server, SIGCONT), 0);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
    CHECK_EQUAL(kin_lock_mark_consistent(lock), 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    kin_lock_free(lock);
    CHECK_MEMORY();
}
