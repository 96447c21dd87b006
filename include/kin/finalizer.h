/**
 * What has to be done before a process ends: removing a folder, ending what others wait for.
 *
 *     kin_finalizer_create(remove_folder, folder, NULL, &finalizer);
 *
 * A finalizer runs once: at the end of the process, or when it is called, or when the thing that
 * it was made for goes, whichever comes first. It is the process's that made it, and is no more in
 * a child that is forked from that.
 *
 * At kin_fini, and so at exit and when the function of a child process has returned, those of
 * priority 0 and above run, the highest first, among equals the newest first; then kin ends or
 * joins the children of this process; then the others run in the same order. What finalizers make
 * meanwhile runs with the others. At exit that is so although other threads run on: it is for the
 * callbacks to know whether they get along with those. A process that is killed, or ends by
 * _exit, runs none.
 */
#ifndef KIN_FINALIZER_H
#define KIN_FINALIZER_H

#include <kin/export.h>
#include <kin/family.h>
#include <kin/reference.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

KIN_BEGIN

/** Something that is to be done once. */
typedef struct kin_finalizer kin_finalizer;

/**
 * Does it. It may use all of kin but kin_fini, and make, run and cancel finalizers. In those of
 * negative priority, pools are terminated, and processes that are started are waited for by nobody.
 */
typedef void kin_finalizer_callback(void *user);

/** What kin_finalizer_create can be told. */
typedef struct kin_finalizer_options {
    size_t size; /* of this struct */

    /* Which come first at the end of the process: see above. */
    int32_t priority;

    /* It runs, too, when the last reference to this thing is given back: then before the thing is
     * freed, on the thread that gives it back (see kin_weak_options). The finalizer does not keep
     * the thing. NULL: there is none. */
    kin_reference *reference;

    /* It runs with its thing only: at the end of the process it is forgotten. */
    bool is_skipped_at_exit;
} kin_finalizer_options;

/**
 * Makes a finalizer that calls `callback` with `user`. With NULL for `ret_finalizer`, it can only
 * wait for its time.
 *
 * Returns 0, or
 *   -ENOMEM
 *   KIN_EFAMILY  kin_init was not called
 *   -EPIPE       those of negative priority run already, at the end of the process
 *   -EINVAL      is_skipped_at_exit without a reference
 */
KIN_API int kin_finalizer_create(kin_finalizer_callback *callback, void *user,
                                 const kin_finalizer_options *options,
                                 kin_finalizer **ret_finalizer);

/**
 * Runs it now. Returns 0 when it has run, or -EALREADY: it has run, runs in another thread,
 * was cancelled, or is that of the process that this one was forked from.
 */
KIN_API int kin_finalizer_run(kin_finalizer *finalizer);

/** It is not to run. Returns 0, or -EALREADY as kin_finalizer_run, so that `user` is not freed. */
KIN_API int kin_finalizer_cancel(kin_finalizer *finalizer);

/** Whether it has still to run, in this process. */
KIN_API bool kin_finalizer_is_active(const kin_finalizer *finalizer);

/** Lets go of the finalizer, which will run all the same; NULL is fine. Returns NULL. */
KIN_API kin_finalizer *kin_finalizer_free(kin_finalizer *finalizer);

KIN_END

#endif
