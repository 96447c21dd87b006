/**
 * Waiting until at least one of several fds is ready.
 */
#ifndef KIN_OS_POLL_H
#define KIN_OS_POLL_H

#include <stdint.h>

/* What an fd can be ready for; END: the other side has left, or the fd is broken. */
#define KIN__OS_POLL_READ 0x1
#define KIN__OS_POLL_WRITE 0x4
#define KIN__OS_POLL_END 0x18
#define KIN__OS_POLL_BAD 0x20

/* As the kernel wants it. */
struct kin__os_poll {
    int fd;         /* < 0: not looked at */
    int16_t wanted; /* READ, WRITE, or both */
    int16_t found;  /* of what was wanted; END and BAD (no such fd), wanted or not */
};

/* Waits until one is ready, or the monotonic clock reaches `deadline_ns` (INT64_MAX: never; what is
 * past: looks once); signals do not end it. How many have `found` something; 0: the deadline. Or
 * -EINVAL: more fds than the process may open; -ENOMEM. */
int kin__os_poll(struct kin__os_poll *polls, uint32_t count, int64_t deadline_ns);

#endif
