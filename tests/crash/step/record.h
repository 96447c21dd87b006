/*
 * What the processes of a run share, outside of any family; and the parts of the engine.
 */
#ifndef CRASH_RECORD_H
#define CRASH_RECORD_H

#include "step/engine.h"
#include "step/tracer.h"

enum {
    HANG_MS = 5000,   /* nothing that must end takes so long */
    STALL_MS = 30000, /* and the whole of a point takes less */
    CONTEXT_MAX = 8,
    REPORT_BYTES = 4096,
};

struct record {
    struct board board;
    _Atomic uint32_t failure_count; /* since it was last reported */
    _Atomic uint32_t hang_count;    /* those of them that are hangs */
    _Atomic uint32_t next;          /* the point to go to */
    _Atomic uint32_t total;         /* number of points; 0: not known yet */
    _Atomic uint32_t progress;      /* points that were gone to */
    _Atomic uint32_t kill_count;
    _Atomic uint32_t step_count;
    _Atomic uint32_t report_used;
    _Atomic uint32_t is_hammer_held;  /* written by the stage */
    _Atomic uint32_t is_hammer_still; /* and by the hammer */
    struct trace_point point;         /* the current one */
    char report[REPORT_BYTES];
};

/* The process in which a scenario runs. */
struct stage {
    const struct scenario *scenario;
    const struct engine_options *options;
    struct trace_watch watch;
    pid_t context[CONTEXT_MAX];
    uint32_t context_count;
    uint64_t member_count; /* when nobody is there but those who stay */
    pid_t hammer;          /* 0: none */
};

/* Blocks, objects and members in use. */
struct account {
    uint64_t blocks;
    uint64_t bytes;
    uint64_t objects;
    uint64_t members;
};

extern struct record *crash_record;
extern struct stage crash_stage;

double crash_now(void);
int crash_limit_ms(int ms);
int crash_hang_ms(void);
void crash_hang(const char *who);

/* A child that is a member; it ends with the stage. */
pid_t crash_start_member(const char *name, void (*run)(void), uint32_t *ret_owner);

uint64_t account_members(void);
struct account account_take(void);

/* Waits until only those who stay are there, and checks that all is in order, and that as much is
   in use as in `base`; NULL: that is not known yet. */
void account_check(const struct account *base);

/* A process that is busy beside the others. Holding waits until it has nothing in hand. */
void hammer_start(void);
void hammer_hold(void);
void hammer_release(void);

/* The stage's main function. */
_Noreturn void stage_run(void);

#endif
