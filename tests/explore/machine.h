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

#define MACHINE_THREADS_MAX 12u
#define MACHINE_PROCESSES_MAX 8u
#define MACHINE_STEPS_MAX 20000u
#define MACHINE_NOBODY UINT32_MAX
#define MACHINE_THREAD_ID(thread) (1000 + (thread))
#define MACHINE_PROCESS_ID(process) (100 + (process))

enum thread_state {
    THREAD_UNUSED,
    THREAD_READY,
    THREAD_ASLEEP,   /* in the kernel, on words */
    THREAD_LOCKED,   /* on a mutex of its process */
    THREAD_WATCHING, /* a reaper: until somebody dies */
    THREAD_WAITING,  /* until a condition of the scenario is true */
    THREAD_PARKED,   /* until it is made ready */
    THREAD_DONE,
    THREAD_DEAD,
};

/* Why a thread has come to a point. */
enum point {
    POINT_LOAD,   /* an atomic load, or a read */
    POINT_ATOMIC, /* an atomic operation that writes */
    POINT_WRITE,  /* any other write */
    POINT_CALL,   /* a system call */
};

struct machine_thread {
    enum thread_state state;
    uint32_t process;
    const char *name;
    void *(*run)(void *user);
    void *user;
    jmp_buf here;
    struct kin__thread own;          /* kin__thread_current while it does not run */
    struct kin__endings endings;     /* kin__endings_current, likewise */
    struct robust_list_head *robust; /* where others see it: a write to it is a point */
    _Atomic uint32_t *life[2];       /* of a keeper: words that the kernel releases */

    const struct kin__os_futex_wait *waits; /* on its stack */
    uint32_t wait_count;
    bool is_woken;
    int result;
    int64_t deadline_ns;
    uint64_t sleep_number; /* who sleeps longest is woken first */
    const void *mutex;
    uint32_t deaths_seen;
    bool is_keeper;
    bool is_reaper;
    bool (*condition)(void);
};

struct machine_process {
    bool is_used;
    bool is_mortal;
    bool is_dead;
    uint32_t owner; /* its owner id, once it is a member */
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
    uint32_t step;
    uint32_t clock_moves;
    uint32_t net_count; /* times that a reaper had to look again at its deadline */
    uint64_t sleep_count;
    int64_t now_ns;
    bool is_exploring;   /* at points the schedule is asked */
    int64_t patience_ns; /* if all sleep, and the earliest deadline is not nearer: a failure */
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
           (it->state == THREAD_WAITING && it->condition());
}

#endif
