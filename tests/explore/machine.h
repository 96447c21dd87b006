/*
 * The simulated machine on which the real code of kin runs: processes, threads, the kernel's
 * futexes and robust lists, a clock, and death. All in one thread of one real process.
 *
 * A thread is a coroutine. It runs until it comes to a point (machine_point): before each atomic
 * operation on the family's memory, each write to it, each system call. There the schedule says
 * who goes on, or who dies. What is a process's own (kin__family, kin__heap, kin__references) and
 * a thread's own (kin__thread_current, kin__endings_current) is exchanged at each switch.
 *
 * Time stands still while anybody can run. When all sleep, it moves to the earliest deadline.
 */
#ifndef EXPLORE_MACHINE_H
#define EXPLORE_MACHINE_H

#include "base/runtime.h"
#include "family/reference.h"

#include <errno.h>
#include <setjmp.h>

#define MACHINE_THREADS_MAX 14u
#define MACHINE_PROCESSES_MAX 12u
#define MACHINE_STEPS_MAX 20000u
#define MACHINE_MUTEXES_MAX 8u /* that a process holds, of some kind */
#define MACHINE_NOBODY UINT32_MAX
#define MACHINE_THREAD_ID(thread) (1000 + (thread))
#define MACHINE_PROCESS_ID(process) (100 + (process))
#define MACHINE_SEEMING_ID(process) (2000 + (process)) /* of a keeper that only seems to run */

enum thread_state {
    THREAD_UNUSED,
    THREAD_READY,
    THREAD_ASLEEP,   /* in the kernel, on words */
    THREAD_LOCKED,   /* on a mutex of its process */
    THREAD_WATCHING, /* a reaper: until somebody dies */
    THREAD_WAITING,  /* until a condition of the scenario is true */
    THREAD_JOINING,  /* until another thread has ended */
    THREAD_PARKED,   /* until it is made ready */
    THREAD_DONE,     /* a role: its process lives on */
    THREAD_DEAD,
};

/* Why a thread has come to a point. */
enum point {
    POINT_LOAD,   /* an atomic load, or a read */
    POINT_ATOMIC, /* an atomic operation that writes */
    POINT_WRITE,  /* any other write */
    POINT_CALL,   /* a system call */
};

/* A word on which a thread sleeps. */
struct machine_wait {
    const _Atomic uint32_t *word;
    uint32_t expected;
};

/* What a thread forks. */
struct machine_child {
    const char *name;
    void *(*run)(void *user); /* in place of a return from the fork */
    void *user;
    bool is_mortal;
    uint32_t owner;
    uint32_t process; /* out */
    uint32_t thread;  /* out */
};

struct machine_thread {
    enum thread_state state;
    uint32_t process;
    const char *name;
    void *(*run)(void *user);
    void *user;
    jmp_buf here;
    struct kin__thread own;           /* kin__thread_current while it does not run */
    struct kin__endings endings;      /* kin__endings_current, likewise */
    uint32_t fork_depth;              /* kin__fork_hook_depth, likewise */
    struct robust_list_head *library; /* its robust list as the C library has it; where others see
                                       * it: a write to it is a point */
    struct robust_list_head *robust;  /* what the kernel walks when it ends; NULL: nothing */

    const struct machine_wait *waits; /* on its stack */
    uint32_t wait_count;
    bool is_woken;
    int result;
    int64_t deadline_ns;
    uint64_t sleep_number; /* who sleeps longest is woken first */
    const void *mutex;
    uint32_t joined;
    struct machine_child *child; /* of the fork that it is at */
    uint32_t deaths_seen;
    bool is_keeper;
    bool has_ended;
    void *end_user;  /* what kin is told of when it ends; NULL: it is not told */
    bool has_called; /* while its process is dying: its last system call */
    bool is_reaper;
    bool (*condition)(void);
};

struct machine_process {
    bool is_mortal;
    bool is_dead;
    uint32_t owner;            /* its owner id, once it is a member */
    uint32_t life_thread;      /* which thread stands in for its keeper, or MACHINE_NOBODY */
    _Atomic uint32_t *life[2]; /* of a keeper that only seems to run */
    const void *mutexes[MACHINE_MUTEXES_MAX]; /* held; see replaced.c */
    struct kin__process family;
    struct kin__heap heap;
    struct kin__references references;
};

