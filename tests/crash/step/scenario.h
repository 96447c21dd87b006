/*
 * A scenario of the stepping killer: an operation, what surrounds it, and what must hold after
 * somebody was killed in the middle of it.
 *
 * For each point the engine, in a process that is a family's first member:
 *
 *     setup        makes the objects and starts the processes of the context
 *     prey         a process that dies once the victim stands in front of its operation; it is
 *                  reaped by the victim, or when that is dead
 *     victim       runs in a child, traced, up to the point, and is killed there
 *     killed       lets the context go on
 *     survivor     runs in a fresh child: must complete the operation and finds what it must
 *     finish       when survivor and context have ended: last checks, frees the objects
 *
 * and then all that died must have been reaped, every invariant must hold (family/verify.h), and
 * exactly as many blocks and objects as before must be in use. Functions that are NULL are left
 * out.
 */
#ifndef CRASH_SCENARIO_H
#define CRASH_SCENARIO_H

#include <kin/claim.h>
#include <kin/condition.h>
#include <kin/event.h>
#include <kin/lock.h>
#include <kin/queue.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A process that runs up to the first call of a function, or to the return from that
   (`is_behind`), or, function NULL, through all of `run`; and is killed there. */
struct prey {
    void (*run)(void);
    void (*function)(void);
    bool is_behind;
    void (*prepare)(void); /* before; calls in there do not count. NULL: nothing */
};

struct scenario {
    const char *name;
    const char *context;
    void (*setup)(void);
    void (*prepare)(void); /* in the victim, before it is traced */
    struct prey prey;      /* run NULL: none */
    void (*victim)(void);
    pid_t (*attach)(void);   /* in place of `victim`: a process that is there, and sleeps */
    void (*attached)(void);  /* gives it something to do */
    bool (*is_over)(void);   /* it sleeps: whether it has done it */
    void (*asleep)(void);    /* the victim sleeps: what wakes it */
    void (*interlude)(void); /* the victim called trace_interlude() */
    void (*killed)(void);
    void (*survivor)(void);
    void (*finish)(void);
};

/* Ends of arrays of scenarios have no name. */
extern const struct scenario lock_scenarios[];
extern const struct scenario mutex_scenarios[];
extern const struct scenario heap_scenarios[];
extern const struct scenario directory_scenarios[];
extern const struct scenario reaper_scenarios[];
extern const struct scenario event_scenarios[];
extern const struct scenario semaphore_scenarios[];
extern const struct scenario barrier_scenarios[];
extern const struct scenario rwlock_scenarios[];
extern const struct scenario condition_scenarios[];
extern const struct scenario queue_scenarios[];
extern const struct scenario queue_batch_scenarios[];
extern const struct scenario queue_claim_scenarios[];
extern const struct scenario queue_task_scenarios[];
extern const struct scenario process_scenarios[];
extern const struct scenario forkserver_scenarios[];
extern const struct scenario pool_scenarios[];
extern const struct scenario shared_scenarios[];
extern const struct scenario connection_scenarios[];
extern const struct scenario queue_object_scenarios[];
extern const struct scenario connection_object_scenarios[];

/* Seen by all processes of a scenario; zeroed before each point. */
struct board {
    _Atomic uint64_t flags[8];     /* as the scenario likes */
    _Atomic uint64_t is_done;      /* the victim's operation has returned */
    _Atomic uint64_t intended[16]; /* messages by seed: before the put, */
    _Atomic uint64_t sent[16];     /* when it has returned, */
    _Atomic uint64_t received[16]; /* and when they were taken */
    _Atomic uint64_t ending[16];   /* claimed ones: before the acknowledgement, */
    _Atomic uint64_t ended[16];    /* and when it has returned */
    kin_message message;           /* what the victim gets */
    kin_message batch[4];          /* the same, several */
    uint32_t victim;               /* the members that die */
    uint32_t prey;
};

/* What a scenario uses. Inherited by the children. */
struct scene {
    struct board *board;
    kin_lock *lock;
    kin_event *event;
    kin_condition *condition;
    kin_queue *queue;
    uint64_t block; /* offset of a block */
};

extern struct scene scene;

/* Notes that something is wrong; usable in every process. */
void crash_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define CRASH_CHECK(condition) ((condition) ? (void)0 : crash_fail("not true: %s", #condition))

/* Starts a process of the context. It is a member, and must end by itself once survivor is done. */
pid_t crash_start(void (*run)(void), uint32_t *ret_owner);

/* Starts a process that runs to where it is to die, and kills it. */
pid_t crash_start_prey(const struct prey *prey, uint32_t *ret_owner);
void crash_kill_prey(pid_t pid);

/* Waits until a process that is dead has been reaped. */
void crash_await_reaped(uint32_t owner);

/* Waits until nobody is left but those who stay through all points. */
void crash_await_quiet(void);

/* Waits until a process of the context sleeps. */
void crash_await_sleep(pid_t pid);

/* Waits until a word of the board is `value` or more. */
void crash_await(const _Atomic uint64_t *word, uint64_t value);
void crash_await_flag(uint32_t index, uint64_t value);

/* The `index`-th flag of the board. */
void crash_set_flag(uint32_t index, uint64_t value);

/* A message whose bytes follow from `seed`, and whether the bytes are those. */
void crash_fill(void *data, size_t size, uint32_t seed);
bool crash_is_filled(const void *data, size_t size, uint32_t seed);

#endif
