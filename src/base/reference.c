/*
 * References to things, and weak ones.
 *
 * A kin_reference has two counts. `strong` says how many may use the thing: the one who lowers it
 * to 0 ends the thing, and from 0 it never rises again, for kin_weak_get raises it only from
 * where it is more. `holders` says who may still look at the kin_reference itself: each weak one,
 * and all strong ones together. So get against the last free is one compare-and-swap against one
 * subtraction of the same word.
 *
 * A weak reference with a callback stands in its thing's list, which kin__weak_lock guards. Whoever
 * takes it out of there under the lock, the end of the thing or kin_weak_free, has the right to
 * `user`, so exactly one of them does what has to be done, and calls it without the lock. The rest
 * takes no lock; nor does the end of a thing that never had such a weak reference. One lock for
 * all, since fork has to take it.
 */
#include "base/allocate.h"
#include "base/list.h"
#include "base/runtime.h"

#include <kin/reference.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>

struct kin_reference {
    void *object;
    kin_reference_callback *free_object; /* NULL: nothing to be done */
    _Atomic size_t strong;
    _Atomic size_t holders;
    _Atomic bool has_had_callbacks; /* set under the lock, by who has a strong reference */
    struct kin__list callbacks;     /* of kin_weak, newest first; under the lock */
    struct kin_reference *next;     /* in kin__endings */
};

struct kin_weak {
    struct kin_reference *reference;
    kin_weak_options options;
    struct kin__list_node node; /* linked: the callback waits; under the lock */
    _Atomic uint32_t uses;      /* by its owner, and by the list or who took it from there */
};

/* --- ends --- */

static void let_go(struct kin_reference *reference)
{
    if (atomic_fetch_sub_explicit(&reference->holders, 1, memory_order_acq_rel) == 1) {
        kin__release(reference);
    }
}

static void let_weak_go(struct kin_weak *weak)
{
    if (atomic_fetch_sub_explicit(&weak->uses, 1, memory_order_acq_rel) == 1) {
        let_go(weak->reference);
        kin__release(weak);
    }
}

/* Takes the newest callback from the list; NULL: none waits. */
static struct kin_weak *take_callback(struct kin_reference *reference)
{
    mtx_lock(&kin__weak_lock);
    struct kin__list_node *node = kin__list_first(&reference->callbacks);
    if (node != NULL) {
        kin__list_remove(node);
    }
    mtx_unlock(&kin__weak_lock);
    return node == NULL ? NULL : KIN_CONTAINER_OF(node, struct kin_weak, node);
}

/* For who has taken it from the list. */
static void free_user(struct kin_weak *weak)
{
    if (weak->options.free_user != NULL) {
        weak->options.free_user(weak->options.user);
    }
    let_weak_go(weak);
}

static void end(struct kin_reference *reference)
{
    struct kin_weak *weak = NULL;
    bool has_callbacks = atomic_load_explicit(&reference->has_had_callbacks, memory_order_relaxed);
    while (has_callbacks && (weak = take_callback(reference)) != NULL) {
        weak->options.callback(weak->options.user);
        free_user(weak);
    }
    if (reference->free_object != NULL) {
        reference->free_object(reference->object);
    }
    let_go(reference);
}

/* Ends the thing, and those that go with it: one behind the other. */
static void end_later_or_now(struct kin_reference *reference)
{
    struct kin__endings *endings = &kin__endings_current;
    reference->next = NULL;
    if (endings->first == NULL) {
        endings->first = reference;
    } else {
        endings->last->next = reference;
    }
    endings->last = reference;
    if (endings->is_at_it) {
        return;
    }
    endings->is_at_it = true;
    while ((reference = endings->first) != NULL) {
        endings->first = reference->next;
        end(reference);
    }
    endings->is_at_it = false;
}

/* --- strong references --- */

