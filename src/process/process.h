/**
 * A process, as the files of this layer and the layers above see it.
 *
 * A kin_process is made (process.c), started (start.c), joined and looked at (join.c), signalled
 * (signal.c). All that exist in a process stand in the list of kin__children, from their creation
 * until they are freed, so that a forked child finds those that are not its own.
 */
#ifndef KIN_PROCESS_PROCESS_H
#define KIN_PROCESS_PROCESS_H

#include "base/list.h"
#include "family/member.h"
#include "process/record.h"

#include <kin/error.h>
#include <kin/process.h>

/* What a child is to run. Constant from the creation until the start, which gives it back. */
struct kin__process_plan {
    kin_function *function;
    kin_object *arguments; /* a reference; NULL: it is given bytes */
    void *data;            /* a copy, which belongs to the plan */
    size_t size;
    const kin_context *context; /* how to start it; NULL: the default */
    int *fds;                   /* numbers; the fds are the caller's */
    uint32_t fd_count;
    bool allow_threads;
};

/* Private memory of the process that made it. The first block is constant after the creation, the
 * second after the start; the third is guarded by the lock of kin__children. */
struct kin_process {
    bool is_daemon;   /* kin_fini ends it */
    bool is_internal; /* kin's own: no child of the program */
    bool is_borrowed; /* kin frees it, with all others: kin_process_current and the like */
    char name[KIN__NAME_BYTES];
    char identity[KIN__IDENTITY_BYTES]; /* see struct kin__member */

    struct kin__process_plan plan;
    uint32_t pid;
    uint32_t owner;             /* the child's member */
    struct kin__record *record; /* NULL: new, or not started by this process */
    int fd;                     /* of the process: readable once it has ended; -1: none */
    uint32_t server;            /* the member of the forkserver that waits for it; 0: none does */

    struct kin__list_node node;
    uint32_t waiter_count;  /* threads that sleep on `fd`: it stays open until they have woken */
    uint32_t references;    /* 0: freed, but it runs */
    kin_phase phase;        /* ENDED is found out by looking */
    bool is_starting;       /* a thread is inside kin_process_launch: it alone writes `stage` */
    const char *stage;      /* what the start is at, or has failed at: words that live for ever */
    int start_code;         /* what the last start came to */
    _Atomic bool is_ending; /* its forkserver is about to tell how it has ended */
    _Atomic bool was_signalled; /* by this process: it may wait no more for what it waits for */
    bool is_out_of_reach;       /* it is another user's by now, who cannot be sent signals */
    bool is_told;               /* its crash was printed, or is not to be */
    bool has_code;              /* exit_code is known: nobody else has waited for the child */
    int exit_code;
};

/* An object with one reference, and nothing else. NULL: no memory. */
kin_process *kin__process_allocate(void);

/* Makes an object that stands in the list, new. Without a name, it is called after its place in the
 * tree; with one that is kin's own, it has none. 0, -ENOMEM, KIN_EFAMILY. */
int kin__process_create(const char *name, bool is_daemon, bool is_internal,
                        kin_process **ret_process);

/* -EINVAL, 0, or why a process is no child of this one that was started: -ESRCH, -EPIPE, -ECHILD,
 * -EDEADLK. */
int kin__process_check(const kin_process *process);

/**
 * Forks a child that kin_process_join and the like can handle. Buffered output is written
 * before, so that the child does not write it again.
 *
 * Returns the child's process id in the parent, 0 in the child, or -EAGAIN, -ENOMEM, -EMFILE,
 * KIN_EFAMILY. The child of the first is kin's own; in it, the object is a foreign one.
 */
int kin__process_fork(const char *name, bool is_daemon, kin_process **ret_process);
int kin__process_fork_as(kin_process *process);

/* Ends a child that kin__process_fork started: writes buffered output, leaves the family; no
 * exit handlers run. */
_Noreturn void kin__process_exit(int status);

/* Says on stderr why the function of this process has failed. */
void kin__process_print_failure(const kin_error *error);

/* Looks whether the child has ended, and waits for it if so. 0: it has; -EAGAIN: it runs; or what
 * kin__process_check says. */
int kin__process_look(kin_process *process);
int kin__process_look_locked(kin_process *process);

/* After the end: what the child had open and claimed is taken back, by this or by its watcher. */
void kin__process_reap_member(const kin_process *process);

/* Sleeps until one that runs may have ended. 0: look again; -ETIMEDOUT. */
int kin__process_await(const kin_process *process, int64_t deadline_ns);

/* Looks whether this process's parent has ended: 0, or -EAGAIN; and waits for that. */
int kin__parent_look(const kin_process *parent);
int kin__parent_join(const kin_process *parent, kin_timeout timeout);

/* Closes the fd of one that was closed, when nobody sleeps on it. Under the lock. */
void kin__process_close_fd(kin_process *process);

/* Gives back what the object itself has. */
void kin__process_release(kin_process *process);

/* Takes the plan from an object, under the lock: so a child that is forked meanwhile has all of it
 * or nothing. And gives back what is in it. */
struct kin__process_plan kin__process_take_plan(kin_process *process);
void kin__process_plan_deinit(struct kin__process_plan *plan);

#endif
