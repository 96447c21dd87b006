/**
 * What a forkserver and who it serves say to each other: over a pair of message sockets, in records
 * of fixed size, each whole or not at all. One order is on its way at a time; its answer has its
 * number.
 *
 *     the server                              READY, or why a preload failed: once, before all
 *     START owner, record + fds of the child  STARTED with its process id + its process fd
 *     KILL owner                              KILLED
 *
 * Bytes that are anything else end the connection: -EBADMSG.
 */
#ifndef KIN_PROCESS_FORKSERVER_WIRE_H
#define KIN_PROCESS_FORKSERVER_WIRE_H

#include "os/socket.h"

#include <kin/family.h>

enum kin__wire_kind {
    KIN__WIRE_READY = 1,
    KIN__WIRE_START,
    KIN__WIRE_STARTED,
    KIN__WIRE_KILL,
    KIN__WIRE_KILLED,
};

/* Both directions. Peer death: the socket ends, behind what was sent before. */
struct kin__wire_record {
    uint32_t magic; /* filled in by kin__wire_send */
    uint32_t kind;
    uint64_t number;   /* of the order; 0: READY */
    uint32_t owner;    /* START, KILL: the slot that the child is to take, or has taken */
    uint32_t fd_count; /* that go with it */
    kin_handle record; /* START: of the child */
    int32_t code;      /* of an answer: its process id for STARTED, 0; or why not */
    uint32_t reserved[5];
};

/* Sends a record with fds (NULL: none), waiting for room. 0; -EPIPE: the other side is gone; or
 * -EBADF, -ETOOMANYREFS, -ENOBUFS, -ENOMEM: nothing was sent. */
int kin__wire_send(int fd, struct kin__wire_record *record, const struct kin__os_fds *fds);

/* Receives one, waiting for it. `ret_fds` gets those that came, also with a code: the caller closes
 * them. 0; -EMFILE: there were not enough fds left for those that were sent; -EPIPE: the other side
 * is gone; -EBADMSG. */
int kin__wire_receive(int fd, struct kin__wire_record *ret_record, struct kin__os_fds *ret_fds);

/* Closes all of them. */
void kin__wire_close(struct kin__os_fds *fds);

#endif
