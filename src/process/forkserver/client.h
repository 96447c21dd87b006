/**
 * A process's own forkserver, as it sees it.
 */
#ifndef KIN_PROCESS_FORKSERVER_CLIENT_H
#define KIN_PROCESS_FORKSERVER_CLIENT_H

#include <kin/family.h>
#include <kin/process.h>
#include <stdint.h>

/* A child to be started: its slot, its record, the fds that it gets. */
struct kin__forkserver_order {
    uint32_t owner;
    kin_handle record;
    const int *fds;
    uint32_t fd_count;
};

/* One that was started. */
struct kin__forkserver_child {
    uint32_t pid;
    int fd;          /* of the process; the caller's */
    uint32_t server; /* the member that waits for it; also where it died before it answered */
};

/* Has the server start a child; there is a server then. 0; -EPIPE: the server died, and only the
 * slot tells whether there is a child; any other code: there is none, or it was killed before
 * anybody heard of it. */
int kin__forkserver_start(const struct kin__forkserver_order *order,
                          struct kin__forkserver_child *ret_child);

/* Waits for servers that have ended; not where a thread is at that, or starts one. */
void kin__forkserver_sweep(void);

/* Kills a server of this process that does not do what it always does at once; its children go on,
 * and the next start gets another one. */
void kin__forkserver_kill(uint32_t owner);

#endif
