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

/* What the kernel and the C library take for the address of a node: that of its `next`. */
static uintptr_t node_of(_Atomic uint32_t *word)
{
    return (uintptr_t)word + KIN__OS_LIFE_NODE + offsetof(struct kin__os_life_node, next);
}

/* The lowest bit of a pointer to a node says of which kind the mutex is. */
static uintptr_t without_kind(const volatile struct robust_list *link)
{
    return (uintptr_t)link->next & ~(uintptr_t)1;
}

int kin__os_life_list(struct kin__os_robust robust, _Atomic uint32_t *word)
{
    KIN__OS_FAULT(ENOSYS);
    struct robust_list *node = (void *)node_of(word); /* NOLINT: an address, as the kernel has it */
    long distance = (long)((intptr_t)word - (intptr_t)node);
    if (sizeof node->next != sizeof(uint64_t) || robust.head->futex_offset != distance ||
        robust.head->list.next != &robust.head->list) {
        return -ENOSYS;
    }
    node->next = &robust.head->list;
    atomic_signal_fence(memory_order_seq_cst); /* the reader is the kernel, on this thread */
    *(struct robust_list *volatile *)&robust.head->list.next = node;
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store(word, (uint32_t)syscall(SYS_gettid) | KIN__OS_FUTEX_WAITERS);
    return 0;
}

/* By `next` alone, from the head on: it is what the kernel goes by. */
void kin__os_life_unlist(struct kin__os_robust robust, _Atomic uint32_t *word)
{
    enum { NODES_MAX = 2048 }; /* the kernel looks at no more */
    volatile struct robust_list *head = &robust.head->list;
    volatile struct robust_list *link = head;
    for (uint32_t i = 0; i < NODES_MAX && without_kind(link) != node_of(word); i++) {
        link = (volatile struct robust_list *)without_kind(link);
        if (link == head) {
            return;
        }
    }
    volatile struct robust_list *node = (volatile struct robust_list *)node_of(word);
    volatile struct robust_list *next = (volatile struct robust_list *)without_kind(node);
    if (next != head) { /* a mutex: its pointer back stands before the one on */
        ((volatile struct robust_list **)(uintptr_t)next)[-1] = link;
    }
    link->next = node->next;
    atomic_signal_fence(memory_order_seq_cst);
}

void kin__os_life_end(void)
{
    syscall(SYS_set_robust_list, NULL, sizeof(struct robust_list_head));
}
