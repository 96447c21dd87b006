/**
 * Fds that came in this process before the message that they belong to was taken.
 *
 * The kernel hands fds over with the first bytes of their message, and ends the receive there. So
 * of all messages of which bytes came, the last one that begins there has them. They are parked in
 * the process, until the message is taken; from then on nothing is read ahead, so that the process
 * which takes the next one with fds is the one that gets them.
 */
#ifndef KIN_CONNECTION_PARKED_H
#define KIN_CONNECTION_PARKED_H

#include "connection/layout.h"

/* Parks fds that came with the last bytes that did. */
void kin__parked_keep(const struct calling *calling, const struct kin__os_fds *fds);

/* The message in [start, end) of the stream is taken: its fds go to `fds` (NULL: are closed). */
void kin__parked_take(kin_connection *connection, uint64_t start, uint64_t end,
                      struct kin__os_fds *fds);

void kin__parked_close(kin_connection *connection);

#endif
