/*
 * Finalizers: a list of what has still to be done, under one lock, which is never held while a
 * callback runs. Whoever takes one out of its list has the right to run it, or has cancelled it; so
 * all ways to run it, and cancelling, can race.
 *
 *     active   newest first
 *     due      what a pass at the end of the process is going to run, in that order. It stands
 *              here and not on the stack of who runs it: a finalizer may fork, and in the child
 *              nothing of it is due.
 */
#include "family/life/finalizer.h"

#include "base/allocate.h"
#include "family/family.h"
#include "os/symbol.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/finalizer.h>

#define PLACE_BYTES 256u

struct kin_finalizer {
    struct kin__list_node node; /* linked: it is active; under the lock */
    kin_finalizer_callback *callback;
    void *user;
    int32_t priority;
    bool is_skipped_at_exit;
    kin_weak *weak; /* to the thing it goes with; of who takes it from the list; NULL: none */
    _Atomic uint32_t uses; /* by its owner, by the list or who took it from there, by `weak` */
};

static void lock(void)
{
    mtx_lock(&kin__finalizers.lock);
}

static void unlock(void)
{
    mtx_unlock(&kin__finalizers.lock);
}

static kin_finalizer *finalizer_of(struct kin__list_node *node)
{
    return KIN_CONTAINER_OF(node, kin_finalizer, node);
}

static void let_go(void *user)
{
    kin_finalizer *finalizer = user;
    if (atomic_fetch_sub_explicit(&finalizer->uses, 1, memory_order_acq_rel) == 1) {
        kin__release(finalizer);
    }
}

/* True: it was active, and is the caller's, who runs it or not, and ends with `drop`. */
static bool take(kin_finalizer *finalizer)
{
    lock();
    bool is_active = kin__list_node_is_linked(&finalizer->node);
    if (is_active) {
        kin__list_remove(&finalizer->node);
    }
    unlock();
    return is_active;
}

static kin_finalizer *take_first(struct kin__list *list)
{
    lock();
    struct kin__list_node *node = kin__list_first(list);
    if (node != NULL) {
        kin__list_remove(node);
    }
    unlock();
    return node == NULL ? NULL : finalizer_of(node);
}

static void drop(kin_finalizer *finalizer)
{
    finalizer->weak = kin_weak_free(finalizer->weak);
    let_go(finalizer);
}

static void run(kin_finalizer *finalizer)
{
    if (kin__log_is_on(KIN_LOG_SUBDEBUG)) {
        char place[PLACE_BYTES];
        kin__os_symbol_format((uint64_t)(uintptr_t)finalizer->callback, place, sizeof place);
        kin_log_write(KIN_LOG_SUBDEBUG, "finalizer calling %s", place);
    }
    finalizer->callback(finalizer->user);
    drop(finalizer);
}

/* --- one of them --- */

/* Its thing is going. */
static void run_for_thing(void *user)
{
    kin_finalizer *finalizer = user;
    if (take(finalizer)) {
        run(finalizer);
    }
}

static int watch_thing(kin_finalizer *finalizer, kin_reference *reference)
{
    kin_weak_options options = {
        .size = sizeof options, .callback = run_for_thing, .user = finalizer, .free_user = let_go};
    int r = reference == NULL ? 0 : kin_weak_create(reference, &options, &finalizer->weak);
    if (r == 0 && reference != NULL) {
        atomic_fetch_add_explicit(&finalizer->uses, 1, memory_order_relaxed);
    }
    return r;
}

/* Its thing cannot go before: the caller has it. */
static int list(kin_finalizer *finalizer)
{
    lock();
    int r = kin__finalizers.is_closed ? -EPIPE : 0;
    if (r == 0) {
        kin__list_insert_after(&kin__finalizers.active.head, &finalizer->node);
    }
    unlock();
    return r;
}

int kin_finalizer_create(kin_finalizer_callback *callback, void *user,
                         const kin_finalizer_options *options, kin_finalizer **ret_finalizer)
{
    static const kin_finalizer_options defaults = {.size = sizeof defaults};
    options = options == NULL ? &defaults : options;
    if (callback == NULL || options->size != sizeof *options ||
        (options->is_skipped_at_exit && options->reference == NULL)) {
        return -EINVAL;
    }
    int r = kin__family_enter(); /* its end is when they run */
    if (r < 0) {
        return r;
    }
    kin_finalizer *finalizer = kin__allocate_zeroed(sizeof *finalizer);
    if (finalizer == NULL) {
        return -ENOMEM;
    }
    finalizer->callback = callback;
    finalizer->user = user;
    finalizer->priority = options->priority;
    finalizer->is_skipped_at_exit = options->is_skipped_at_exit;
    atomic_init(&finalizer->uses, ret_finalizer == NULL ? 1 : 2);
    r = watch_thing(finalizer, options->reference);
    if (r == 0) {
        r = list(finalizer);
    }
    if (r < 0) {
        kin_finalizer_free(ret_finalizer == NULL ? NULL : finalizer);
        drop(finalizer);
    } else if (ret_finalizer != NULL) {
        *ret_finalizer = finalizer;
    }
    return r;
}

