/**
 * The request to stop: a token that any process or thread can fire, once, and that ends
 * every wait which was given it.
 */
#ifndef KIN_CANCEL_H
#define KIN_CANCEL_H

#include <kin/export.h>
#include <kin/family.h>
#include <stdbool.h>

KIN_BEGIN

/** A cancel token, shared by the family. */
typedef struct kin_cancel kin_cancel;

/** Makes a token that has not fired. Free it with kin_cancel_free. Returns 0 or -ENOMEM. */
KIN_API int kin_cancel_create(kin_cancel **ret_cancel);

/**
 * Opens the token that `handle` names, in this process. Free it with kin_cancel_free.
 *
 * Returns 0, or -ESTALE: the token is gone; -EINVAL: the handle names something else.
 */
KIN_API int kin_cancel_attach(kin_handle handle, kin_cancel **ret_cancel);

/** Lets go of the token; NULL is fine. The last process to let go frees it. Returns NULL. */
KIN_API kin_cancel *kin_cancel_free(kin_cancel *cancel);

/** The token's name for other processes. */
KIN_API kin_handle kin_cancel_handle(const kin_cancel *cancel);

/**
 * Fires the token: every wait that was given it returns -ECANCELED, now and from now on.
 * Firing again does nothing.
 *
 * Peer death: a process that dies in here has either fired the token or not; if it has,
 * nobody sleeps on.
 */
KIN_API int kin_cancel_request(kin_cancel *cancel);

/** Whether the token has fired. */
KIN_API bool kin_cancel_is_requested(const kin_cancel *cancel);

KIN_END

#endif
