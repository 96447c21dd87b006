/*
 * The tracer: runs the main thread of a child up to a chosen instruction of this program.
 *
 * What counts are the instructions of the program's own image, which is kin and the call that a
 * scenario makes. What lies in the C library is run through in one go, up to the return into the
 * image. The child's other threads (kin's keeper) run freely.
 *
 * One pass by single steps lists what is executed; each later run goes to one entry of the list by
 * a hardware breakpoint on its address and a count of hits, so a point costs some microseconds and
 * not the whole way in single steps. Hardware, because a breakpoint in the text would be seen by
 * the other threads as well.
 */
#ifndef CRASH_TRACER_H
#define CRASH_TRACER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A place in the run of a victim: before the `hit`-th execution of the instruction at `address`,
   or, address 0, asleep in the kernel for the `hit`-th time. Counts from 1. */
struct trace_point {
    uintptr_t address;
    uint32_t hit;
};

struct trace_points {
    struct trace_point *points;
    size_t count;
    size_t capacity;
};

/* What the tracer tells while a victim runs. */
struct trace_watch {
    void (*asleep)(void);     /* it sleeps in the kernel: let it go on */
    void (*interlude)(void);  /* it has called trace_interlude() */
    bool (*is_over)(void);    /* it sleeps: whether that is the end of the operation. NULL: no */
    _Atomic uint32_t *listed; /* how many points trace_list has so far: shows that it goes on */
};

enum trace_end {
    TRACE_AT_POINT, /* it stands there, and was not let go on if asleep */
    TRACE_DONE,     /* the operation was over before */
    TRACE_GONE,     /* it ended by itself */
    TRACE_STUCK,    /* it sleeps, though it was let go on several times */
};

/* In the victim, around its operation; the first instruction of `operation` is where it starts. */
void trace_run(void (*operation)(void));
void trace_interlude(void);

void trace_point_add(struct trace_points *points, uintptr_t address, uint32_t hit);

/* Waits until the child stands in front of `operation`. False: it ended. */
bool trace_begin(pid_t pid, void (*operation)(void));

/* Stops a process that sleeps, at work since long and perhaps another's child. False: cannot. */
bool trace_attach(pid_t pid);

/* Runs through the operation by single steps; `ret_points` gets what was executed, at most
   `count_max`. */
enum trace_end trace_list(pid_t pid, const struct trace_watch *watch, size_t count_max,
                          struct trace_points *ret_points);

/* Runs to a point. */
enum trace_end trace_to(pid_t pid, const struct trace_watch *watch, struct trace_point point);

/* From the first instruction of a function to the return from it. */
enum trace_end trace_leave(pid_t pid, const struct trace_watch *watch);

/* Lets it run to the end of its operation and end by itself. */
enum trace_end trace_finish(pid_t pid, const struct trace_watch *watch);

/* Kills and reaps it. */
void trace_kill(pid_t pid);

/* Whether a process's main thread sleeps, now and some moments later. */
bool trace_is_asleep(pid_t pid);

#endif
