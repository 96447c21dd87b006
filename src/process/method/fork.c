/*
 * Starting a child by fork.
 *
 * The child is a copy of one thread. Locks that other threads hold at that moment stay locked in
 * it for ever, so a program with threads of its own is refused unless it says that it knows.
 * kin's own locks are taken around the fork (family/member/child.c), and its keeper does not count.
 */
#include "family/family.h"
#include "os/event_fd.h"
#include "os/memory.h"
#include "os/process.h"
#include "process/method.h"
#include "process/runtime.h"

#include <errno.h>
#include <signal.h>

/* An fd that is readable as that of a process that has ended. */
static int open_ended(int *ret_fd)
{
    int r = kin__os_event_fd_create(ret_fd);
    if (r == 0) {
        kin__os_event_fd_ring(*ret_fd);
    }
    return r;
}

/* In the parent: the child that runs becomes that of the object, or ends. Its id, or a code. */
static int adopt_child(kin_process *process, uint32_t pid)
{
    int fd = -1;
    process->stage = "the fd of the process";
    kin__child_started(process->owner, pid);
    int r = kin__os_process_open(pid, &fd);
    if (r == -EMFILE && kin__children_close_null()) { /* this is what that was kept for */
        r = kin__os_process_open(pid, &fd);
    }
    if (r == -ESRCH) { /* it has ended, and the program ignores SIGCHLD */
        r = open_ended(&fd);
    }
    if (r < 0) {
        int exit_code = 0;
        kin__os_signal(pid, SIGKILL);
        while (kin__os_process_reap(pid, &exit_code) == -EAGAIN) {
        }
        return r;
    }
    kin__start_end(process, pid, fd);
    return (int)pid;
}

/* The child alone has its record open: it is the parent's to find among what it inherits. */
static int fork_with_record(kin_process *process)
{
    struct kin__record *record = process->record;
    kin__record_set_inherited(record, true);
    process->record = NULL; /* else the child forgets it, as it does with its parent's others */
    int r = kin__child_fork(process->owner);
    kin__record_set_inherited(record, false);
    if (r == 0) {
        kin__children.record = record;
        kin__start_check_parent();
    } else {
        process->record = record;
    }
    return r;
}

int kin__process_fork_as(kin_process *process)
{
    process->stage = "its standard input";
    bool is_input_used = kin__os_input_is_used(); /* to the parent it costs less */
    int r = kin__children_open_null();            /* makes sure that there is an fd for the child */
    if (r < 0) {
        return r;
    }
    r = kin__start_begin(process);
    if (r == 0) {
        process->stage = "the fork";
        r = fork_with_record(process);
        if (r == 0) {
            kin__children_empty_input(is_input_used);
            KIN__LOG(KIN_LOG_INFO, "child process calling self.run()");
            return 0;
        }
    }
    r = r > 0 ? adopt_child(process, (uint32_t)r) : r;
    if (r < 0) {
        kin__start_fail(process);
    }
    return r;
}

int kin__process_fork(const char *name, bool is_daemon, kin_process **ret_process)
{
    kin_process *process = NULL;
    int r = kin__process_create(name, is_daemon, true, &process);
    if (r < 0) {
        return r;
    }
    r = kin__process_fork_as(process);
    if (r > 0) {
        *ret_process = process;
    } else {
        kin_process_free(process);
    }
    return r;
}

static int start(kin_process *process)
{
    if (!process->plan.allow_threads && kin__start_has_threads()) {
        process->stage = "a fork beside other threads";
        return -EBUSY;
    }
    int r = kin__process_fork_as(process);
    if (r == 0) {
        kin__process_run(&process->plan);
    }
    return r < 0 ? r : 0;
}

const struct kin__method kin__method_fork = {.method = KIN_FORK, .name = "fork", .start = start};
