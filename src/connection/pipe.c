/* kin_pipe: two ends in one object, and a handle on it for each. */
#include "connection/make.h"

#include "os/memory.h"

#include <errno.h>
#include <kin/pipe.h>

/* Makes `connection` an end of the new pipe; takes the fd, on success. */
static int equip(kin_connection *connection, uint32_t side, int fd, bool is_duplex)
{
    struct connection_shared *shared = connection->object.shared;
    struct end *end = &shared->ends[side];
    struct kin__os_fd_about about;
    int r = kin__os_fd_inspect(fd, &about);
    if (r == 0) {
        r = kin__transport_create(fd, about.kind, &connection->transport);
    }
    if (r == 0) {
        struct kin__connection_plan plan = {.kind = about.kind,
                                            .is_readable = is_duplex || side == 0,
                                            .is_writable = is_duplex || side == 1,
                                            .may_read_ahead = true};
        kin__end_init(end, &plan, &about);
        end->gives_receipts = connection->transport->operations->gives_receipts;
        connection->side = side;
    }
    return r;
}

static int make_ends(kin_connection *ends[2], int fds[2], bool is_duplex)
{
    int r = kin__connection_allocate(2, KIN_SCOPE_FAMILY, &ends[0]);
    if (r == 0) {
        r = kin__object_attach(KIN__TYPE_CONNECTION, sizeof *ends[1],
                               kin_connection_handle(ends[0]), &ends[1]);
    }
    for (uint32_t side = 0; r == 0 && side < 2; side++) {
        r = equip(ends[side], side, fds[side], is_duplex);
        if (r == 0) {
            fds[side] = -1; /* taken */
        }
    }
    return r;
}

int kin_pipe_create(bool is_duplex, kin_connection **ret_first, kin_connection **ret_second)
{
    kin_connection *ends[2] = {NULL, NULL};
    int fds[2] = {-1, -1};
    if (ret_first == NULL || ret_second == NULL) {
        return -EINVAL;
    }
    int r = is_duplex ? kin__os_socket_pair(fds) : kin__os_pipe(fds);
    if (r == 0) {
        r = make_ends(ends, fds, is_duplex);
    }
    if (r < 0) {
        for (uint32_t side = 0; side < 2; side++) {
            kin_connection_free(ends[side]);
            kin__os_close(fds[side]);
        }
        return r;
    }
    *ret_first = ends[0];
    *ret_second = ends[1];
    return 0;
}
