/* The plain transports: pipes and sockets, with nothing between the bytes and the fd. */
#include "connection/transport.h"

#include "base/allocate.h"
#include "connection/poll.h"
#include "os/memory.h"

#include <errno.h>

static int wait_to_receive(struct kin__transport *transport, kin_timeout timeout)
{
    int r = kin__poll_one(transport->fd, KIN__OS_POLL_READ, timeout);
    return r < 0 ? r : 0;
}

static int wait_to_send(struct kin__transport *transport, kin_timeout timeout)
{
    int r = kin__poll_one(transport->fd, KIN__OS_POLL_WRITE, timeout);
    return r < 0 ? r : 0;
}

static void free_transport(struct kin__transport *transport)
{
    kin__os_close(transport->fd);
    kin__release(transport);
}

static int64_t pipe_receive(struct kin__transport *transport, const struct kin__os_intake *intake)
{
    return kin__os_pipe_read(transport->fd, intake);
}

static int64_t pipe_send(struct kin__transport *transport, const struct kin__os_output *output)
{
    return kin__os_pipe_write(transport->fd, output);
}

static int64_t socket_receive(struct kin__transport *transport, const struct kin__os_intake *intake)
{
    return kin__os_socket_receive(transport->fd, intake);
}

static int64_t socket_send(struct kin__transport *transport, const struct kin__os_output *output)
{
    return kin__os_socket_send(transport->fd, output);
}

static void socket_shut(struct kin__transport *transport)
{
    kin__os_socket_shut(transport->fd);
}

static const struct kin__transport_operations operations[] = {
    [KIN__OS_FD_PIPE] = {.receive = pipe_receive,
                         .send = pipe_send,
                         .wait_to_receive = wait_to_receive,
                         .wait_to_send = wait_to_send,
                         .free = free_transport},
    [KIN__OS_FD_SOCKET] = {.gives_receipts = true,
                           .receive = socket_receive,
                           .send = socket_send,
                           .wait_to_receive = wait_to_receive,
                           .wait_to_send = wait_to_send,
                           .shut = socket_shut,
                           .free = free_transport},
    [KIN__OS_FD_UNIX_SOCKET] = {.gives_receipts = true,
                                .receive = socket_receive,
                                .send = socket_send,
                                .wait_to_receive = wait_to_receive,
                                .wait_to_send = wait_to_send,
                                .shut = socket_shut,
                                .free = free_transport},
};

int kin__transport_create(int fd, enum kin__os_fd_kind kind, struct kin__transport **ret_transport)
{
    struct kin__transport *transport = kin__allocate(sizeof *transport);
    if (transport == NULL) {
        return -ENOMEM;
    }
    *transport = (struct kin__transport){.operations = &operations[kind], .fd = fd};
    *ret_transport = transport;
    return 0;
}

void kin__transport_forget(struct kin__transport *transport)
{
    kin__release(transport);
}
