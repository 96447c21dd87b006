/**
 * A pool in the family's memory: a header, a table of workers, a ring of slots for tasks.
 *
 * The truth about a task is one word in its slot; nothing else decides:
 *
 *     word   state : 8, WAKE : 8, worker : 16, attempt : 32 high
 *
 *     FREE    -> QUEUED    by the creator, which has written the task before
 *     QUEUED  -> RUNNING   by the worker whose index the same compare-and-swap writes
 *     QUEUED  -> FREE      by the creator, which does not want the task any more
 *     RUNNING -> DONE      by the worker, which has written the result before
 *     RUNNING -> QUEUED    by the nursery, after the worker's death: attempt + 1
 *     RUNNING -> LOST      by the nursery, after the worker's death: it was the last attempt
 *     DONE | LOST -> FREE  by the creator, which has taken the result
 *
 * In a terminated pool what is RUNNING stays RUNNING: it has no result, and goes with the pool.
 *
 * Slots are filled in the order of the ring and claimed in it. `tail` and `head` count slots
 * without end (the slot is the count modulo the capacity); both only say where to look. Below
 * `head` nothing is QUEUED: whoever moves it up has seen so, and the nursery, which makes a slot
 * QUEUED again, afterwards moves it down and changes the tag in it, so that no swap based on an
 * older look succeeds. What a kill at each step leaves, and who heals it: docs/design/pool.md.
 */
#ifndef KIN_POOL_LAYOUT_H
#define KIN_POOL_LAYOUT_H

#include "base/assert.h"
#include "family/memory.h"

#include <stdatomic.h>
#include <stdint.h>

#define KIN__TYPE_POOL 20u

#define KIN__POOL_WORKERS_MAX 1024u
#define KIN__POOL_SLOTS_MAX 65536u
#define KIN__POOL_INPUT_BYTES 80u /* inputs up to this size lie in the slot */
#define KIN__POOL_HANDLES_MAX 255u
#define KIN__POOL_OUTPUT_BYTES 104u /* and results up to this one */

enum kin__slot_state {
    KIN__SLOT_FREE,
    KIN__SLOT_QUEUED,
    KIN__SLOT_RUNNING,
    KIN__SLOT_DONE,
    KIN__SLOT_LOST,
};

#define KIN__SLOT_WAKE ((uint64_t)1 << 8) /* the creator wants to be woken for this result */

struct kin__slot {
    /* The task: written by the creator while FREE; `word` by all, as above. */
    _Atomic uint64_t word;
    uint64_t index; /* of the input */
    uint64_t input_bytes;
    _Atomic uint64_t input_block; /* 0: the input lies in `input` */
    uint32_t function;            /* index in the table that the pool was made with */
    uint32_t handle_count;        /* counted references in front of the input in its block */
    uint32_t fd_count;            /* which the creator keeps, see exchange.h */
    uint32_t reserved;
    unsigned char input[KIN__POOL_INPUT_BYTES];

    /* The result: written while RUNNING, by the worker, or after its death by the nursery. */
    uint64_t output_bytes;
    _Atomic uint64_t output_block; /* 0: the result lies in `output` */
    int32_t code;                  /* negative: the output is an encoded error */
    uint32_t output_handle_count;  /* counted references in front of the result in its block */
    unsigned char output[KIN__POOL_OUTPUT_BYTES];
};

KIN_STATIC_ASSERT_OFFSET(struct kin__slot, output_bytes, 128);
KIN_STATIC_ASSERT_SIZE(struct kin__slot, 256);

/* What stands in `output` of a LOST slot. */
struct kin__loss {
    int32_t pid;
    int32_t has_status;
    int32_t status; /* of exit, or minus the signal */
};

struct kin__worker {
    /* Written by the nursery; `owner` and `pid` also by the worker when it starts. */
    _Atomic int32_t pid;
    _Atomic uint32_t owner; /* its process's member */
    _Atomic uint32_t restart_count;
    uint32_t reserved[29];