int kin_finalizer_run(kin_finalizer *finalizer)
{
    if (finalizer == NULL) {
        return -EINVAL;
    }
    if (!take(finalizer)) {
        KIN__LOG(KIN_LOG_SUBDEBUG, "finalizer no longer registered");
        return -EALREADY;
    }
    run(finalizer);
    return 0;
}

int kin_finalizer_cancel(kin_finalizer *finalizer)
{
    if (finalizer == NULL) {
        return -EINVAL;
    }
    if (!take(finalizer)) {
        return -EALREADY;
    }
    drop(finalizer);
    return 0;
}

bool kin_finalizer_is_active(const kin_finalizer *finalizer)
{
    if (finalizer == NULL) {
        return false;
    }
    lock();
    bool is_active = kin__list_node_is_linked(&finalizer->node);
    unlock();
    return is_active;
}

kin_finalizer *kin_finalizer_free(kin_finalizer *finalizer)
{
    if (finalizer != NULL) {
        let_go(finalizer);
    }
    return NULL;
}

/* --- all of them --- */

/* Merges two sorted chains; among equals, those of the first come first. */
static struct kin__list_node *merge(struct kin__list_node *first, struct kin__list_node *second)
{
    struct kin__list_node head = {0};
    struct kin__list_node *last = &head;
    while (first != NULL && second != NULL) {
        bool is_first = finalizer_of(first)->priority >= finalizer_of(second)->priority;
        struct kin__list_node **taken = is_first ? &first : &second;
        last = last->next = *taken;
        *taken = last->next;
    }
    last->next = first != NULL ? first : second;
    return head.next;
}

/* Takes `count` > 0 from a chain, and returns them sorted by priority. */
static struct kin__list_node *sort(struct kin__list_node **chain, size_t count)
{
    struct kin__list_node *node = *chain;
    if (count == 1) {
        *chain = node->next;
        node->next = NULL;
        return node;
    }
    node = sort(chain, count / 2);
    return merge(node, sort(chain, count - count / 2));
}

/* Under the lock. */
static void find_due(int32_t least)
{
    struct kin__list_node *chain = NULL;
    struct kin__list_node **end = &chain;
    size_t count = 0;
    KIN_LIST_EACH (&kin__finalizers.active, node) {
        const kin_finalizer *finalizer = finalizer_of(node);
        if (finalizer->priority >= least && !finalizer->is_skipped_at_exit) {
            kin__list_remove(node);
            *end = node;
            end = &node->next;
            count++;
        }
    }
    chain = count == 0 ? NULL : sort(&chain, count);
    while (chain != NULL) {
        struct kin__list_node *next = chain->next;
        chain->next = NULL;
        kin__list_append(&kin__finalizers.due, chain);
        chain = next;
    }
}

static void run_due(void)
{
    kin_finalizer *finalizer = NULL;
    while ((finalizer = take_first(&kin__finalizers.due)) != NULL) {
        run(finalizer);
    }
}

void kin__finalizers_run(int32_t least)
{
    lock();
    find_due(least);
    unlock();
    run_due();
}

static void drop_all(struct kin__list *list)
{
    kin_finalizer *finalizer = NULL;
    while ((finalizer = take_first(list)) != NULL) {
        drop(finalizer);
    }
}

void kin__finalizers_close(void)
{
    lock();
    kin__finalizers.is_closed = true;
    find_due(INT32_MIN);
    unlock();
    run_due();
    drop_all(&kin__finalizers.active); /* those that are skipped */
}

void kin__finalizers_open(void)
{
    lock();
    kin__finalizers.is_closed = false;
    unlock();
}

void kin__finalizers_forget(void)
{
    drop_all(&kin__finalizers.active);
    drop_all(&kin__finalizers.due);
    kin__finalizers.is_closed = false;
}

__attribute__((constructor)) static void prepare(void)
{
    mtx_init(&kin__finalizers.lock, mtx_plain);
    kin__list_init(&kin__finalizers.active);
    kin__list_init(&kin__finalizers.due);
}
