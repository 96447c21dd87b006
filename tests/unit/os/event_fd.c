#include "os/event_fd.h"
#include "harness/test.h"
#include "os/memory.h"

#include <fcntl.h>
#include <poll.h>

static bool is_readable(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return poll(&poll_fd, 1, 0) == 1;
}

TEST(an_event_fd_is_readable_from_ring_to_clear)
{
    int fd = -1;
    REQUIRE(kin__os_event_fd_create(&fd) == 0);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(!is_readable(fd));
    kin__os_event_fd_clear(fd); /* does not block */
    kin__os_event_fd_ring(fd);
    kin__os_event_fd_ring(fd);
    CHECK(is_readable(fd));
    kin__os_event_fd_clear(fd);
    CHECK(!is_readable(fd));
    kin__os_close(fd);
}