    /* Written by the worker; `task_index` also by the nursery when the worker is dead. */
    _Atomic uint32_t thread; /* its thread's member, which holds the pool */
    _Atomic uint32_t task_attempt;
    _Atomic uint64_t task_index; /* UINT64_MAX: none */
    _Atomic uint64_t task_count;
    _Atomic uint64_t busy_ns;
    uint64_t reserved_work[12];
};

KIN_STATIC_ASSERT_OFFSET(struct kin__worker, thread, 128);
KIN_STATIC_ASSERT_SIZE(struct kin__worker, 256);

enum kin__pool_state {
    KIN__POOL_OPEN,
    KIN__POOL_DRAINED,    /* no task will be QUEUED any more but those of dead workers */
    KIN__POOL_TERMINATED, /* nobody waits for the tasks that are left */
};

#define KIN__POOL_MAGIC 0x316c6f6f706e696bu /* "kinpool1" */

/* Peer death: the words of the slots are always true. A worker's death is settled by the nursery,
 * that of the nursery ends the pool, that of the creator ends the nursery. */
struct kin__pool_shared {
    /* Constant. */
    uint64_t magic;
    uint32_t worker_count;
    uint32_t capacity; /* slots: a power of two */
    uint32_t retries;  /* of a task whose worker died */
    uint32_t function_count;

    /* Written by the creator. */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint64_t tail; /* slots filled so far, + capacity */
    _Atomic uint32_t state;

    /* Event count of workers without a task. */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint32_t tasks;

    /* Written by workers and the nursery. */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint64_t head; /* tag : 16 high, position : 48 */
    _Atomic uint64_t high; /* head was up to here before the nursery moved it down */

    /* Event count of the creator's threads that wait for results. */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint32_t results;

    /* That of its keeper, which waits for workers that want fds. */
    _Atomic uint32_t requests;

    /* Written by the nursery. */
    _Alignas(KIN__MEMORY_LINE) _Atomic int32_t started; /* 1: all workers run; or why not */
    _Atomic uint32_t has_ended;                         /* all workers have ended for good */
};

static_assert(sizeof(struct kin__pool_shared) == 6 * KIN__MEMORY_LINE, "layout 1");
static_assert(offsetof(struct kin__pool_shared, results) == 4 * KIN__MEMORY_LINE, "layout 1");

#define KIN__POSITION_MASK (((uint64_t)1 << 48) - 1)

static inline uint64_t kin__pool_bytes(uint32_t worker_count, uint32_t capacity)
{
    return sizeof(struct kin__pool_shared) + worker_count * sizeof(struct kin__worker) +
           capacity * sizeof(struct kin__slot);
}

static inline struct kin__worker *kin__pool_worker_at(struct kin__pool_shared *shared,
                                                      uint32_t index)
{
    return (struct kin__worker *)(void *)(shared + 1) + index;
}

/* The slot at a position of the ring. */
static inline struct kin__slot *kin__pool_slot_at(struct kin__pool_shared *shared,
                                                  uint64_t position)
{
    struct kin__worker *end = kin__pool_worker_at(shared, shared->worker_count);
    return (struct kin__slot *)(void *)end + (position & (shared->capacity - 1));
}

/* Where in the ring a slot is. */
static inline uint32_t kin__pool_slot_index(struct kin__pool_shared *shared,
                                            const struct kin__slot *slot)
{
    return (uint32_t)(slot - kin__pool_slot_at(shared, 0));
}

static inline uint32_t kin__slot_state(uint64_t word)
{
    return (uint32_t)(word & 0xff);
}

static inline uint32_t kin__slot_worker(uint64_t word)
{
    return (uint32_t)(word >> 16 & 0xffff);
}

static inline uint32_t kin__slot_attempt(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

static inline uint64_t kin__slot_word(uint32_t state, uint64_t wake, uint32_t worker,
                                      uint32_t attempt)
{
    return state | (wake & KIN__SLOT_WAKE) | (uint64_t)worker << 16 | (uint64_t)attempt << 32;
}

#endif
