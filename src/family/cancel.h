/* The cancel token, as kin__sleep sees it. */
#ifndef KIN_FAMILY_CANCEL_H
#define KIN_FAMILY_CANCEL_H

#include <kin/cancel.h>
#include <stdatomic.h>
#include <stdint.h>

#define KIN__TYPE_CANCEL 1u

/* The event count that changes when the token fires. NULL: the token is gone. */
_Atomic uint32_t *kin__cancel_count(kin_cancel *cancel);

#endif
