#include "process/forkserver/wire.h"

#include "base/assert.h"
#include "os/memory.h"

#include <errno.h>

#define MAGIC 0x6b696e66u

KIN_STATIC_ASSERT_SIZE(struct kin__wire_record, 64);
KIN_STATIC_ASSERT_OFFSET(struct kin__wire_record, record, 24);

int kin__wire_send(int fd, struct kin__wire_record *record, const struct kin__os_fds *fds)
{
    record->magic = MAGIC;
    record->fd_count = fds == NULL ? 0 : fds->count;
    kin_bytes bytes = {.data = record, .size = sizeof *record};
    struct kin__os_output output = {
        .pieces = &bytes, .count = 1, .may_wait = true, .fds = record->fd_count == 0 ? NULL : fds};
    int64_t sent = kin__os_socket_send(fd, &output);
    return sent == -ECONNRESET ? -EPIPE : sent < 0 ? (int)sent : 0;
}

static bool is_sound(const struct kin__wire_record *record)
{
    return record->magic == MAGIC && record->kind >= KIN__WIRE_READY &&
           record->kind <= KIN__WIRE_KILLED && record->fd_count <= KIN__OS_FDS_MAX;
}

int kin__wire_receive(int fd, struct kin__wire_record *ret_record, struct kin__os_fds *ret_fds)
{
    struct kin__os_room room = {.data = ret_record, .size = sizeof *ret_record};
    struct kin__os_intake intake = {.rooms = &room, .count = 1, .may_wait = true, .fds = ret_fds};
    ret_fds->count = 0;
    int64_t size = kin__os_socket_receive(fd, &intake);
    if (size == 0 || size == -ECONNRESET) {
        return -EPIPE;
    }
    if (size < 0) {
        return (int)size;
    }
    if (size != sizeof *ret_record || !is_sound(ret_record) ||
        ret_fds->count > ret_record->fd_count) {
        return -EBADMSG;
    }
    return ret_fds->count < ret_record->fd_count ? -EMFILE : 0;
}

void kin__wire_close(struct kin__os_fds *fds)
{
    for (uint32_t i = 0; i < fds->count; i++) {
        kin__os_close(fds->fds[i]);
    }
    fds->count = 0;
}
