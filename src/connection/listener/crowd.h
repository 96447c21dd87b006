/**
 * All who have connected to a listener and not proved themselves yet, and whom it has let in.
 *
 * Nothing is held up by one who says nothing:
 * - Who takes longer than the handshake may take is turned away.
 * - When all places are taken, who has been there longest without having proved anything has to
 *   go, after a time in which an honest one would have answered (KIN__CROWD_GRACE_NS). Until then
 *   those who come wait in the kernel's line. So `n` places pass n / grace silent ones a second,
 *   and an honest one behind them gets his turn.
 * - When the process has no fd left, a spare one is closed, the next in line taken with it and
 *   turned away; leaving him there would make poll report him for ever.
 */
#ifndef KIN_CONNECTION_LISTENER_CROWD_H
#define KIN_CONNECTION_LISTENER_CROWD_H

#include "base/list.h"
#include "connection/listener/opening.h"
#include "os/poll.h"

#include <kin/listener.h>

#define KIN__CROWD_GRACE_NS 200000000
#define KIN__CROWD_PAUSE_NS 50000000 /* after the system refused even the spare one */

struct kin__crowd {
    struct kin__list openings; /* those who came first are first */
    uint32_t count;
    uint32_t count_max;
    uint32_t connection_count_max;
    uint32_t connection_count; /* handles in `connections`, of which some may be gone */
    uint32_t connection_capacity;
    kin_handle *connections; /* whom it has let in */
    int spare_fd;            /* -1: there was none to be had */
    int64_t paused_until_ns;
    struct kin__os_poll *polls; /* the listening fd, one for each opening, one for a token */
};

/* Makes an empty one. 0, -ENOMEM, or -EMFILE: of the spare fd. */
int kin__crowd_init(struct kin__crowd *crowd, uint32_t count_max, uint32_t connection_count_max);

/* Turns away all who are half open. */
void kin__crowd_deinit(struct kin__crowd *crowd);

/* One round: waits for something to happen, until the timeout, and lets all take a step. 1: there
 * is a connection; 0: nothing final; or the codes of kin__poll. */
int kin__crowd_turn(kin_listener *listener, kin_timeout timeout, kin_connection **ret_connection);

#endif
