/**
 * A pool in its creator: private memory.
 */
#ifndef KIN_POOL_POOL_H
#define KIN_POOL_POOL_H

#include "family/reference.h"
#include "pool/exchange.h"
#include "pool/layout.h"
#include "process/process.h"

#include <kin/pool.h>

struct kin__job;

/* What the creator knows of the slot with the same index. Guarded by the pool's lock. */
struct kin__place {
    struct kin__job *job;    /* NULL: nobody wants the result any more */
    void *item;              /* the job's own */
    struct kin__os_fds *fds; /* copies of the task's; NULL: it has none */
    uint64_t index;          /* of the input */
    uint64_t position;       /* in the ring */
    uint32_t previous;       /* those in use form a list in the order of their positions, */
    uint32_t next;           /* headed by the place behind the last slot's */
    bool is_used;
};

struct kin_pool {
    struct kin__object object;
    struct kin__list_node node; /* of kin__pools */
    bool is_foreign;            /* inherited by a fork: the pool of another process */

    /* Constant. */
    char name[KIN__NAME_BYTES];
    const kin_function_entry **functions; /* as registered when the pool was made */
    uint32_t function_count;
    uint32_t read_ahead_max;
    uint32_t grace_ms;
    kin_process *nursery;
    struct kin__exchange exchange;

    /* Guarded by the lock, which is held around neither sleep nor user code. */
    mtx_t lock;
    struct kin__list jobs;
    struct kin__place *places; /* capacity + 1 */
    uint32_t place_total;
    uint32_t place_count;   /* in use */
    uint32_t feeding_count; /* jobs that may still submit tasks */
    bool is_closed;
    bool is_terminated;
};

/* The pool's shared part. */
static inline struct kin__pool_shared *kin__pool_shared(const kin_pool *pool)
{
    return pool->object.shared;
}

/* What happens to the shared part when somebody dies; registered by pool.c. */
extern const struct kin__type kin__pool_type;

/* 0, or -EINVAL: NULL; -EPERM: another process's; KIN_EFAMILY: of a family that was left. */
int kin__pool_check(const kin_pool *pool);

/* Wakes the nursery; something it looks at has changed. */
void kin__pool_tell_nursery(kin_pool *pool);

/* Tells the workers that no more tasks come, when that is so. Under the lock. */
void kin__pool_drain(kin_pool *pool);

/* Whether no worker can be at work any more: terminated, broken, or over. */
bool kin__pool_has_ended(kin_pool *pool);

/* The lives of the nursery and of a worker, each in its process. */
_Noreturn void kin__pool_nurse(kin_pool *pool);
_Noreturn void kin__pool_work(kin_pool *pool, uint32_t index, uint32_t nursery_pid);

#endif
