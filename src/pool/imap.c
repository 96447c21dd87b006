/*
 * Imap: inputs are asked for as results are taken, results come in the order of their ends.
 *
 * At most read_ahead_max tasks are between source and taker. Each has an item, which its
 * result is kept in; items and their memory are used again, so a steady state allocates nothing.
 */
#include "base/allocate.h"
#include "base/buffer.h"
#include "family/sleep.h"
#include "pool/job.h"
#include "pool/result.h"

#include <errno.h>

struct item {
    struct kin__list_node node; /* in `ready` or `idle`; in neither while on its way */
    struct item *next;          /* of all the imap's items */
    kin_result result;
    struct kin__buffer bytes;
};

struct kin_pool_imap {
    struct kin__job job;           /* first: `take` gets this */
    kin_pool_source *bytes_source; /* NULL: inputs are more than bytes */
    kin_pool_input_source *source;
    void *user;
    kin_pool_input input; /* from the source, not yet submitted */
    bool has_input;
    bool has_ended;  /* the source has */
    int source_code; /* 0, or why */
    uint64_t submitted;
    uint64_t handed_out;
    struct item *current; /* what the caller has */
    struct item *items;

    /* Guarded by the pool's lock. */
    struct kin__list ready;
    struct kin__list idle;
    bool is_short; /* there was not enough memory, or too few fds, for the input */
};

static struct item *first_of(struct kin__list *list)
{
    struct kin__list_node *node = kin__list_first(list);
    if (node == NULL) {
        return NULL;
    }
    kin__list_remove(node);
    return KIN_CONTAINER_OF(node, struct item, node);
}

static void take(struct kin__job *job, void *user, const struct kin__outcome *outcome)
{
    kin_pool_imap *imap = (kin_pool_imap *)(void *)job;
    struct item *item = user;
    kin__result_set(&item->result, outcome);
    item->bytes.size = 0;
    if (kin__buffer_append(&item->bytes, outcome->bytes.data, outcome->bytes.size) < 0) {
        kin__result_fail(&item->result, -ENOMEM);
    } else if (outcome->bytes.size > 0) {
        item->result.bytes = (kin_bytes){.data = item->bytes.data, .size = item->bytes.size};
    }
    kin__list_append(&imap->ready, &item->node);
    imap->is_short = false;
}

static bool has_progress(const struct kin__job *job)
{
    const kin_pool_imap *imap = (const kin_pool_imap *)(const void *)job;
    return !kin__list_is_empty(&imap->ready) ||
           (imap->has_input && !imap->is_short && kin__job_room(job) > 0);
}

static void init(kin_pool_imap *imap, void *user)
{
    imap->job.take = take;
    imap->job.has_progress = has_progress;
    imap->user = user;
    kin__list_init(&imap->ready);
    kin__list_init(&imap->idle);
}

/* Begins an imap whose source is in `given`. */
static int create(kin_pool *pool, kin_function *function, const kin_pool_imap *given,
                  kin_pool_imap **ret_imap)
{
    if (function == NULL || ret_imap == NULL) {
        return -EINVAL;
    }
    kin_pool_imap *imap = kin__allocate_zeroed(sizeof *imap);
    if (imap == NULL) {
        return -ENOMEM;
    }
    imap->bytes_source = given->bytes_source;
    imap->source = given->source;
    init(imap, given->user);
    int r = kin__job_begin(&imap->job, pool, function);
    if (r < 0) {
        kin__release(imap);
        return r;
    }
    if (imap->source != NULL) {
        kin__exchange_serve(pool);
    }
    *ret_imap = imap;
    return 0;
}

int kin_pool_imap_unordered_bytes(kin_pool *pool, kin_function *function, kin_pool_source *source,
                                  void *user, kin_pool_imap **ret_imap)
{
    const kin_pool_imap given = {.bytes_source = source, .user = user};
    return source == NULL ? -EINVAL : create(pool, function, &given, ret_imap);
}

int kin_pool_imap_unordered_inputs(kin_pool *pool, kin_function *function,
                                   kin_pool_input_source *source, void *user,
                                   kin_pool_imap **ret_imap)
{
    const kin_pool_imap given = {.source = source, .user = user};
    return source == NULL ? -EINVAL : create(pool, function, &given, ret_imap);
}

/* --- asking the source --- */

/* Makes sure that there is an input, unless the source has ended. User code: not under the
 * lock. */
