#define _GNU_SOURCE
#include "os/futex.h"
#include "os/fault.h"

#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* As in the kernel's interface since 5.16; older headers lack it. */
struct waitv {
    uint64_t value;
    uint64_t address;
    uint32_t flags;
    uint32_t reserved;
};

enum { WAITV_32_BITS = 2 };

static struct timespec to_timespec(int64_t ns)
{
    struct timespec time;
    ns = ns < 0 ? 0 : ns;
    time.tv_sec = (time_t)(ns / 1000000000);
    time.tv_nsec = (long)(ns % 1000000000);
    return time;
}

static int wait_result(long r)
{
    int code = r < 0 ? errno : 0;
    return code == EAGAIN || code == EINTR ? 0 : -code;
}

int kin__os_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns)
{
    struct timespec deadline = to_timespec(deadline_ns);
    long r = syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected,
                     deadline_ns == INT64_MAX ? NULL : &deadline, NULL, FUTEX_BITSET_MATCH_ANY);
    return wait_result(r);
}

int kin__os_futex_wait_many(const struct kin__os_futex_wait *waits, uint32_t count,
                            int64_t deadline_ns)
{
    KIN__OS_FAULT(ENOSYS);
    struct waitv vector[KIN__OS_FUTEX_WORDS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        vector[i] = (struct waitv){.value = waits[i].expected,
                                   .address = (uintptr_t)waits[i].word,
                                   .flags = WAITV_32_BITS};
    }
    struct timespec deadline = to_timespec(deadline_ns);
    long r = syscall(SYS_futex_waitv, vector, count, 0, deadline_ns == INT64_MAX ? NULL : &deadline,
                     CLOCK_MONOTONIC);
    return wait_result(r);
}

int kin__os_futex_wake(_Atomic uint32_t *word, uint32_t count)
{
    uint32_t most = count > INT_MAX ? INT_MAX : count;
    long r = syscall(SYS_futex, word, FUTEX_WAKE, most, NULL, NULL, 0);
    return r < 0 ? -errno : (int)r;
}

int kin__os_robust_find(struct kin__os_robust *ret_robust)
{
    KIN__OS_FAULT(ENOSYS);
    struct robust_list_head *head = NULL;
    size_t bytes = 0;
    if (syscall(SYS_get_robust_list, 0, &head, &bytes) != 0) {
        return -errno;
    }
    if (head == NULL || bytes != sizeof *head) {
        return -ENOSYS;
    }
    ret_robust->head = head;
    return 0;
}

int kin__os_life_begin(struct kin__os_life *life, _Atomic uint32_t *word)
{
    KIN__OS_FAULT(ENOSYS);
    /* The kernel finds the futex of a node at node + futex_offset: the nodes stand in this
     * private struct, as far apart as the words far away in shared memory. */
    struct robust_list *first = &life->nodes[0];
    struct robust_list *second = &life->nodes[KIN__OS_LIFE_DISTANCE / sizeof *second];
    life->head.list.next = first;
    life->head.futex_offset = (long)((intptr_t)word - (intptr_t)first);
    life->head.list_op_pending = NULL;
    first->next = second;
    second->next = &life->head.list;
    if (syscall(SYS_set_robust_list, &life->head, sizeof life->head) != 0) {
        return -errno;
    }
    /* Only now: a word that holds an id is one that the kernel releases. */
    uint32_t value = (uint32_t)syscall(SYS_gettid) | KIN__OS_FUTEX_WAITERS;
    atomic_store(word + KIN__OS_LIFE_DISTANCE / sizeof *word, value);
    atomic_store(word, value);
    return 0;
}

void kin__os_life_end(void)
{
    syscall(SYS_set_robust_list, NULL, sizeof(struct robust_list_head));
}
