/**
 * How this process stands in the log. What the layers above need is in family.h.
 */
#ifndef KIN_FAMILY_LOG_H
#define KIN_FAMILY_LOG_H

#include "family/runtime.h"

/* The process's name in messages: of a child before it has threads, of the first in kin_init. */
void kin__log_name(const char *name);

/* Taken around fork. */
static inline void kin__log_lock(void)
{
    mtx_lock(&kin__log.lock);
}

static inline void kin__log_unlock(void)
{
    mtx_unlock(&kin__log.lock);
}

#endif
