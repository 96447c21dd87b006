/*
 * A scenario: some members of a family, what each does, and what must be true in the end. Its
 * roles are run through all interleavings that the search affords, with deaths at all points.
 *
 * `create` runs in process 0, which makes the objects; it lives for ever, and its reaper reaps
 * the dead. Then `attach` runs in the process of each role. Neither is interleaved with anything.
 * From there on each run starts anew: all memory of the family and of the processes is put back,
 * and so is the world, the memory of the scenario itself.
 *
 * In the end, when all roles have ended or died and all dead are reaped, `check` runs in
 * process 0; then every invariant of the family must hold. That somebody sleeps for ever is
 * always a failure, and so is a sleep that only its deadline ends, beyond `patience_ms`.
 */
#ifndef EXPLORE_SCENARIO_H
#define EXPLORE_SCENARIO_H

#include "explore/machine.h"

#define SCENARIO_ROLES_MAX 6u
#define SCENARIO_WORLD_BYTES 4096u

struct scenario_role {
    const char *name;
    void (*run)(uint32_t role); /* the number of the role, from 0 */
    bool is_mortal;
    bool is_beside; /* a thread in the process of the role before it */
    bool is_child;  /* runs when another role starts it: scenario_start; has no `attach` */
};

struct scenario {
    const char *name;
    void (*create)(void);
    void (*attach)(uint32_t role);
    struct scenario_role roles[SCENARIO_ROLES_MAX];
    void (*check)(void);    /* NULL: nothing but the invariants */
    uint32_t deaths;        /* most deaths in one run */
    uint32_t patience_ms;   /* that all sleep up to so long until somebody looks again is fine */
    bool may_expire;        /* sleeps may end at their deadlines while others could go on */
    bool has_mortal_reaper; /* one more reaper, which can die at it */
    bool has_keepers;    /* the processes have their real keepers, which reap, when they need them;
                             * `check` runs in a process that is in no family */
    bool has_no_threads; /* and then get none any more */
    bool has_mortal_founder; /* process 0, the parent of those that are no children of others */
    bool is_old;             /* a kernel that cannot sleep on several words */
};

/* The world of the running scenario, SCENARIO_WORLD_BYTES, zeroed before `create`. */
extern void *scenario_world;

/* Whether the process of a role has died, or is about to. */
bool scenario_is_dead(uint32_t role);
bool scenario_is_founder_dead(void);

/* Whether a role that is a child has been started. */
bool scenario_is_started(uint32_t role);

/* Starts a child role, as kin does; its owner id. In a scenario with keepers. */
uint32_t scenario_start(uint32_t role, uint32_t flags);

/* The calling thread ends, and its process lives on if that has others. */
_Noreturn void scenario_end_thread(void);

/* The calling process leaves the family and ends. */
_Noreturn void scenario_exit(void);

/* Whether the thread of a role sleeps in the kernel, or has ended. */
bool scenario_is_asleep(uint32_t role);

/* Waits, outside of kin, until a condition on the world is true. */
void scenario_wait(bool (*condition)(void));

/* Ends the run with a failure unless the condition is true. */
#define SCENARIO_CHECK(condition) \
    ((condition) ? (void)0 : machine_fail("%s:%d: %s", __FILE__, __LINE__, #condition))

/* Each file of scenarios; ends with one that has no name. */
extern const struct scenario lock_scenarios[];
extern const struct scenario event_scenarios[];
extern const struct scenario queue_scenarios[];
extern const struct scenario directory_scenarios[];
extern const struct scenario heap_scenarios[];
extern const struct scenario member_scenarios[];
extern const struct scenario semaphore_scenarios[];
extern const struct scenario claim_scenarios[];
extern const struct scenario local_scenarios[];
extern const struct scenario condition_scenarios[];
extern const struct scenario barrier_scenarios[];
extern const struct scenario rwlock_scenarios[];
extern const struct scenario reference_scenarios[];
extern const struct scenario keeper_scenarios[];

#endif