static void ask(kin_pool_imap *imap)
{
    kin_pool_input input = {0};
    if (imap->has_input || imap->has_ended) {
        return;
    }
    int r = imap->source != NULL ? imap->source(imap->user, &input)
                                 : imap->bytes_source(imap->user, &input.bytes);
    if (r > 0 && !kin__job_is_input(&input)) {
        r = -EINVAL;
    }
    imap->has_input = r > 0;
    imap->input = input;
    if (r <= 0) {
        imap->has_ended = true;
        imap->source_code = r;
    }
}

/* The input that there is cannot become a task: as if the source had ended with this. */
static void refuse_input(kin_pool_imap *imap, int code)
{
    imap->has_input = false;
    imap->has_ended = true;
    imap->source_code = code;
}

/* Submits the input that there is. A code: it stays. */
static int submit(kin_pool_imap *imap)
{
    struct item *item = first_of(&imap->idle);
    if (item == NULL) {
        item = kin__allocate_zeroed(sizeof *item);
        if (item == NULL) {
            return -ENOMEM;
        }
        item->next = imap->items;
        imap->items = item;
    }
    struct kin__job_input input = {.given = imap->input};
    int r = kin__job_submit(&imap->job, item, imap->submitted, &input, true);
    if (r < 0) {
        kin__list_append(&imap->idle, &item->node);
        return r;
    }
    imap->submitted++;
    imap->has_input = false;
    kin__job_announce(&imap->job, 1);
    return 0;
}

/* Submits as much as may be ahead. 0, or -ENOMEM, -EMFILE: nothing is on its way that could make
 * room. */
static int feed(kin_pool_imap *imap)
{
    kin_pool *pool = imap->job.pool;
    int r = 0;
    while (r == 0 && imap->submitted - imap->handed_out < pool->read_ahead_max) {
        ask(imap);
        mtx_lock(&pool->lock);
        if (imap->has_input) {
            r = submit(imap);
            imap->is_short = kin__job_is_shortage(r);
            if (r < 0 && r != -EAGAIN && !imap->is_short) {
                refuse_input(imap, r);
                r = 0;
            }
        } else {
            kin__job_end_feeding(&imap->job);
            r = 1;
        }
        mtx_unlock(&pool->lock);
    }
    return kin__job_is_shortage(r) && imap->submitted == imap->handed_out ? r : 0;
}

/* --- handing out --- */

static void put_back_current(kin_pool_imap *imap)
{
    if (imap->current != NULL) {
        kin__result_clear(&imap->current->result);
        kin__list_append(&imap->idle, &imap->current->node);
        imap->current = NULL;
    }
}

/* 1 and a result, or 0: none is there. */
static int take_ready(kin_pool_imap *imap, const kin_result **ret_result)
{
    mtx_lock(&imap->job.pool->lock);
    if (kin__list_is_empty(&imap->ready)) {
        kin__job_collect(&imap->job, false);
    }
    imap->current = first_of(&imap->ready);
    mtx_unlock(&imap->job.pool->lock);
    if (imap->current == NULL) {
        return 0;
    }
    imap->handed_out++;
    *ret_result = &imap->current->result;
    return 1;
}

int kin_pool_imap_next(kin_pool_imap *imap, kin_timeout timeout, const kin_result **ret_result)
{
    int r = imap == NULL || ret_result == NULL ? -EINVAL : kin__timeout_check(timeout);
    if (r == 0) {
        r = imap->job.pool == NULL ? KIN_EBROKEN : kin__pool_check(imap->job.pool);
    }
    if (r < 0) {
        return r;
    }
    mtx_lock(&imap->job.pool->lock);
    put_back_current(imap);
    mtx_unlock(&imap->job.pool->lock);
    while (r == 0) {
        r = feed(imap);
        if (r == 0) {
            r = take_ready(imap, ret_result);
        }
        if (r == 0 && imap->has_ended && imap->submitted == imap->handed_out) {
            return imap->source_code;
        }
        if (r == 0) {
            r = kin__job_wait(&imap->job, timeout);
        }
    }
    return r;
}

static void free_items(kin_pool_imap *imap)
{
    while (imap->items != NULL) {
        struct item *item = imap->items;
        imap->items = item->next;
        kin__result_clear(&item->result);
        kin__buffer_deinit(&item->bytes);
        kin__release(item);
    }
}

kin_pool_imap *kin_pool_imap_free(kin_pool_imap *imap)
{
    if (imap == NULL) {
        return NULL;
    }
    kin_pool *pool = imap->job.pool;
    if (pool != NULL && kin__pool_check(pool) == 0) {
        mtx_lock(&pool->lock);
        kin__job_end(&imap->job);
        mtx_unlock(&pool->lock);
    }
    free_items(imap);
    kin__release(imap);
    return NULL;
}
