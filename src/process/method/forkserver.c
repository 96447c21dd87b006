/*
 * Starting a child by the forkserver of this process.
 *
 * The child's slot, record and package are made here, so all that the server has to be told is the
 * slot. When it dies before it has answered, the slot says what became of the start: taken back by
 * this process, there was no child, nor will there be one, and the start begins anew, with a new
 * server; or the child has taken it, and runs, or has ended by now.
 */
#include "family/death.h"
#include "family/family.h"
#include "os/event_fd.h"
#include "os/memory.h"
#include "os/process.h"
#include "process/forkserver/client.h"
#include "process/method.h"
#include "process/method/package.h"

#include <errno.h>
#include <kin/error.h>
#include <signal.h>

#define TRIES 5

/* An fd that is readable as that of a process that has ended. */
static int open_ended(int *ret_fd)
{
    int r = kin__os_event_fd_create(ret_fd);
    if (r == 0) {
        kin__os_event_fd_ring(*ret_fd);
    }
    return r;
}

/* The server is dead, and its child has taken the slot: it is found by what it has written there.
 * It lives after its fd was opened, so the fd is its own; or it has ended. */
static int adopt_child(kin_process *process)
{
    int fd = -1;
    uint32_t pid = kin__child_pid(process->owner);
    int r = pid == 0 ? -ESRCH : kin__os_process_open(pid, &fd);
    bool has_ended = kin__death_has_come(process->owner);
    if (has_ended && fd >= 0) {
        kin__os_close(fd);
    }
    if (has_ended || r == -ESRCH) {
        r = open_ended(&fd);
    } else if (r < 0) { /* there is no fd for it */
        kin__os_signal(pid, SIGKILL);
    }
    if (r == 0) {
        kin__start_end(process, pid, fd);
    }
    return r;
}

/* -EPIPE: there is no child, because the server has died. */
static int try_to_start(kin_process *process)
{
    struct kin__package package = {0};
    struct kin__forkserver_child child = {.fd = -1};
    int r = kin__start_begin(process);
    if (r == 0) {
        process->stage = "what it is given";
        r = kin__package_create(&process->plan, process->record, &package);
    }
    if (r == 0) {
        const struct kin__forkserver_order order = {.owner = process->owner,
                                                    .record = process->record->object.handle,
                                                    .fds = package.fds,
                                                    .fd_count = package.fd_count};
        kin__package_give(&package, process->record, process->owner);
        process->stage = "the forkserver";
        r = kin__forkserver_start(&order, &child);
        process->server = child.server;
    }
    kin__package_deinit(&package);
    if (r == 0) {
        kin__child_started(process->owner, child.pid);
        kin__start_end(process, child.pid, child.fd);
    } else if (r == -EPIPE && !kin__child_abandon(process->owner)) {
        r = adopt_child(process);
    }
    if (r < 0) {
        kin__start_fail(process);
    }
    return r;
}

static int start(kin_process *process)
{
    int r = -EPIPE;
    for (int i = 0; i < TRIES && r == -EPIPE; i++) {
        r = try_to_start(process);
    }
    return r == -EPIPE ? KIN_EWORKER : r;
}

const struct kin__method kin__method_forkserver = {
    .method = KIN_FORKSERVER, .name = "forkserver", .start = start};
