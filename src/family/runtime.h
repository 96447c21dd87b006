/**
 * What a process and a thread know about their family: the layer's only mutable file-scope
 * state, and the table of object types in which the layers above register.
 */
#ifndef KIN_FAMILY_RUNTIME_H
#define KIN_FAMILY_RUNTIME_H

#include "base/list.h"
#include "family/heap.h"
#include "family/memory.h"
#include "os/futex.h"
#include "os/process.h"
#include "os/thread.h"

#include <kin/call.h>
#include <kin/family.h>
#include <kin/log.h>
#include <stdint.h>
#include <threads.h>

struct kin__member;
struct kin__references;
struct kin__verifier;

/* An object type. Registered once, by a constructor of the layer that owns it. */
struct kin__type {
    uint16_t id; /* 1 .. KIN__TYPE_COUNT - 1, unique */
    const char *name;

    /* Takes back what the dead owner had claimed in the object and never gave back. Runs in
     * any process, any number of times, also beside live users. NULL: nothing is claimed. */
    void (*repair)(uint32_t index, void *at, uint32_t dead);

    /* Frees all blocks of the object but the one at `at`. Nobody else looks at the object any
     * more. May be killed at any point and is then run again. NULL: there is but one block. */
    void (*free)(uint32_t index, void *at);

    /* Nobody is waiting for what the dead have of it, nor short of it; see keeper.h. */
    bool can_wait;

    /* Reports each broken invariant with kin__verify_fail. NULL: has none. */
    void (*verify)(struct kin__verifier *verifier, uint32_t index, const void *at);
};

#define KIN__TYPE_COUNT 32u

#define KIN__GENERATION_FIRST 1u /* of a process that has not been in any family */

/* A process in its family. Written by kin_init, kin_fini and in a forked child while that has
 * one thread; read by all. */
struct kin__process {
    struct kin__memory memory;
    int fd;                     /* of the memory; -1: in no family */
    uint32_t pid;               /* 0: the process has to register at its next use of kin */
    uint32_t owner;             /* of the process's member, see member.h; 0: none */
    struct kin__member *member; /* the process's member */
    uint32_t parent;            /* in the child of a plain fork, until it registers: its parent */
    uint32_t generation;        /* rises with each kin_init and kin_fini: what an earlier family
                                 * gave to objects and threads is dead */
    _Atomic bool is_entered;    /* `pid` is a member's, and all of its threads may use that */
    bool has_input;             /* standard input was open before anything else was */
    bool is_leaving;            /* kin_fini or exit are at it; in a child, nobody is */
    uint32_t prepared;          /* how much of what outlives a family has been set up */
    uint32_t spin_count;        /* how often to look again before sleeping; 0 on one core */
    struct kin__os_thread_end thread_end;    /* runs when a thread that used kin ends */
    struct kin__os_thread keeper;            /* see keeper.h */
    _Atomic uint32_t keeper_state;           /* of enum kin__keeper_state */
    int keeper_code;                         /* why it did not start */
    _Atomic bool keeper_is_due;              /* it looks again within milliseconds, untold */
    _Atomic uint32_t start_count;            /* children started so far */
    struct kin__os_robust life_robust;       /* of the thread that stands in for the keeper */
    struct kin__thread *_Atomic life_thread; /* that thread; NULL: none */
    _Atomic bool is_silent;                  /* no thread of the process has been a member yet */
    mtx_t keeper_lock;                       /* one thread at a time starts it; taken around fork */
    mtx_t enter_lock;                        /* one thread at a time makes the process a member */
    mtx_t reap_lock;                         /* one thread at a time reaps; taken around fork */
    mtx_t errand_lock;                       /* taken around fork */
    struct kin__list errands; /* what the keeper does for this process; see keeper.h */
};

/* A thread in its family; its own. */
struct kin__thread {
    uint32_t generation; /* of kin__family; another one: registers at its next use of kin */
    struct kin__member *member;
    uint32_t owner;
    uint32_t id; /* as the kernel has it */
    struct kin__os_robust robust;
    uint64_t deaths;       /* death_count when the thread last prepared to sleep */
    uint32_t patience;     /* pauses that its last wait was allowed; see sleep.h */
    uint32_t haste;        /* how soon it looks: halvings of the time for a stream to gather */
    uint32_t gather_waits; /* waits that left this time */
    bool is_forking;       /* inside kin__family_fork, which takes the locks itself */
    bool is_freeing;       /* it frees an object, see directory.c */
    uint32_t to_free;      /* directory index of the next one that it is to free then; 0: none */
    bool is_entering;      /* it is the one that makes the process a member */
};

