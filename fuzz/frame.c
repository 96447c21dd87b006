/*
 * Bytes from the other end of a socket: the first says how they are received, the others are the
 * stream, after which the other end is closed. Receiving ends, and every message is a part of what
 * was sent.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <kin/connection.h>
#include <kin/error.h>
#include <kin/family.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STREAM_MAX = 60000, LIMIT = 5000, ROOM = 300 };

static int begin_connection(unsigned choice, const uint8_t *data, size_t size,
                            kin_connection **ret_connection)
{
    static bool is_open;
    int fds[2];
    if (!is_open) {
        FUZZ_REQUIRE(kin_init(NULL, NULL) == 0);
        is_open = true;
    }
    const kin_connection_options options = {
        .size = sizeof options, .message_bytes_max = LIMIT, .may_read_ahead = (choice & 1) != 0};
    FUZZ_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    FUZZ_REQUIRE(kin_connection_adopt_fd(fds[0], &options, ret_connection) == 0);
    FUZZ_REQUIRE(write(fds[1], data, size) == (ssize_t)size);
    close(fds[1]);
    return 0;
}

/* What is left of the stream as a receiver must see it. */
struct stream {
    const uint8_t *data;
    size_t size;
};

/* Steps over a message that was received: of `size` bytes, `bytes` if they are known. */
static void step(struct stream *stream, const void *bytes, size_t size)
{
    size_t header = stream->size >= 4 && memcmp(stream->data, "\xff\xff\xff\xff", 4) == 0 ? 12 : 4;
    FUZZ_REQUIRE(size <= LIMIT && stream->size >= header + size);
    FUZZ_REQUIRE(bytes == NULL || memcmp(stream->data + header, bytes, size) == 0);
    stream->data += header + size;
    stream->size -= header + size;
}

/* Receives once. 0, or the code. */
static int receive(kin_connection *connection, unsigned way, struct stream *stream)
{
    unsigned char room[ROOM];
    kin_object *object = NULL;
    size_t size = 0;
    int r;
    if (way == 0) {
        r = kin_connection_receive_bytes(connection, KIN_NOW, &object);
        if (r == 0) {
            step(stream, kin_object_bytes(object).data, kin_object_bytes(object).size);
        }
    } else if (way == 1) {
        r = kin_connection_receive_into(connection, room, sizeof room, KIN_NOW, &size);
        if (r == 0) {
            step(stream, room, size);
        } else if (r == -EMSGSIZE) { /* it is still there */
            FUZZ_REQUIRE(kin_connection_next_size(connection, KIN_NOW, &size) == 0 && size > ROOM);
            r = receive(connection, 0, stream);
        }
    } else {
        r = kin_connection_next_size(connection, KIN_NOW, &size);
        if (r == 0) {
            r = kin_connection_receive(connection, KIN_NOW, &object);
            bool is_taken = r == 0 || r == -EBADMSG || r == KIN_ELIMIT || r == -EOPNOTSUPP;
            if (is_taken) {
                step(stream, NULL, size);
                r = 0;
            }
        }
    }
    kin_object_free(object);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > STREAM_MAX) {
        return 0;
    }
    unsigned choice = data[0];
    kin_connection *connection;
    struct stream stream = {data + 1, size - 1};
    begin_connection(choice, stream.data, stream.size, &connection);
    int r = 0;
    while (r == 0) {
        r = receive(connection, (choice >> 1) % 3, &stream);
    }
    FUZZ_REQUIRE(r == -EPIPE || r == -ECONNRESET || r == -EFBIG || r == -EBADMSG ||
                 r == KIN_EBROKEN);
    FUZZ_REQUIRE(r != -EPIPE || stream.size == 0);
    kin_connection_free(connection);
    return 0;
}
