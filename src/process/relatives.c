/*
 * The processes around this one.
 *
 * The objects of this process and of its parent are made when they are first asked for. The parent
 * is opened then: if it is alive a moment later, the fd is its own and not that of a process that
 * got its number after it. If not, it is dead, and no fd is needed to know that for ever.
 */
#include "os/clock.h"
#include "os/memory.h"
#include "os/process.h"
#include "process/process.h"
#include "process/runtime.h"
#include "sync/deadlock.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/relatives.h>
#include <kin/wait.h>
#include <stdio.h>
#include <string.h>

/* --- this process and its parent --- */

/* Whether `owner` is alive, and lives in the process `pid`. */
static bool is_alive(uint32_t owner, uint32_t pid)
{
    const struct kin__member *member = kin__member_of(owner);
    bool has_life = member != NULL && member->pid == pid &&
                    !(atomic_load(&member->life) & KIN__OS_FUTEX_DIED);
    return has_life && kin__member_state_of(owner) == KIN__MEMBER_LIVE;
}

/* The fd stays -1 if the parent is dead. */
static int open_parent(kin_process *parent)
{
    int fd = -1;
    int r = parent->pid == 0 ? -ESRCH : kin__os_process_open(parent->pid, &fd);
    if (r < 0) {
        return r == -ESRCH ? 0 : r;
    }
    if (kin__os_parent_id() == parent->pid || is_alive(parent->owner, parent->pid)) {
        parent->fd = fd;
    } else {
        kin__os_close(fd);
    }
    return 0;
}

/* An object that kin has: it is freed by kin_fini. Under the lock. */
static kin_process *make(kin_phase phase)
{
    const struct kin__member *member = kin__family.member;
    kin_process *process = kin__process_allocate();
    if (process == NULL) {
        return NULL;
    }
    int r = 0;
    process->phase = phase;
    if (phase == KIN_PHASE_SELF) {
        process->is_daemon = member->flags & KIN__MEMBER_DAEMON;
        process->pid = kin__family.pid;
        process->owner = kin__family.owner;
        memcpy(process->name, member->name, sizeof process->name);
        memcpy(process->identity, member->identity, sizeof process->identity);
    } else {
        process->pid = member->parent_pid;
        process->owner = member->parent;
        memcpy(process->name, member->parent_name, sizeof process->name);
        r = open_parent(process);
    }
    if (r < 0) {
        kin__process_release(process);
        return NULL;
    }
    process->is_internal = process->is_borrowed = true;
    kin__list_append(&kin__children.list, &process->node);
    return process;
}

static kin_process *find(kin_process **place, kin_phase phase)
{
    mtx_lock(&kin__children.lock);
    if (*place == NULL) {
        *place = make(phase);
    }
    kin_process *process = *place;
    mtx_unlock(&kin__children.lock);
    return process;
}

kin_process *kin_process_current(void)
{
    return kin__self() == NULL ? NULL : find(&kin__children.self, KIN_PHASE_SELF);
}

kin_process *kin_process_parent(void)
{
    return kin__self() == NULL || kin__family.member->parent == 0
               ? NULL
               : find(&kin__children.parent, KIN_PHASE_PARENT);
}

/* --- the end of the parent --- */

int kin__parent_look(const kin_process *parent)
{
    return parent->fd >= 0 && kin__os_process_wait(parent->fd, kin__os_now_ns()) < 0 ? -EAGAIN : 0;
}

int kin__parent_join(const kin_process *parent, kin_timeout timeout)
{
    if (parent->fd < 0) {
        return 0;
    }
    struct kin__thread *self = kin__self();
    kin_wait_item end = kin_wait_for_read(parent->fd);
    int r = self == NULL ? 0 : kin__deadlock_begin_join(self, parent->owner, timeout);
    if (r == 0) {
        r = kin_wait_many(&end, 1, timeout);
    }
    if (self != NULL) {
        kin__deadlock_end(self);
    }
    return r > 0 ? 0 : r;
}

/* --- children --- */

int kin_process_children(kin_process **children, size_t capacity)
{
    if (children == NULL && capacity != 0) {
        return -EINVAL;
    }
    if (kin__self() == NULL) {
        return KIN_EFAMILY;
    }
    int count = 0;
    kin__children_sweep();
    mtx_lock(&kin__children.lock);
    KIN_LIST_EACH (&kin__children.list, node) {
        kin_process *process = KIN_CONTAINER_OF(node, struct kin_process, node);
        if (!process->is_internal && kin__process_look_locked(process) == -EAGAIN) {
            if ((size_t)count < capacity) {
                process->references++;
                children[count] = process;
            }
            count++;
        }
    }
    mtx_unlock(&kin__children.lock);
    return count;
}
