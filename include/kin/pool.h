/**
 * A pool of worker processes that run a function over many inputs.
 *
 *     kin_pool *pool;
 *     kin_pool_create(NULL, &pool);
 *     kin_pool_results *results;
 *     kin_pool_map_bytes(pool, square, inputs, count, KIN_FOREVER, &results);
 *     for (size_t i = 0; i < count; i++) {
 *         const kin_result *result = kin_pool_results_at(results, i);
 *         ...
 *     }
 *
 * A worker that dies is replaced, and costs one task: it fails with KIN_EWORKER, which names
 * worker, signal and task, or runs again if the options allow it. A pool belongs to the process
 * that made it; its threads may use it at the same time.
 */
#ifndef KIN_POOL_H
#define KIN_POOL_H

#include <kin/call.h>
#include <kin/error.h>
#include <kin/export.h>
#include <kin/timeout.h>

KIN_BEGIN

/** A pool of worker processes. */
typedef struct kin_pool kin_pool;

/** What kin_pool_create can be told. */
typedef struct kin_pool_options {
    size_t size; /* of this struct */

    /* Number of workers; default: kin_cpu_count(). At most 1024. */
    uint32_t worker_count;

    /* How often a task may run again after a worker died on it; default: not at all. */
    uint32_t lost_task_retries;

    /* How many tasks may be ahead of the one whose result is taken next, in imap; default: 4
     * a worker, at least 16. At most 65536. */
    uint32_t read_ahead_max;

    /* How long kin_pool_free lets workers finish the task that they are at before it kills
     * them, in ms; default: 5000. */
    uint32_t grace_ms;
} kin_pool_options;

/** What a task is given besides bytes. */
typedef struct kin_pool_input {
    kin_bytes bytes; /* kin_call_bytes */

    /* Shared objects: each lives at least until the task is over, whoever lets go of it. At most
     * 255; kin_call_handle. */
    const kin_handle *handles;
    uint32_t handle_count;

    /* Files, sockets, pipes: kin keeps copies of its own until the task is over, and each attempt
     * gets them anew. At most 64; kin_call_fd. */
    uint32_t fd_count;
    const int *fds;
} kin_pool_input;

/** What became of one task. */
typedef struct kin_result {
    uint64_t index;         /* of its input, from 0 */
    int code;               /* 0, or why it failed: negative; KIN_EWORKER: its worker died */
    uint32_t attempt;       /* which attempt this came from, from 1 */
    uint32_t worker_index;  /* who ran it: 0 .. worker_count - 1 */
    kin_bytes bytes;        /* what the function returned */
    const kin_error *error; /* the reason in words; NULL if code is 0 */
} kin_result;

/** The results of a map, in the order of its inputs. */
typedef struct kin_pool_results kin_pool_results;

/** The results of an imap, as they come. */
typedef struct kin_pool_imap kin_pool_imap;

/**
 * Gives the next input of an imap: sets `ret_input`, which must stay valid until the next
 * call, and returns 1; or returns 0 at the end; or a negative code, which ends the imap. It is
 * called on the thread that is inside kin_pool_imap_next.
 */
typedef int kin_pool_source(void *user, kin_bytes *ret_input);

/** The same for inputs that are more than bytes. */
typedef int kin_pool_input_source(void *user, kin_pool_input *ret_input);

/** What a worker has done so far; goes on counting when its process is replaced. */
typedef struct kin_pool_worker {
    int32_t pid;            /* of the process that serves now; 0: being replaced */
    uint32_t restart_count; /* how often the process was replaced */
    uint64_t task_count;    /* tasks begun */
    uint64_t busy_ns;       /* time spent in tasks that ended */
    uint64_t task_index;    /* index of the input at work; UINT64_MAX: none */
    uint32_t task_attempt;  /* its attempt */
} kin_pool_worker;

/**
 * Starts a pool. NULL options: all defaults. Free it with kin_pool_free. The workers are
 * forked from a process that is forked here and runs nothing else, so a worker that is
 * replaced later is not a copy of what the program has become; functions are found as
 * they were registered when the pool was made.
 *
 * Fork: best made before the program starts threads. Later the workers have copies of locks that
 * those threads hold at this moment, for ever, and of output that they have buffered.
 *
 * Returns 0, or -EAGAIN: no more processes are allowed; -ENOMEM; -EMFILE: no fd is left; -EINVAL:
 * an option is out of range; KIN_EFAMILY: kin_init was not called; KIN_EBROKEN: the process that
 * forks the workers was killed.
 *
 * A worker that lacks what it needs to begin is started again, later each time; meanwhile tasks
 * wait, or go to others. A pool of which eight starts in a row have failed in each worker's place,
 * within some seconds, is broken; why is printed to stderr.
 *
 * Peer death: when the creator ends, however it ends, its workers are gone soon after.
 */
KIN_API int kin_pool_create(const kin_pool_options *options, kin_pool **ret_pool);

