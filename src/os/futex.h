/**
 * Sleeping until a word changes, and words that the kernel releases when a thread dies.
 *
 * All words lie in memory that several processes map.
 */
#ifndef KIN_OS_FUTEX_H
#define KIN_OS_FUTEX_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Most words that one call can wait for. */
#define KIN__OS_FUTEX_WORDS_MAX 128u

/* A word, and the value at which to sleep. */
struct kin__os_futex_wait {
    _Atomic uint32_t *word;
    uint32_t expected;
};

/* Sleeps while `*word` is `expected`, until woken or the deadline (INT64_MAX: none). Returns 0
 * also for a signal or for no reason; -ETIMEDOUT. */
int kin__os_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns);

/* The same on `count` words (1 to KIN__OS_FUTEX_WORDS_MAX) at once: woken by any of them.
 * -ENOSYS: the kernel is older than 5.16. */
int kin__os_futex_wait_many(const struct kin__os_futex_wait *waits, uint32_t count,
                            int64_t deadline_ns);

/* Wakes up to `count` sleepers; the number woken. */
int kin__os_futex_wake(_Atomic uint32_t *word, uint32_t count);

/**
 * The robust list of a thread: what the kernel looks at when the thread ends, however it
 * ends. It sets KIN__OS_FUTEX_DIED in each listed word that holds the thread's id, clears the
 * id, and wakes one sleeper.
 *
 * `pending` is the one entry that is not a list node: the word that the thread is about to
 * acquire, holds, or has just released. kin only uses this one for its locks, so the kernel
 * never follows a pointer that lies in shared memory. The C library uses it too, for a few
 * instructions inside of pthread_mutex_lock and unlock of a robust mutex, never around a call.
 */
struct kin__os_robust {
    struct robust_list_head *head;
};

#define KIN__OS_FUTEX_WAITERS ((uint32_t)FUTEX_WAITERS)
#define KIN__OS_FUTEX_DIED ((uint32_t)FUTEX_OWNER_DIED)
#define KIN__OS_FUTEX_TID ((uint32_t)FUTEX_TID_MASK)

/* Finds the calling thread's robust list. 0, or -ENOSYS. */
int kin__os_robust_find(struct kin__os_robust *ret_robust);

/* From here on the kernel releases `word` if the thread dies. */
static inline void kin__os_robust_begin(struct kin__os_robust robust, _Atomic uint32_t *word)
{
    struct robust_list *pending = (struct robust_list *)(void *)((char *)word -
                                                                 robust.head->futex_offset);
    *(struct robust_list *volatile *)&robust.head->list_op_pending = pending;
    atomic_signal_fence(memory_order_seq_cst); /* the reader is the kernel, on this thread */
}

/* Until here. */
static inline void kin__os_robust_end(struct kin__os_robust robust)
{
    atomic_signal_fence(memory_order_seq_cst);
    *(struct robust_list *volatile *)&robust.head->list_op_pending = NULL;
}

/* Whether a word is pending. */
static inline int kin__os_robust_is_pending(struct kin__os_robust robust)
{
    return robust.head->list_op_pending != NULL;
}

/* From one life word to the other; a multiple of the size of a pointer. */
#define KIN__OS_LIFE_DISTANCE 72u

/**
 * Life words: two words that the kernel releases when the calling thread, and with it its
 * process, dies. It wakes one sleeper of each: hence two, one for each kind of sleeper. The
 * thread's own robust list is replaced by one that holds just these words, so the thread must
 * not use robust mutexes of the C library. Lives as long as the thread.
 */
struct kin__os_life {
    struct robust_list_head head;
    struct robust_list nodes[KIN__OS_LIFE_DISTANCE / sizeof(struct robust_list) + 1];
};

/* Publishes the calling thread's id in `word`, and in the word KIN__OS_LIFE_DISTANCE bytes
 * behind it, and lists both. 0, or -ENOSYS. */
int kin__os_life_begin(struct kin__os_life *life, _Atomic uint32_t *word);

/**
 * A life word that the calling thread lists without a list of its own: on the C library's, which
 * its mutexes stay on. The kernel finds the word of each node of a list at one distance, that of a
 * mutex's lock, so the node stands behind the word as it does in a mutex, in shared memory. Its
 * `next` is an address in the process that lists it; `previous` is written by the C library and
 * read by nobody.
 */
struct kin__os_life_node {
    uint64_t previous;
    uint64_t next;
};

/* From the word to the node. */
#define KIN__OS_LIFE_NODE 24u

/* Lists the word and publishes the calling thread's id in it. 0; -ENOSYS: the C library's list is
 * not as expected, or not empty. */
int kin__os_life_list(struct kin__os_robust robust, _Atomic uint32_t *word);

/* Takes it off the list; by the same thread. Until its robust list is no longer pending, the kernel
 * wakes one who sleeps on the word if the thread dies, provided that the word is zero. */
void kin__os_life_unlist(struct kin__os_robust robust, _Atomic uint32_t *word);

/* Before the thread gives `life` up, and after it has zeroed the words: killed in between, a word
 * that still had an id would look alive for ever. */
void kin__os_life_end(void);

#endif
