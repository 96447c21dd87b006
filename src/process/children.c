/*
 * The children of this process as a whole: forgotten in a forked child, ended or waited for when
 * the process leaves the family.
 *
 * Every kin_process stands in the list from its creation until it is freed, or kin_fini.
 */
#include "family/runtime.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/process.h"
#include "process/process.h"
#include "process/runtime.h"

#include "base/allocate.h"

#include <errno.h>
#include <signal.h>

#define DAEMON_GRACE_NS 100000000 /* from SIGTERM to SIGKILL, for all daemons together */

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
    KIN_LIST_EACH (&kin__children.list, node) {
        kin_process *process = process_of(node);
        process->phase = KIN_PHASE_FOREIGN;
        if (process->fd >= 0) {
            kin__os_close(process->fd);
            process->fd = -1;
        }
        if (process->references == 0) {
            kin__list_remove(node);
            kin__process_release(process);
        }
    }
    mtx_unlock(&kin__children.lock);
}

static void signal_daemons(int number)
{
    KIN_LIST_EACH (&kin__children.list, node) {
        kin_process *process = process_of(node);
        if (process->is_daemon && kin__process_look(process) == -EAGAIN) {
            kin__os_process_signal(process->fd, number);
        }
    }
}

static void wait_for_children(bool is_daemon, int64_t deadline_ns)
{
    KIN_LIST_EACH (&kin__children.list, node) {
        kin_process *process = process_of(node);
        if (process->is_daemon != is_daemon) {
            continue;
        }
        while (kin__process_look(process) == -EAGAIN &&
               kin__os_process_wait(process->fd, deadline_ns) == 0) {
        }
    }
}

/* kin_fini: no other thread is in kin. */
static void end_children(void)
{
    signal_daemons(SIGTERM);
    wait_for_children(true, kin__os_now_ns() + DAEMON_GRACE_NS);
    signal_daemons(SIGKILL);
    wait_for_children(true, INT64_MAX);
    wait_for_children(false, INT64_MAX);
    KIN_LIST_EACH (&kin__children.list, node) {
        kin_process *process = process_of(node);
        kin__list_remove(node);
        if (process->references == 0) {
            kin__process_release(process);
        }
    }
}

/* Opens again the children that are no daemons and run: the objects, and their fds, are other
 * threads' to free meanwhile. Number of fds; 0 also if there is no memory for them. */
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
            kin__os_process_open(process->pid, &fds[opened]) == 0) {
            opened++;
        }
    }
    mtx_unlock(&kin__children.lock);
    *ret_fds = fds;
    return opened;
}

/* At exit, beside threads that may be anywhere in here: what is theirs is left alone. Daemons end
 * when this process has ended. */
static void await_children(void)
{
    int *fds = NULL;
    uint32_t count = open_running_children(&fds);
    for (uint32_t i = 0; i < count; i++) {
        kin__os_process_wait(fds[i], INT64_MAX);
        kin__os_close(fds[i]);
    }
    kin__release(fds);
}

void kin__children_sweep(void)
{
    mtx_lock(&kin__children.lock);
    KIN_LIST_EACH (&kin__children.list, node) {
        kin_process *process = process_of(node);
        if (process->references == 0 && kin__process_look_locked(process) == 0) {
            kin__list_remove(node);
            kin__process_release(process);
        }
    }
    mtx_unlock(&kin__children.lock);
}

static const struct kin__layer_hooks process_hooks = {
    .fini = end_children,
    .fini_beside = await_children,
    .fork_before = lock_children,
    .fork_parent = unlock_children,
    .fork_child = forget_children,
};

__attribute__((constructor)) static void register_layer(void)
{
    mtx_init(&kin__children.lock, mtx_plain);
    kin__list_init(&kin__children.list);
    kin__layers[KIN__LAYER_PROCESS] = &process_hooks;
}
