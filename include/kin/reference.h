/**
 * Things of one process that several parts of a program use, and that go with the last of them.
 *
 *     kin_reference_create(image, free_image, &reference);      one use of it
 *     kin_reference_ref(reference), kin_reference_free(...)     one more, one less
 *     kin_weak_create(reference, NULL, &weak)                   to know of it without keeping it
 *     kin_weak_get(weak)                                        a use of it, or NULL: it is gone
 *
 * A thing is any pointer. It needs no family and no room of its own for a count. In a forked child
 * things, references and weak references are copies: what goes in one process stays in the other.
 * For what processes share, see kin_handle; for values, kin_object, which counts by itself.
 */
#ifndef KIN_REFERENCE_H
#define KIN_REFERENCE_H

#include <kin/export.h>
#include <stddef.h>

KIN_BEGIN

/**
 * A thing with a count of those who use it. Any thread that has been given one can read it, and
 * gives it back with kin_reference_free; counting takes no lock.
 */
typedef struct kin_reference kin_reference;

/** Knows a thing as long as there is one. Belongs to one thread at a time, but for kin_weak_get. */
typedef struct kin_weak kin_weak;

/** What is called with a thing, or with the user pointer of a weak reference. */
typedef void kin_reference_callback(void *user);

/**
 * Makes the first reference to `object`. `free_object`, unless it is NULL, is called with it when
 * the last one is given back, by the thread that gives it back.
 *
 * `free_object` may use any part of kin, and give back references to other things. What goes by
 * that goes when `free_object` has returned, before the outermost kin_reference_free returns: so a
 * chain of a million things needs no more stack than one. It has to return.
 *
 * Returns 0, or -ENOMEM, and then the object is the caller's still.
 */
KIN_API int kin_reference_create(void *object, kin_reference_callback *free_object,
                                 kin_reference **ret_reference);

/** One reference more: returns `reference`, which has to be given back once more. NULL: NULL. */
KIN_API kin_reference *kin_reference_ref(kin_reference *reference);

/** Gives a reference back; NULL is fine. Returns NULL. */
KIN_API kin_reference *kin_reference_free(kin_reference *reference);

/** The thing; valid as long as the caller has its reference. NULL: NULL. */
KIN_API void *kin_reference_object(const kin_reference *reference);

/** What a weak reference can do. */
typedef struct kin_weak_options {
    size_t size; /* of this struct */

    /* Called with `user` once the last reference has been given back and before the thing is
     * freed, the newest weak reference first; not if the weak one is freed before. By then
     * kin_weak_get gives NULL, so the thing can neither be reached nor come back. It may use any
     * part of kin, free its own weak reference, and give back others: see kin_reference_create. */
    kin_reference_callback *callback;
    void *user;

    /* Called with `user`, once: when the callback has returned, or by kin_weak_free if it is not
     * going to be called. What the callback needs can so be freed, whichever comes first. */
    kin_reference_callback *free_user;
} kin_weak_options;

/**
 * Makes a weak reference to the thing of `reference`; the caller has that meanwhile. Free it with
 * kin_weak_free, which may be long after the thing.
 *
 * Returns 0, or -ENOMEM, and then nothing of the options is called.
 */
KIN_API int kin_weak_create(kin_reference *reference, const kin_weak_options *options,
                            kin_weak **ret_weak);

/**
 * A reference to the thing, or NULL: it has gone, or is going. The thing stays until it is given
 * back with kin_reference_free, whatever others do. Any number of threads at a time may ask.
 */
KIN_API kin_reference *kin_weak_get(const kin_weak *weak);

/**
 * Frees the weak reference; NULL is fine. Returns NULL. Its callback will not be called, unless it
 * has been or another thread is in it, which this does not wait for: `user` is safe with
 * `free_user`.
 */
KIN_API kin_weak *kin_weak_free(kin_weak *weak);

KIN_END

#endif
