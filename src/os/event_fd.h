/**
 * An fd that is readable from when it is rung until it is cleared, for programs that wait with
 * poll, epoll and the like.
 */
#ifndef KIN_OS_EVENT_FD_H
#define KIN_OS_EVENT_FD_H

/* Makes one that is not readable: close-on-exec, reading does not block. 0, or -EMFILE, -ENFILE,
 * -ENOMEM. It is closed with kin__os_close. */
int kin__os_event_fd_create(int *ret_fd);

/* Makes it readable, or not readable. What it is already, it stays. */
void kin__os_event_fd_ring(int fd);
void kin__os_event_fd_clear(int fd);

#endif
