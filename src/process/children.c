/*
 * The children of this process as a whole: forgotten in a forked child, ended or waited for when
 * the process leaves the family.
 *
 * Every kin_process stands in the list from its creation until it is freed, or kin_fini.
 */
#include "family/family.h"
#include "family/runtime.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/socket.h"
#include "os/spawn.h"
#include "process/command/command.h"
#include "process/crash.h"
#include "process/forkserver/client.h"
#include "process/method.h"
#include "process/process.h"
#include "process/runtime.h"

#include "base/allocate.h"

#include <errno.h>
#include <kin/stop.h>
#include <signal.h>

#define END_MS 100 /* from SIGTERM to SIGKILL, for all together */
#define LOOK 1     /* a deadline that is past */

static kin_process *process_of(struct kin__list_node *node)
{
    return KIN_CONTAINER_OF(node, struct kin_process, node);
}

static void lock_children(void)
{
    mtx_lock(&kin__children.lock);
}

static void unlock_children(void)
{
    mtx_unlock(&kin__children.lock);
}

/* They are the parent's children, not this process's; their fds only keep numbers busy. */
static void forget_children(void)
{
    kin__commands_forget();
    KIN_LIST_EACH (&kin__children.list, node) {
        kin_process *process = process_of(node);
        process->phase = KIN_PHASE_FOREIGN;
        kin__record_forget(process->record);
        process->record = NULL;
        if (process->fd >= 0) {
            kin__os_close(process->fd);
            process->fd = -1;
        }
        if (process->references == 0) {
            kin__list_remove(node);
            kin__process_release(process);
        }
    }
    kin__children.self = NULL;
    kin__children.parent = NULL;
    kin__record_forget(kin__children.record);
    kin__children.record = NULL;
    mtx_unlock(&kin__children.lock);
}

int kin__children_open_null(void)
{
    mtx_lock(&kin__children.lock);
    int r = kin__children.null_fd >= 0 ? 0 : kin__os_null_open(&kin__children.null_fd);
    mtx_unlock(&kin__children.lock);
    return r;
}

bool kin__children_close_null(void)
{
    mtx_lock(&kin__children.lock);
    int fd = kin__children.null_fd;
    kin__children.null_fd = -1;
    mtx_unlock(&kin__children.lock);
    kin__os_close(fd);
    return fd >= 0;
}

void kin__children_empty_input(bool is_used)
{
    if (kin__family.has_input && kin__children_open_null() == 0) {
        kin__os_input_empty(kin__children.null_fd, is_used);
    }
}

static void signal_children(bool is_daemon, int number)
{
    KIN_LIST_EACH (&kin__children.list, node) {
        kin_process *process = process_of(node);
        if (process->is_daemon == is_daemon && kin__process_look(process) == -EAGAIN) {
            if (is_daemon && number == SIGTERM && !process->is_internal) {
                KIN__LOG(KIN_LOG_INFO, "calling terminate() for daemon %s", process->name);
            }
            int r = kin__os_process_signal(process->fd, number);
            process->is_out_of_reach = r == -EPERM;
        }
    }
}

static void join(kin_process *process, int64_t deadline_ns)
{
    while (kin__process_look(process) == -EAGAIN && kin__process_await(process, deadline_ns) == 0) {
    }
}

static void wait_for_children(bool is_daemon, int64_t deadline_ns, bool is_first)
{
    KIN_LIST_EACH (&kin__children.list, node) {
        kin_process *process = process_of(node);
        if (process->is_daemon == is_daemon && kin__process_look(process) == -EAGAIN) {
            if (is_first && !process->is_internal) {
                KIN__LOG(KIN_LOG_INFO, "calling join() for process %s", process->name);
            }
            join(process,
                 process->is_out_of_reach && deadline_ns == INT64_MAX ? LOOK : deadline_ns);
        }
        if (kin__process_look(process) == 0) {
            kin__crash_tell(process);
        }
    }
}

static int64_t deadline_of(int64_t ms)
{
    return ms == KIN_STOP_FOREVER ? INT64_MAX : kin_within_ms(ms).deadline_ns;
}

/* Ends all daemons, or all others, as `stop` says. */
static void stop_children(bool is_daemon, const kin_stop *stop)
{
    bool has_waited = stop->wait_ms != 0;
    if (has_waited) {
        wait_for_children(is_daemon, deadline_of(stop->wait_ms), true);
    }
    signal_children(is_daemon, SIGTERM);
    wait_for_children(is_daemon, deadline_of(stop->terminate_ms), !has_waited);
    signal_children(is_daemon, SIGKILL);
    wait_for_children(is_daemon, deadline_of(stop->kill_ms), false);
}

/* How long children that are no daemons are waited for. */
static kin_stop grace(void)
{
    int64_t ms = kin__shared()->grace_ms;
    return (kin_stop){.wait_ms = ms == 0 ? KIN_STOP_FOREVER : ms,
                      .terminate_ms = END_MS,
                      .kill_ms = KIN_STOP_FOREVER};
}

