#define _GNU_SOURCE
#include "os/event_fd.h"
#include "os/fault.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int kin__os_event_fd_create(int *ret_fd)
{
    KIN__OS_FAULT(EMFILE);
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    *ret_fd = fd;
    return 0;
}

/* Neither can fail in a way that matters: the counter would have to overflow, or be 0. */
void kin__os_event_fd_ring(int fd)
{
    uint64_t one = 1;
    ssize_t written = write(fd, &one, sizeof one);
    (void)written;
}

void kin__os_event_fd_clear(int fd)
{
    uint64_t count = 0;
    ssize_t bytes = read(fd, &count, sizeof count);
    (void)bytes;
}
