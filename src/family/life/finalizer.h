/**
 * The finalizers of this process, at its end and around fork.
 */
#ifndef KIN_FAMILY_FINALIZER_H
#define KIN_FAMILY_FINALIZER_H

#include "family/runtime.h"

/* There is a family now, so an end at which they will run. */
void kin__finalizers_open(void);

/* Runs those that are there, from a priority on. */
void kin__finalizers_run(int32_t least);

/* Runs those that are left; there will be no more. */
void kin__finalizers_close(void);

/* In a forked child: they are the parent's. */
void kin__finalizers_forget(void);

#endif
