/**
 * A map or an imap in progress: tasks on their way through the ring, in their creator.
 */
#ifndef KIN_POOL_JOB_H
#define KIN_POOL_JOB_H

#include "pool/pool.h"

struct kin__outcome {
    uint64_t index;
    uint32_t attempt;
    uint32_t worker_index;
    int code;
    kin_bytes bytes;  /* in the family's memory: to be copied, */
    uint64_t block;   /* or this is kept, in which they are; 0: they are in none */
    kin_error *error; /* the taker's from now on; NULL if code is 0 */
};

struct kin__job {
    kin_pool *pool; /* NULL: it was freed before the job */
    struct kin__list_node node;
    uint32_t function;
    uint64_t outstanding; /* tasks in the ring */
    bool is_feeding;      /* may submit tasks */

    /* Whether the job has something to do: results to hand out, tasks for which there is room.
     * Under the pool's lock. */
    bool (*has_progress)(const struct kin__job *job);

    /* Takes a result; `item` is what was submitted with the task. Under the pool's lock. */
    void (*take)(struct kin__job *job, void *item, const struct kin__outcome *outcome);
};

/* What a task is given: an input, of which the bytes are perhaps only the start of an encoding. */
struct kin__job_input {
    kin_pool_input given;
    const struct kin__encoding *encoding; /* NULL: they are all */
};

/* Keeps the block of an outcome, which is the caller's from now on, with the references in it. In
 * `take`. */
void kin__job_keep_block(const struct kin__job *job, const struct kin__outcome *outcome);

/* Whether an input is one. */
bool kin__job_is_input(const kin_pool_input *input);

/* Whether a code of kin__job_submit says that there was not enough of something, of which there
 * will be more when tasks have ended. */
static inline bool kin__job_is_shortage(int code)
{
    return code == -ENOMEM || code == -EMFILE || code == -ENFILE;
}

#define REFILLS_A_RING 4u /* who feeds is woken so often while a ring of tasks is done */

/* Whether it is time to submit again: there is room for a part of a ring or, where there was not
 * enough of something with `short_at` tasks on their way (0: there was), one of those has ended.
 * Under the lock. */
bool kin__job_wants_refill(const struct kin__job *job, uint64_t short_at);

/* Enters a job. 0, or -EPIPE, -EPERM, KIN_EFUNCTION, KIN_EBROKEN, -EINVAL, KIN_EFAMILY. */
int kin__job_begin(struct kin__job *job, kin_pool *pool, kin_function *function);

/* Says that the job submits no more tasks. Under the lock. */
void kin__job_end_feeding(struct kin__job *job);

/* Removes it; tasks that have not begun are dropped, and the results of those that have. Under
 * the lock. */
void kin__job_end(struct kin__job *job);

/* Puts a task into the ring; kin__job_announce shows it to the workers. Under the lock. 0, or
 * -EAGAIN: the ring is full; -ENOMEM, -EMFILE; -ESTALE, -EBADF: of a handle or fd of the input. */
int kin__job_submit(struct kin__job *job, void *item, uint64_t index,
                    const struct kin__job_input *input, bool is_awaited);

/* Wakes workers for so many new tasks. */
void kin__job_announce(struct kin__job *job, uint32_t count);

/* Takes results that are there, those of other jobs too: from the tasks that have been claimed,
 * or from all. Under the lock. */
void kin__job_collect(struct kin__job *job, bool from_all);

/* Sleeps until the job may have something to do. Not under the lock. 0: look again; or what
 * kin__sleep says; KIN_EBROKEN: nothing will come any more. */
int kin__job_wait(struct kin__job *job, kin_timeout timeout);

/* How many more tasks fit into the ring. Under the lock. */
static inline uint32_t kin__job_room(const struct kin__job *job)
{
    return kin__pool_shared(job->pool)->capacity - job->pool->place_count;
}

#endif
