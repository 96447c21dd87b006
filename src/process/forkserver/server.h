/**
 * The server: a process of the family that forks children in the place of who it serves.
 */
#ifndef KIN_PROCESS_FORKSERVER_SERVER_H
#define KIN_PROCESS_FORKSERVER_SERVER_H

#include "os/process.h"
#include "os/socket.h"
#include "process/forkserver/charge.h"

/* Private memory of the server; a child has a copy of it for a moment. */
struct kin__server {
    int socket;                    /* to who it serves; -1: that one gives no more orders */
    int signal_fd;                 /* readable: children have ended */
    int parent_fd;                 /* of who it serves, readable: that one has ended */
    int spare_fd;                  /* good for nothing but to be closed when fds run out */
    struct kin__os_signals before; /* the signals that were blocked: a child blocks no others */
    struct kin__charges charges;
};

/* Begins to serve the process that has started this one, over a socket. 0; -ESRCH: that one is
 * dead; -EMFILE, -ENFILE, -ENOMEM. */
int kin__server_open(struct kin__server *server, int socket);

/* Serves: until who it serves is dead, or gives no more orders and all children have ended. Returns
 * false then; and true in each child, which has taken its slot and has nothing of the server's open
 * any more: `ret_fds` are what it was passed. */
bool kin__server_run(struct kin__server *server, struct kin__os_fds *ret_fds);

/* Closes what is open; the socket too. */
void kin__server_close(struct kin__server *server);

#endif
