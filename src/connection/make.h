/* Making ends, for pipes and for connections alone. */
#ifndef KIN_CONNECTION_MAKE_H
#define KIN_CONNECTION_MAKE_H

#include "connection/connection.h"
#include "connection/layout.h"

/* Makes the object, with room for one or two ends, which are all zero. 0, or -ENOMEM, KIN_EFAMILY.
 * */
int kin__connection_allocate(uint32_t end_count, kin_scope scope, kin_connection **ret_connection);

void kin__end_init(struct end *end, const struct kin__connection_plan *plan,
                   const struct kin__os_fd_about *about);

#endif
