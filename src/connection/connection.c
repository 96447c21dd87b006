/* kin_connection: made, opened, closed, asked what it is. */
#include "connection/connection.h"

#include "connection/layout.h"
#include "connection/make.h"
#include "connection/parked.h"
#include "os/memory.h"

#include <errno.h>
#include <string.h>

void kin__end_init(struct end *end, const struct kin__connection_plan *plan,
                   const struct kin__os_fd_about *about)
{
    kin__mutex_init(&end->sender.mutex, 0, "send");
    kin__mutex_init(&end->receiver.mutex, 0, "receive");
    end->device = about->device;
    end->inode = about->inode;
    end->message_bytes_max = plan->message_bytes_max;
    end->kind = plan->kind;
    end->is_readable = plan->is_readable;
    end->is_writable = plan->is_writable;
    atomic_store(&end->receiver.is_exact, !plan->may_read_ahead);
}

static uint64_t bytes_of(uint32_t end_count)
{
    uint64_t absent = (2 - end_count) * sizeof(struct end);
    return sizeof(struct connection_shared) - absent;
}

int kin__connection_allocate(uint32_t end_count, kin_scope scope, kin_connection **ret_connection)
{
    struct kin__object_plan plan = {.type = KIN__TYPE_CONNECTION,
                                    .scope = scope,
                                    .handle_count = end_count > 1 ? LUGGAGE_COUNT : 0,
                                    .size = sizeof **ret_connection,
                                    .bytes = bytes_of(end_count)};
    int r = kin__object_create(&plan, ret_connection);
    if (r == 0) {
        struct connection_shared *shared = (*ret_connection)->object.shared;
        shared->end_count = end_count;
    }
    return r;
}

int kin__connection_create(const struct kin__connection_plan *plan,
                           struct kin__transport *transport, kin_connection **ret_connection)
{
    struct kin__os_fd_about about;
    kin_connection *connection = NULL;
    int r = kin__os_fd_inspect(transport->fd, &about);
    if (r == 0) {
        r = kin__connection_allocate(1, plan->scope, &connection);
    }
    if (r < 0) {
        return r;
    }
    struct connection_shared *shared = connection->object.shared;
    kin__end_init(&shared->ends[0], plan, &about);
    shared->ends[0].gives_receipts = transport->operations->gives_receipts;
    connection->transport = transport;
    *ret_connection = connection;
    return 0;
}

int kin_connection_adopt_fd(int fd, const kin_connection_options *options,
                            kin_connection **ret_connection)
{
    static const kin_connection_options defaults = {.size = sizeof defaults};
    struct kin__os_fd_about about;
    struct kin__transport *transport = NULL;
    options = options == NULL ? &defaults : options;
    if (ret_connection == NULL || options->size != sizeof *options) {
        return -EINVAL;
    }
    int r = kin__os_fd_inspect(fd, &about);
    if (r == 0) {
        r = kin__os_fd_keep(fd);
    }
    if (r == 0) {
        r = kin__transport_create(fd, about.kind, &transport);
    }
    if (r < 0) {
        return r;
    }
    struct kin__connection_plan plan = {.kind = about.kind,
                                        .is_readable = about.is_readable,
                                        .is_writable = about.is_writable,
                                        .may_read_ahead = options->may_read_ahead,
                                        .message_bytes_max = options->message_bytes_max};
    r = kin__connection_create(&plan, transport, ret_connection);
    if (r < 0) {
        kin__transport_forget(transport);
    }
    return r;
}

/* Which of the ends an fd is of; -EINVAL: of none. */
static int find_side(const struct connection_shared *shared, const struct kin__os_fd_about *about)
{
    for (uint32_t i = 0; i < shared->end_count; i++) {
        const struct end *end = &shared->ends[i];
        if (end->device == about->device && end->inode == about->inode &&
            end->is_readable == about->is_readable && end->is_writable == about->is_writable) {
            return (int)i;
        }
    }
    return -EINVAL;
}

static int open_fd(kin_connection *connection, int fd)
{
    struct kin__os_fd_about about;
    int r = kin__os_fd_inspect(fd, &about);
    if (r == 0) {
        r = find_side(connection->object.shared, &about);
    }
    if (r < 0) {
        return r;
    }
    connection->side = (uint32_t)r;
    r = kin__os_fd_keep(fd);
    return r < 0 ? r : kin__transport_create(fd, about.kind, &connection->transport);
}