/* Where messages go. See life/log.c. */
struct kin__log {
    _Atomic int32_t threshold; /* `level`, or INT32_MAX: there is no sink */
    _Atomic int32_t level;     /* from which on messages are written */
    _Atomic uint32_t version;  /* of the two below: odd while they are changed */
    kin_log_sink *_Atomic sink;
    void *_Atomic user;
    mtx_t lock;    /* of who changes any of those; taken around fork */
    char name[32]; /* of this process; written while it has one thread */
};

/* What is to be done at the end of this process. See life/finalizer.c. */
struct kin__finalizers {
    mtx_t lock; /* guards all of this; taken around fork */
    struct kin__list active;
    struct kin__list due;
    bool is_closed; /* no more are taken */
};

/* The program's hooks around fork. See life/fork_hook.c. */
struct kin__fork_hooks {
    mtx_t lock;            /* guards the list; held while a fork is under way */
    struct kin__list list; /* oldest first */
};

/* What a layer above wants to do when the process leaves the family or forks. */
struct kin__layer_hooks {
    void (*begin_child)(int fd); /* runs a process that was spawned, which is a member now; its
                                  * fds are those behind `fd`. Does not return */
    void (*refuse)(int code);    /* of a child that has its slot and lacks what else it needs to
                                  * begin: notes the code; NULL: nothing */
    void (*exit)(int status);    /* at exit(3), before all others, where the C library tells the
                                * status; NULL: nothing */
    void (*fini)(void);          /* at the start of kin_fini; NULL: nothing */
    void (*fini_beside)(void);   /* the same at exit, while other threads run on and may be inside
                                * the layer; NULL: nothing */
    void (*fork_before)(void);   /* takes its locks */
    void (*fork_parent)(void);   /* gives them back */
    void (*fork_child)(void);    /* gives them back, and forgets what is the parent's */

    /* A step of kin/interrupt.h, 1 to KIN__INTERRUPT_STEPS; in the keeper, so it waits for nothing
     * but its locks. NULL: nothing. */
    void (*interrupted)(uint32_t step);
};

#define KIN__INTERRUPT_STEPS 3u

/* What this process does about SIGINT. Written by kin_interrupt_handle before the handler is
 * there; all zero: nothing. */
struct kin__interrupts {
    _Atomic uint32_t pid;      /* whose; 0: nobody's, the rest means nothing */
    _Atomic uint32_t inside;   /* handlers that run, in any thread */
    bool is_handled;           /* by kin: it was not ignored */
    _Atomic uint32_t count;    /* how often it came; by the handler */
    uint32_t step;             /* how many steps were taken; the keeper's */
    _Atomic uint32_t *command; /* what the keeper sleeps on */
    struct kin_cancel *cancel;
    struct kin__os_interrupt before; /* what it was to the program */
};

/* Layers in the order in which their hooks take locks; fini runs from the last to the first. */
enum kin__layer {
    KIN__LAYER_FORKSERVER,
    KIN__LAYER_PROCESS,
    KIN__LAYER_POOL,
    KIN__LAYER_CONNECTION,
    KIN__LAYER_SYNC,
    KIN__LAYER_COUNT
};

extern struct kin__process kin__family;
extern _Thread_local struct kin__thread kin__thread_current;
extern struct kin__log kin__log;
extern _Thread_local bool kin__log_is_inside; /* this thread is in a sink */
extern struct kin__finalizers kin__finalizers;
extern struct kin__fork_hooks kin__fork_hooks;
extern _Thread_local uint32_t kin__fork_hook_depth; /* forks of this thread that are under way */
extern struct kin__heap kin__heap;
extern struct kin__interrupts kin__interrupts;
extern struct kin__references kin__references;
extern const struct kin__type *kin__types[KIN__TYPE_COUNT];
extern kin_function_entry *kin__functions;
extern const struct kin__layer_hooks *kin__layers[KIN__LAYER_COUNT];

void kin__type_register(const struct kin__type *type);

/* Whether kin_init succeeded and kin_fini has not run. */
static inline bool kin__family_is_open(void)
{
    return kin__family.fd >= 0;
}

static inline struct kin__family_shared *kin__shared(void)
{
    return kin__memory_shared(&kin__family.memory);
}

static inline void *kin__at(uint64_t offset)
{
    return kin__memory_at(&kin__family.memory, offset);
}

static inline uint64_t kin__offset_of(const volatile void *place)
{
    return (uint64_t)((const volatile unsigned char *)place - kin__family.memory.base);
}

#endif