/**
 * Runs `function` once for each of the `count` inputs and waits for all results. `function`
 * must be registered with KIN_FUNCTION. The inputs are borrowed until it returns. Free the
 * results with kin_pool_results_free. A task that fails does not fail the map: see its code.
 *
 * Returns 0, or
 *   -ETIMEDOUT   not all done by the deadline; tasks that have not begun are dropped, and
 *                those that run are let run, their results dropped
 *   -ECANCELED   the token fired; the same
 *   -EAGAIN      the timeout is KIN_NOW; the same
 *   -EPIPE       the pool is closed or terminated
 *   -EPERM       the pool was made by another process
 *   KIN_EFUNCTION  not registered, or after the pool was made
 *   KIN_EBROKEN  the pool was terminated meanwhile, or the process that forks the workers was
 *                killed, or no worker can begin (kin_pool_create)
 */
KIN_API int kin_pool_map_bytes(kin_pool *pool, kin_function *function, const kin_bytes *inputs,
                               size_t count, kin_timeout timeout, kin_pool_results **ret_results);

/**
 * The same for inputs that are more than bytes. What a worker cannot get because it, or this
 * process, may have no more fds, fails its task with -EMFILE.
 *
 * Returns what kin_pool_map_bytes does, or
 *   -ESTALE      a handle leads to nothing
 *   -EBADF       an fd is not open
 *   -EINVAL      too many handles or fds
 *   -EMFILE      no fd is left for a copy
 *
 * Peer death: a worker that is killed while it gets the fds of its task leaves none of them open
 * anywhere; the task fails or runs again like any other.
 */
KIN_API int kin_pool_map_inputs(kin_pool *pool, kin_function *function,
                                const kin_pool_input *inputs, size_t count, kin_timeout timeout,
                                kin_pool_results **ret_results);

/** Number of results: that of the inputs. */
KIN_API size_t kin_pool_results_count(const kin_pool_results *results);

/** One result; valid until the results are freed. NULL if there is no such index. */
KIN_API const kin_result *kin_pool_results_at(const kin_pool_results *results, size_t index);

/** Frees results; NULL is fine. Returns NULL. */
KIN_API kin_pool_results *kin_pool_results_free(kin_pool_results *results);

/**
 * Runs `function` over what `source` gives, and hands the results out in the order in which
 * they come. Inputs are asked for as results are taken, never more than read_ahead_max ahead.
 * Free it with kin_pool_imap_free. Codes as kin_pool_map_bytes.
 */
KIN_API int kin_pool_imap_unordered_bytes(kin_pool *pool, kin_function *function,
                                          kin_pool_source *source, void *user,
                                          kin_pool_imap **ret_imap);

/** The same for inputs that are more than bytes: codes as kin_pool_map_inputs. */
KIN_API int kin_pool_imap_unordered_inputs(kin_pool *pool, kin_function *function,
                                           kin_pool_input_source *source, void *user,
                                           kin_pool_imap **ret_imap);

/**
 * Takes the next result that is there, waiting for one. It is valid until the next call or
 * kin_pool_imap_free. One thread at a time.
 *
 * Returns 1, or 0: all inputs have had their result; or
 *   -EAGAIN      none is there, and the timeout is KIN_NOW
 *   -ETIMEDOUT   none before the deadline
 *   -ECANCELED   the token fired
 *   KIN_EBROKEN  the pool was terminated or freed, or is broken as in kin_pool_map_bytes;
 *                results that were there have been handed out
 *   what source returned, or why its input could not be given to a task, once the results of
 *   earlier inputs have been taken
 */
KIN_API int kin_pool_imap_next(kin_pool_imap *imap, kin_timeout timeout,
                               const kin_result **ret_result);

/** Ends an imap: tasks that have not begun are dropped. NULL is fine. Returns NULL. */
KIN_API kin_pool_imap *kin_pool_imap_free(kin_pool_imap *imap);

/** Number of workers. */
KIN_API uint32_t kin_pool_worker_count(const kin_pool *pool);

/** Reads what worker `index` has done. Returns 0, -EINVAL: no such worker, or -EPERM. */
KIN_API int kin_pool_worker_read(const kin_pool *pool, uint32_t index, kin_pool_worker *ret_worker);

/**
 * No more work: later calls of map and imap return -EPIPE; what was begun is finished, an imap
 * with all its inputs. Returns 0, or -EPERM: the pool was made by another process.
 */
KIN_API int kin_pool_close(kin_pool *pool);

/**
 * Waits until all workers of a closed or terminated pool have ended. An imap that has inputs left
 * keeps them: take its results, or free it, before. Returns 0, -ETIMEDOUT, -ECANCELED, -EAGAIN
 * with KIN_NOW, -EPERM, or -EINVAL: the pool is neither closed nor terminated.
 */
KIN_API int kin_pool_join(kin_pool *pool, kin_timeout timeout);

/**
 * Kills the workers, without regard to what they do, and returns at once. Calls that wait for
 * results return KIN_EBROKEN. Returns 0, or -EPERM.
 */
KIN_API int kin_pool_terminate(kin_pool *pool);

/**
 * Closes the pool, lets workers finish for grace_ms, kills the rest, and frees it; NULL is
 * fine. Returns NULL. Results stay, imaps end. In another process than its creator, and after
 * kin_fini, it only frees what is this process's own.
 */
KIN_API kin_pool *kin_pool_free(kin_pool *pool);

KIN_END

#endif
