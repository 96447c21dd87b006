/* The cancel token, as those that wait see it. */
#ifndef KIN_FAMILY_CANCEL_H
#define KIN_FAMILY_CANCEL_H

#include <kin/cancel.h>
#include <stdatomic.h>
#include <stdint.h>

#define KIN__TYPE_CANCEL 1u

/* The event count that changes when the token fires. NULL: the token is gone. */
_Atomic uint32_t *kin__cancel_count(kin_cancel *cancel);

/* An fd of this process that is readable from when the token has fired: for waits in the kernel, on
 * other fds. Made at the first call; the token's. 0, or -ESTALE: the token is gone; -EMFILE,
 * -ENFILE, -ENOMEM. */
int kin__cancel_fd(kin_cancel *cancel, int *ret_fd);

#endif
