/*
 * The os layer of the simulated machine: what src/os/linux does on a real one.
 */
#include "explore/machine.h"
#include "explore/region.h"
#include "family/keeper.h"
#include "os/clock.h"
#include "os/futex.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/thread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- futex --- */

static int sleep_on(const struct kin__os_futex_wait *waits, uint32_t count, int64_t deadline_ns)
{
    struct machine_thread *self = machine_self();
    self->waits = waits;
    self->wait_count = 0;
    self->is_woken = false;
    self->sleep_number = ++machine->sleep_count;
    self->deadline_ns = deadline_ns;
    self->result = 0;
    for (uint32_t i = 0; i < count; i++) {
        machine_point(POINT_CALL, NULL);
        if (*(volatile uint32_t *)waits[i].word != waits[i].expected) {
            self->wait_count = 0;
            return 0;
        }
        self->wait_count = i + 1; /* from here on a wake is for this one too */
    }
    if (!self->is_woken) {
        machine_block(THREAD_ASLEEP);
    }
    self->wait_count = 0;
    return self->result;
}

int kin__os_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns)
{
    struct kin__os_futex_wait wait = {.word = word, .expected = expected};
    machine_place = __builtin_return_address(0);
    return sleep_on(&wait, 1, deadline_ns);
}

int kin__os_futex_wait_many(const struct kin__os_futex_wait *waits, uint32_t count,
                            int64_t deadline_ns)
{
    machine_place = __builtin_return_address(0);
    return machine->is_old ? -ENOSYS : sleep_on(waits, count, deadline_ns);
}

int kin__os_futex_wake(_Atomic uint32_t *word, uint32_t count)
{
    machine_place = __builtin_return_address(0);
    machine_point(POINT_CALL, NULL);
    return (int)machine_wake(word, count);
}

int kin__os_robust_find(struct kin__os_robust *ret_robust)
{
    ret_robust->head = machine_self()->robust;
    return 0;
}

int kin__os_life_begin(struct kin__os_life *life, _Atomic uint32_t *word)
{
    struct machine_thread *self = machine_self();
    uint32_t value = MACHINE_THREAD_ID(machine->current) | KIN__OS_FUTEX_WAITERS;
    (void)life;
    self->life[0] = word;
    self->life[1] = word + KIN__OS_LIFE_DISTANCE / sizeof *word;
    atomic_store(self->life[1], value);
    atomic_store(self->life[0], value);
    return 0;
}

void kin__os_life_end(void)
{
    machine_self()->life[0] = NULL;
    machine_self()->life[1] = NULL;
}

/* --- clock --- */

int64_t kin__os_now_ns(void)
{
    return machine->now_ns;
}

/* --- threads --- */

uint32_t kin__os_thread_id(void)
{
    return MACHINE_THREAD_ID(machine->current);
}

bool kin__os_thread_is_alone(void)
{
    return false;
}

uint32_t kin__os_thread_count(void)
{
    return 2;
}

/* The one thread that kin starts is a keeper. Where a scenario has none, the process looks as if it
 * had one, to which nothing ever happens. */
int kin__os_thread_start(void *(*run)(void *user), void *user, struct kin__os_thread *ret_thread)
{
    (void)ret_thread;
    if (machine->has_keepers) {
        uint32_t thread = machine_add_thread(machine_self()->process, "keeper", run, user);
        machine->threads[thread].is_keeper = true;
        return 0;
    }
    atomic_store(&kin__family.keeper_state, KIN__KEEPER_RUNS);
    return kin__os_life_begin(NULL, &kin__family.member->life);
}

void kin__os_thread_join(struct kin__os_thread thread)
{
    (void)thread;
}

int kin__os_thread_end_create(struct kin__os_thread_end *ret_end, void (*on_end)(void *user))
{
    (void)ret_end;
    (void)on_end;
    return 0;
}

int kin__os_thread_end_set(struct kin__os_thread_end end, void *user)
{
    (void)end;
    (void)user;
    return 0;
}

int kin__os_fork_hooks(void (*before)(void), void (*after_parent)(void), void (*after_child)(void))
{
    (void)before;
    (void)after_parent;
    (void)after_child;
    return 0;
}

/* --- memory: of the region, which always has pages --- */

uint64_t kin__os_memory_bytes_max(void)
{
    return REGION_FAMILY_BYTES;
}

int kin__os_memory_create(const char *name, uint64_t bytes, int *ret_fd)
{
    (void)name;
    (void)bytes;
    *ret_fd = 1000;
    return 0;
}

int kin__os_memory_map(int fd, uint64_t bytes, void **ret_base)
{
    (void)fd;
    (void)bytes;
    *ret_base = region_family;
    return 0;
}

void kin__os_memory_unmap(void *base, uint64_t bytes)
{
    (void)base;
    (void)bytes;
}

int kin__os_memory_commit(int fd, uint64_t offset, uint64_t bytes)
{
    (void)fd;
    (void)offset;
    (void)bytes;
    machine_point(POINT_CALL, NULL);
    return 0;
}

int kin__os_memory_decommit(int fd, uint64_t offset, uint64_t bytes)
{
    (void)fd;
    (void)offset;
    (void)bytes;
    machine_point(POINT_CALL, NULL);
    return 0;
}

void kin__os_close(int fd)
{
    (void)fd;
}

uint64_t kin__os_random(void)
{
    return 0x5eed;
}

/* --- processes --- */

uint32_t kin__os_process_id(void)
{
    return MACHINE_PROCESS_ID(machine_self()->process);
}

int kin__os_fork(void)
{
    return -EAGAIN;
}

_Noreturn void kin__os_die(void)
{
    machine_kill(machine_self()->process);
    machine_block(THREAD_DEAD);
    exit(2);
}

uint64_t kin__os_process_clock(void)
{
    return 1;
}

bool kin__os_process_is_gone(uint32_t pid, uint64_t time_ns, int64_t deadline_ns)
{
    uint32_t process = pid - MACHINE_PROCESS_ID(0);
    (void)time_ns;
    (void)deadline_ns;
    machine_see_deaths();
    return process >= machine->process_count || machine->processes[process].is_dead;
}

bool kin__os_process_has_unmapped(uint32_t pid, int fd)
{
    (void)pid;
    (void)fd;
    return false;
}

uint32_t kin__os_cpu_count(void)
{
    return 1; /* looking again before sleeping is what the schedules do */
}