/* kin_fini: no other thread is in kin. */
static void end_children(void)
{
    kin_stop at_once = {.terminate_ms = END_MS, .kill_ms = KIN_STOP_FOREVER};
    const kin_stop others = grace();
    stop_children(true, &at_once);
    stop_children(false, &others);
    KIN_LIST_EACH (&kin__children.list, node) {
        kin_process *process = process_of(node);
        kin__list_remove(node);
        if (process->references == 0 || process->is_borrowed) {
            kin__process_release(process);
        }
    }
    kin__children.self = NULL;
    kin__children.parent = NULL;
    kin__children_close_null();
    kin__crash_forget();
}

/* Copies the fds of the children that are no daemons and run: the objects, and the fds in them, are
 * other threads' to free meanwhile. Number of fds; 0 also if there is no memory for them. */
static uint32_t open_running_children(int **ret_fds)
{
    uint32_t count = 0;
    uint32_t opened = 0;
    mtx_lock(&kin__children.lock);
    KIN_LIST_EACH (&kin__children.list, node) {
        count += !process_of(node)->is_daemon;
    }
    int *fds = kin__allocate_array(count, sizeof *fds);
    KIN_LIST_EACH (&kin__children.list, node) {
        kin_process *process = process_of(node);
        if (fds != NULL && !process->is_daemon && kin__process_look_locked(process) == -EAGAIN &&
            kin__os_fd_copy(process->fd, &fds[opened]) == 0) {
            opened++;
        }
    }
    mtx_unlock(&kin__children.lock);
    *ret_fds = fds;
    return opened;
}

/* Sends a signal to those that run, and waits for a while. Those that have ended are closed. */
static uint32_t end_open(int *fds, uint32_t count, int number, int64_t ms)
{
    int64_t deadline_ns = deadline_of(ms);
    uint32_t left = 0;
    bool is_out_of_reach = false;
    for (uint32_t i = 0; i < count && number != 0; i++) {
        is_out_of_reach |= kin__os_process_signal(fds[i], number) == -EPERM;
    }
    deadline_ns = is_out_of_reach ? deadline_of(END_MS) : deadline_ns; /* others end by then */
    for (uint32_t i = 0; i < count; i++) {
        if (kin__os_process_wait(fds[i], deadline_ns) == 0) {
            kin__os_close(fds[i]);
        } else {
            fds[left++] = fds[i];
        }
    }
    return left;
}

/* At exit, beside threads that may be anywhere in here: what is theirs is left alone. Daemons end
 * when this process has ended. */
static void await_children(void)
{
    int *fds = NULL;
    const kin_stop stop = grace();
    uint32_t count = open_running_children(&fds);
    count = end_open(fds, count, 0, stop.wait_ms);
    count = end_open(fds, count, SIGTERM, stop.terminate_ms);
    end_open(fds, count, SIGKILL, stop.kill_ms);
    kin__release(fds);
}

void kin__children_sweep(void)
{
    struct kin__list ended;
    kin__list_init(&ended);
    mtx_lock(&kin__children.lock);
    KIN_LIST_EACH (&kin__children.list, node) {
        kin_process *process = process_of(node);
        if (process->references == 0 && kin__process_look_locked(process) == 0) {
            kin__list_remove(node);
            kin__list_append(&ended, node);
        }
    }
    mtx_unlock(&kin__children.lock);
    KIN_LIST_EACH (&ended, node) {
        kin__process_reap_member(process_of(node));
        kin__crash_tell(process_of(node));
        kin__process_release(process_of(node));
    }
    kin__forkserver_sweep();
}

/* The second interrupt ends children, but not kin's own: those are ended by whom they serve. */
static void pass_interrupt(uint32_t step)
{
    if (step < 2) {
        return;
    }
    mtx_lock(&kin__children.lock);
    KIN_LIST_EACH (&kin__children.list, node) {
        const kin_process *process = process_of(node);
        if (kin__process_look_locked(process_of(node)) == -EAGAIN &&
            (step > 2 || !process->is_internal)) {
            kin__os_process_signal(process->fd, step == 2 ? SIGTERM : SIGKILL);
        }
    }
    mtx_unlock(&kin__children.lock);
}

static void note_exit(int status)
{
    kin__record_note(kin__children.record, KIN__END_NOTED, status & 255);
}

static const struct kin__layer_hooks process_hooks = {
    .begin_child = kin__start_spawned,
    .refuse = kin__record_refuse,
    .exit = note_exit,
    .fini = end_children,
    .fini_beside = await_children,
    .fork_before = lock_children,
    .fork_parent = unlock_children,
    .fork_child = forget_children,
    .interrupted = pass_interrupt,
};

__attribute__((constructor)) static void register_layer(void)
{
    mtx_init(&kin__children.lock, mtx_plain);
    kin__list_init(&kin__children.list);
    kin__list_init(&kin__children.commands);
    kin__children.null_fd = -1;
    kin__layers[KIN__LAYER_PROCESS] = &process_hooks;
}