struct machine {
    struct machine_thread threads[MACHINE_THREADS_MAX];
    struct machine_process processes[MACHINE_PROCESSES_MAX];
    uint32_t current; /* thread */
    uint32_t loaded;  /* process whose own variables are in place */
    uint32_t thread_count;
    uint32_t process_count;
    uint32_t death_count;
    uint32_t dying; /* process that has been killed and of which threads run on; MACHINE_NOBODY */
    uint32_t dying_step;
    uint32_t step;
    uint32_t clock_moves;
    uint32_t net_count; /* times that a reaper had to look again at its deadline */
    uint64_t sleep_count;
    int64_t now_ns;
    void (*on_thread_end)(void *user);
    bool is_exploring;   /* at points the schedule is asked */
    int64_t patience_ns; /* if all sleep, and the earliest deadline is not nearer: a failure */
    bool has_no_threads; /* the kernel gives none any more */
    bool has_keepers;    /* threads that kin starts run; else they only seem to */
    bool is_old;         /* the kernel cannot sleep on several words */
    bool has_failed;
    char failure[256];
};

extern struct machine *machine;

/* Makes the machine, in the region. Once a process. */
void machine_create(void);

/* A new process: in no family, or as the fork of process 0. */
uint32_t machine_add_process(bool is_mortal);

/* A new thread, ready. */
uint32_t machine_add_thread(uint32_t process, const char *name, void *(*run)(void *user),
                            void *user);

/* Runs threads until none but watchers and parked ones is left, or the machine has failed. That all
 * sleep for ever is a failure. */
void machine_run(void);

/* The machine has failed: ends the run. Does not return to a thread of the machine. */
void machine_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The calling thread is about to do what others see, at an address that others see, or
 * NULL: at more than one. */
void machine_point(enum point point, const volatile void *address);

/* Where in the program the last point was, for telling a run step by step: machine_tell is called
 * for each step, if it is not NULL. */
extern const void *machine_place;
extern void (*machine_tell)(uint32_t choice);

/* While this is set, machine_point notes who touches which words. */
extern bool machine_is_learning;

/* Whether, in the runs that were noted, more than one thread has touched the word of the last
 * point, and not all of them only read it. */
bool machine_is_shared(void);

/* The calling thread can do nothing until its state is READY again. */
void machine_block(enum thread_state state);

/* A reaper waits until somebody has died since its last call. */
void machine_watch(void);

/* What the dead have done happens before what the calling thread does next: it has proof. */
void machine_see_deaths(void);

/* Wakes up to `count` of those who sleep on a word; how many. */
uint32_t machine_wake(const _Atomic uint32_t *word, uint32_t count);

/* The process ends now, as by SIGKILL; the kernel releases what its threads held. */
void machine_kill(uint32_t process);

/* The same, but of one thread before the others, which run on for some steps. */
void machine_end(uint32_t thread);

/* The calling thread has come to a point while a process is dying. True: it does not go on. */
bool machine_die(enum point point);

/* The calling thread ends. Does not return. */
void machine_end_by_itself(void);

/* Whether a thread's end would be seen by the kernel. */
bool machine_is_alive(uint32_t thread);

/* Number of such threads of a process. */
uint32_t machine_alive_count(uint32_t process);

/* A new process, as the fork of the calling one: with its variables, and one thread. */
void machine_fork(struct machine_child *child);

/* Time moves to the deadline of a thread that sleeps, which wakes. */
void machine_expire(uint32_t thread);

static inline struct machine_thread *machine_self(void)
{
    return &machine->threads[machine->current];
}

static inline struct machine_process *machine_self_process(void)
{
    return &machine->processes[machine_self()->process];
}

static inline bool machine_is_ready(uint32_t thread)
{
    const struct machine_thread *it = &machine->threads[thread];
    return it->state == THREAD_READY ||
           (it->state == THREAD_WATCHING && it->deaths_seen != machine->death_count) ||
           (it->state == THREAD_WAITING && it->condition()) ||
           (it->state == THREAD_JOINING && !machine_is_alive(it->joined));
}

#endif