int kin_connection_attach(kin_handle handle, int fd, kin_connection **ret_connection)
{
    kin_connection *connection = NULL;
    int r = ret_connection == NULL ? -EINVAL : 0;
    if (r == 0) {
        r = kin__object_attach(KIN__TYPE_CONNECTION, sizeof *connection, handle, &connection);
    }
    if (r == 0) {
        /* What is encrypted has its state in one kin_connection, and cannot have two. */
        r = connection->object.is_process_only ? -EACCES : open_fd(connection, fd);
        if (r < 0) {
            kin__object_free(connection);
        } else {
            *ret_connection = connection;
        }
    }
    return r;
}

static void close_fd(kin_connection *connection)
{
    kin__parked_close(connection);
    if (connection->transport != NULL) {
        connection->transport->operations->free(connection->transport);
        connection->transport = NULL;
    }
}

int kin_connection_close(kin_connection *connection)
{
    if (connection == NULL) {
        return -EINVAL;
    }
    close_fd(connection);
    return 0;
}

kin_connection *kin_connection_free(kin_connection *connection)
{
    if (connection != NULL) {
        close_fd(connection);
    }
    kin__object_free(connection);
    return NULL;
}

kin_handle kin_connection_handle(const kin_connection *connection)
{
    return kin__object_handle(connection);
}

int kin_connection_fd(const kin_connection *connection)
{
    if (connection == NULL) {
        return -EINVAL;
    }
    return connection->transport == NULL ? -ESTALE : connection->transport->fd;
}

/* The end, for a mere look; NULL: there is none. */
static struct end *find_end(const kin_connection *connection)
{
    if (connection == NULL || connection->transport == NULL || kin__self() == NULL ||
        connection->object.shared == NULL) {
        return NULL;
    }
    struct connection_shared *shared = connection->object.shared;
    return &shared->ends[connection->side];
}

bool kin_connection_is_readable(const kin_connection *connection)
{
    const struct end *end = find_end(connection);
    return end != NULL && end->is_readable;
}

bool kin_connection_is_writable(const kin_connection *connection)
{
    const struct end *end = find_end(connection);
    return end != NULL && end->is_writable;
}

/* Where the next message begins that somebody will want, or the rest of one. */
static uint64_t find_start(const struct receiver *receiver, uint64_t head)
{
    uint64_t skip_end = atomic_load(&receiver->skip_end);
    return head < skip_end ? skip_end : head;
}

/* Whether the bytes in the buffer are a message. A look without the mutex: what others change
 * meanwhile shows in head or origin, before they write to the bytes. */
__attribute__((no_sanitize("thread"))) static bool has_message(const struct receiver *receiver)
{
    unsigned char bytes[LONG_HEADER_BYTES];
    struct kin__header header = {0};
    uint64_t head = atomic_load(&receiver->head);
    uint64_t origin = atomic_load(&receiver->origin);
    uint64_t tail = atomic_load(&receiver->tail);
    uint64_t start = find_start(receiver, head);
    if (start >= tail || head < origin || tail - origin > READ_AHEAD_BYTES) {
        return false;
    }
    if (head >= atomic_load(&receiver->body_start) && head < atomic_load(&receiver->body_end)) {
        return tail >= atomic_load(&receiver->body_end);
    }
    uint64_t count = tail - start;
    const unsigned char *data = kin__at(atomic_load(&receiver->buffer));
    for (uint64_t i = 0; i < count && i < sizeof bytes; i++) {
        bytes[i] = data[start - origin + i];
    }
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load(&receiver->head) != head || atomic_load(&receiver->origin) != origin) {
        return false; /* who receives now will say what is left */
    }
    int r = kin__header_read(bytes, count, &header);
    return r < 0 || (r == 0 && count - header.bytes >= header.size);
}

/* Whether somebody died while bytes came to him: nobody knows what they are before the next one has
 * the mutex, and the fd does not say that there are any. */
static bool has_unsettled(const struct receiver *receiver)
{
    return atomic_load(&receiver->is_reading) &&
           atomic_load(&receiver->mutex.holder) & KIN__MUTEX_DIED;
}

bool kin__connection_has_message(const kin_connection *connection)
{
    const struct end *end = find_end(connection);
    if (end == NULL) {
        return false;
    }
    struct kin__transport *transport = connection->transport;
    return atomic_load(&end->receiver.state) == RECEIVING_BROKEN || has_message(&end->receiver) ||
           has_unsettled(&end->receiver) ||
           (transport->operations->has_bytes != NULL &&
            transport->operations->has_bytes(transport));
}
