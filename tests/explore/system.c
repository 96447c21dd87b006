/*
 * The os layer of the simulated machine: what src/os/linux does on a real one.
 */
#include "explore/machine.h"
#include "explore/region.h"
#include "family/keeper.h"
#include "family/member.h"
#include "os/clock.h"
#include "os/futex.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/thread.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#define SYS_FUTEX_WAITV 449 /* older headers lack it */

/* --- what src/os/linux/futex.c, which is explored too, asks of the kernel --- */

/* As there. */
struct waitv {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
};

static long fail_call(int code)
{
    errno = code;
    return -1;
}

static long sleep_on(const struct machine_wait *waits, uint32_t count, const struct timespec *until)
{
    struct machine_thread *self = machine_self();
    self->waits = waits;
    self->wait_count = 0;
    self->is_woken = false;
    self->sleep_number = ++machine->sleep_count;
    self->deadline_ns = until == NULL ? INT64_MAX
                                      : (int64_t)until->tv_sec * 1000000000 + until->tv_nsec;
    self->result = 0;
    for (uint32_t i = 0; i < count; i++) {
        machine_point(POINT_CALL, NULL);
        if (*(const volatile uint32_t *)waits[i].word != waits[i].expected) {
            self->wait_count = 0;
            return fail_call(EAGAIN);
        }
        self->wait_count = i + 1; /* from here on a wake is for this one too */
    }
    if (!self->is_woken) {
        machine_block(THREAD_ASLEEP);
    }
    self->wait_count = 0;
    return self->result < 0 ? fail_call(-self->result) : 0;
}

static long call_futex(va_list values)
{
    _Atomic uint32_t *word = va_arg(values, _Atomic uint32_t *);
    int operation = va_arg(values, int);
    uint32_t value = va_arg(values, uint32_t);
    if (operation == FUTEX_WAKE) {
        machine_point(POINT_CALL, NULL);
        return machine_wake(word, value);
    }
    struct machine_wait wait = {.word = word, .expected = value};
    return sleep_on(&wait, 1, va_arg(values, const struct timespec *));
}

static long call_futex_waitv(va_list values)
{
    struct machine_wait waits[KIN__OS_FUTEX_WORDS_MAX];
    const struct waitv *vector = va_arg(values, const struct waitv *);
    uint32_t count = va_arg(values, uint32_t);
    (void)va_arg(values, int); /* flags */
    for (uint32_t i = 0; i < count; i++) {
        waits[i] = (struct machine_wait){.word = (const _Atomic uint32_t *)vector[i].address,
                                         .expected = (uint32_t)vector[i].value};
    }
    return machine->is_old ? fail_call(ENOSYS)
                           : sleep_on(waits, count, va_arg(values, const struct timespec *));
}

static long call_get_robust_list(va_list values)
{
    (void)va_arg(values, int); /* the calling thread */
    *va_arg(values, struct robust_list_head **) = machine_self()->robust;
    *va_arg(values, size_t *) = sizeof(struct robust_list_head);
    return 0;
}

static long call_set_robust_list(va_list values)
{
    machine_point(POINT_CALL, NULL);
    machine_self()->robust = va_arg(values, struct robust_list_head *);
    return 0;
}

long replaced_call(long number, ...);
long replaced_call(long number, ...)
{
    va_list values;
    long r = 0;
    machine_place = __builtin_return_address(0);
    va_start(values, number);
    switch (number) {
    case SYS_futex:
        r = call_futex(values);
        break;
    case SYS_FUTEX_WAITV:
        r = call_futex_waitv(values);
        break;
    case SYS_get_robust_list:
        r = call_get_robust_list(values);
        break;
    case SYS_set_robust_list:
        r = call_set_robust_list(values);
        break;
    case SYS_gettid:
        r = (long)kin__os_thread_id();
        break;
    default:
        machine_fail("system call %ld is not played", number);
    }
    va_end(values);
    return r;
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
    return kin__os_thread_count() == 1;
}

uint32_t kin__os_thread_count(void)
{
    return machine_alive_count(machine_self()->process);
}

/* The process looks as if it had a keeper, to which nothing ever happens. */
static void seem_to_keep(struct kin__member *member)
{
    struct machine_process *process = machine_self_process();
    uint32_t value = MACHINE_SEEMING_ID(machine_self()->process) | KIN__OS_FUTEX_WAITERS;
    process->life[0] = &member->life;
    process->life[1] = &member->life_next;
    atomic_store(&member->life_next, value);
    atomic_store(&member->life, value);
    atomic_store(&kin__family.keeper_state, KIN__KEEPER_RUNS);
}

/* The one thread that kin starts is a keeper. */
int kin__os_thread_start(void *(*run)(void *user), void *user, struct kin__os_thread *ret_thread)
{
    if (!machine->has_keepers) {
        seem_to_keep(kin__family.member);
        return 0;
    }
    machine_point(POINT_CALL, NULL);
    if (machine->has_no_threads) {
        return -EAGAIN;
    }
    uint32_t thread = machine_add_thread(machine_self()->process, "keeper", run, user);
    machine->threads[thread].is_keeper = true;
    ret_thread->id = thread;
    return 0;
}

void kin__os_thread_join(struct kin__os_thread thread)
{
    uint32_t index = (uint32_t)thread.id;
    if (machine->has_keepers) {
        machine_self()->joined = index;
        machine_block(THREAD_JOINING);
        machine->threads[index].state = THREAD_UNUSED;
    }
}

int kin__os_thread_end_create(struct kin__os_thread_end *ret_end, void (*on_end)(void *user))
{
    (void)ret_end;
    machine->on_thread_end = on_end;
    return 0;
}

int kin__os_thread_end_set(struct kin__os_thread_end end, void *user)
{
    (void)end;
    machine_self()->end_user = user;
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
    struct machine_child *child = machine_self()->child;
    if (child == NULL) {
        return -EAGAIN;
    }
    machine_fork(child);
    return MACHINE_PROCESS_ID((int)child->process);
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
