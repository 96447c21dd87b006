/**
 * The frame of the sync bench: processes take a semaphore, a reader-writer lock or a barrier, one
 * step after the other. A subject is one program: steps.c with a file that defines
 * `steps_measured`. The loops stand here, inline: with operations that the compiler knows, no call
 * through a pointer is left in them.
 *
 * Each step leaves a trace in shared memory, by which steps.c sees in the end whether what was
 * measured has done its work.
 */
#ifndef BENCH_SYNC_STEPS_H
#define BENCH_SYNC_STEPS_H

#include "harness.h"

#include <stdbool.h>

#define STEPS_LINE_BYTES 128
#define STEPS_INLINE static inline __attribute__((always_inline))

/** What the subject has to offer. */
typedef struct steps_operations {
    /** Semaphore 0, or 1. */
    void (*acquire)(unsigned which);
    void (*release)(unsigned which);

    void (*acquire_read)(void);
    void (*release_read)(void);
    void (*acquire_write)(void);
    void (*release_write)(void);

    /** Waits at the barrier. Whether this one is the one of all whom it singles out. */
    bool (*wait)(void);
} steps_operations;

/** Shared by the processes. */
typedef struct steps_area {
    /* Changed by who has a permit or may write: a pair, so that a read in between is seen. */
    _Alignas(STEPS_LINE_BYTES) volatile uint64_t count;
    volatile uint64_t same_count;
    /* Of each process, written by it: rounds of the barrier that it has come to. */
    struct {
        _Alignas(STEPS_LINE_BYTES) volatile uint64_t round;
    } of[HARNESS_PROCESS_COUNT_MAX];
} steps_area;

/** One lap of one process. */
typedef struct steps_lap {
    steps_area *area;
    unsigned index;
    unsigned process_count;
    uint64_t count;
    uint64_t writes_of_10; /* so many of ten steps of a rwlock write */
} steps_lap;

typedef struct steps_subject {
    /** Each makes what its kind needs, before the other processes are started. There are two
     * semaphores, the first with `permits`, the second with none. */
    void (*open_semaphores)(uint32_t permits, bool is_bounded);
    void (*open_rwlock)(void);
    void (*open_barrier)(unsigned party_count);

    /** Does one lap; returns how often the process has changed `count`, or was singled out. */
    uint64_t (*run_permits)(const steps_lap *lap);
    uint64_t (*run_turns)(const steps_lap *lap);
    uint64_t (*run_rwlock)(const steps_lap *lap);
    uint64_t (*run_barrier)(const steps_lap *lap);

    /** How many permits semaphore 0 has left. */
    uint32_t (*permits_left)(void);

    const harness_starter *starter;
} steps_subject;

/** What the program measures; the subject's file defines it. */
extern const steps_subject steps_measured;

/** One permit is taken and given back. */
STEPS_INLINE uint64_t steps_run_permits(const steps_operations *use, const steps_lap *lap)
{
    for (uint64_t i = 0; i < lap->count; i++) {
        use->acquire(0);
        lap->area->count++;
        use->release(0);
    }
    return lap->count;
}

/** Each of two waits at a semaphore of its own for the other to give it the turn. */
STEPS_INLINE uint64_t steps_run_turns(const steps_operations *use, const steps_lap *lap)
{
    for (uint64_t i = 0; i < lap->count; i++) {
        use->acquire(lap->index);
        lap->area->count++;
        use->release(1 - lap->index);
    }
    return lap->count;
}

STEPS_INLINE uint64_t steps_run_rwlock(const steps_operations *use, const steps_lap *lap)
{
    steps_area *area = lap->area;
    uint64_t change_count = 0;
    uint64_t due = 0;
    for (uint64_t i = 0; i < lap->count; i++) {
        due += lap->writes_of_10;
        if (due >= 10) {
            due -= 10;
            use->acquire_write();
            area->count++;
            area->same_count++;
            use->release_write();
            change_count++;
        } else {
            use->acquire_read();
            if (area->count != area->same_count) {
                harness_die("somebody reads while another writes");
            }
            use->release_read();
        }
    }
    return change_count;
}

STEPS_INLINE uint64_t steps_run_barrier(const steps_operations *use, const steps_lap *lap)
{
    steps_area *area = lap->area;
    uint64_t single_count = 0;
    for (uint64_t i = 0; i < lap->count; i++) {
        uint64_t round = area->of[lap->index].round + 1;
        area->of[lap->index].round = round;
        single_count += use->wait();
        for (unsigned other = 0; other < lap->process_count; other++) {
            if (area->of[other].round - round > 1) {
                harness_die("somebody goes on while another has not come");
            }
        }
    }
    return single_count;
}

/** The members of a steps_subject that have the loops, for operations called `use`. */
#define STEPS_LOOPS(use)                              \
    static uint64_t run_permits(const steps_lap *lap) \
    {                                                 \
        return steps_run_permits(&(use), lap);        \
    }                                                 \
    static uint64_t run_turns(const steps_lap *lap)   \
    {                                                 \
        return steps_run_turns(&(use), lap);          \
    }                                                 \
    static uint64_t run_rwlock(const steps_lap *lap)  \
    {                                                 \
        return steps_run_rwlock(&(use), lap);         \
    }                                                 \
    static uint64_t run_barrier(const steps_lap *lap) \
    {                                                 \
        return steps_run_barrier(&(use), lap);        \
    }

#endif