int kin_reference_create(void *object, kin_reference_callback *free_object,
                         kin_reference **ret_reference)
{
    if (object == NULL || ret_reference == NULL) {
        return -EINVAL;
    }
    struct kin_reference *reference = kin__allocate_zeroed(sizeof *reference);
    if (reference == NULL) {
        return -ENOMEM;
    }
    reference->object = object;
    reference->free_object = free_object;
    kin__list_init(&reference->callbacks);
    atomic_init(&reference->strong, 1);
    atomic_init(&reference->holders, 1);
    *ret_reference = reference;
    return 0;
}

kin_reference *kin_reference_ref(kin_reference *reference)
{
    if (reference != NULL) {
        size_t before = atomic_fetch_add_explicit(&reference->strong, 1, memory_order_relaxed);
        KIN_ASSERT(before > 0);
        (void)before;
    }
    return reference;
}

kin_reference *kin_reference_free(kin_reference *reference)
{
    if (reference != NULL) { /* all that was done by those who go before the last is seen by it */
        size_t before = atomic_fetch_sub_explicit(&reference->strong, 1, memory_order_acq_rel);
        KIN_ASSERT(before > 0);
        if (before == 1) {
            end_later_or_now(reference);
        }
    }
    return NULL;
}

void *kin_reference_object(const kin_reference *reference)
{
    return reference == NULL ? NULL : reference->object;
}

/* --- weak references --- */

static void list_callback(struct kin_weak *weak)
{
    struct kin_reference *reference = weak->reference;
    mtx_lock(&kin__weak_lock);
    atomic_store_explicit(&reference->has_had_callbacks, true, memory_order_relaxed);
    kin__list_insert_after(&reference->callbacks.head, &weak->node);
    mtx_unlock(&kin__weak_lock);
}

int kin_weak_create(kin_reference *reference, const kin_weak_options *options, kin_weak **ret_weak)
{
    static const kin_weak_options defaults = {.size = sizeof defaults};
    options = options == NULL ? &defaults : options;
    if (reference == NULL || ret_weak == NULL || options->size != sizeof *options) {
        return -EINVAL;
    }
    if (options->callback == NULL && options->free_user != NULL) {
        return -EINVAL; /* there would be nobody who uses it */
    }
    struct kin_weak *weak = kin__allocate_zeroed(sizeof *weak);
    if (weak == NULL) {
        return -ENOMEM;
    }
    weak->reference = reference;
    weak->options = *options;
    atomic_fetch_add_explicit(&reference->holders, 1, memory_order_relaxed);
    atomic_init(&weak->uses, options->callback == NULL ? 1 : 2);
    if (options->callback != NULL) {
        list_callback(weak);
    }
    *ret_weak = weak;
    return 0;
}

kin_reference *kin_weak_get(const kin_weak *weak)
{
    struct kin_reference *reference = weak == NULL ? NULL : weak->reference;
    size_t strong = reference == NULL
                        ? 0
                        : atomic_load_explicit(&reference->strong, memory_order_relaxed);
    while (strong > 0) {
        /* Acquire: what was done before by who gave back a reference meanwhile. */
        if (atomic_compare_exchange_weak_explicit(&reference->strong, &strong, strong + 1,
                                                  memory_order_acquire, memory_order_relaxed)) {
            return reference;
        }
    }
    return NULL;
}

kin_weak *kin_weak_free(kin_weak *weak)
{
    if (weak == NULL) {
        return NULL;
    }
    if (weak->options.callback != NULL) {
        mtx_lock(&kin__weak_lock);
        bool is_taken = kin__list_node_is_linked(&weak->node);
        if (is_taken) {
            kin__list_remove(&weak->node);
        }
        mtx_unlock(&kin__weak_lock);
        if (is_taken) {
            free_user(weak);
        }
    }
    let_weak_go(weak);
    return NULL;
}

__attribute__((constructor)) static void prepare(void)
{
    mtx_init(&kin__weak_lock, mtx_plain);
}
