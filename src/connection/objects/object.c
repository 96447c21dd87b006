/**
 * Objects over connections. An object is sent in pieces, so that large bytes in it are not copied
 * on their way out; fds in it go with the message, handles as luggage.h says.
 */
#include "connection/connection.h"
#include "connection/objects/luggage.h"

#include "base/allocate.h"
#include "object/pickle.h"
#include "object/text.h"
#include "os/memory.h"

#include <errno.h>
#include <kin/error.h>

enum { PIECES_AT_HAND = 16, SMALL_MESSAGE_BYTES = 4096 };

/* --- out --- */

static int send_pieces(kin_connection *connection, const struct kin__encoding *encoding,
                       const struct kin__luggage *luggage, kin_timeout timeout)
{
    kin_bytes at_hand[PIECES_AT_HAND];
    kin_bytes *pieces = at_hand;
    size_t count = kin__encoding_piece_count(encoding) + 1;
    if (count > PIECES_AT_HAND) {
        pieces = kin__allocate_array(count, sizeof *pieces);
        if (pieces == NULL) {
            return -ENOMEM;
        }
    }
    pieces[0] = (kin_bytes){luggage->head, luggage->head_bytes};
    for (size_t i = 1; i < count; i++) {
        pieces[i] = kin__encoding_piece(encoding, i - 1);
    }
    struct kin__parcel parcel = {.pieces = pieces,
                                 .count = (uint32_t)count,
                                 .fds = encoding->fds,
                                 .fd_count = encoding->fd_count};
    int r = kin__connection_send(connection, &parcel, timeout);
    if (pieces != at_hand) {
        kin__release(pieces);
    }
    return r;
}

static int send_encoding(kin_connection *connection, const struct kin__encoding *encoding,
                         kin_timeout timeout)
{
    struct calling calling;
    struct kin__luggage luggage;
    int r = kin__connection_enter(connection, timeout, &calling);
    if (r == 0) {
        r = kin__luggage_pack(&calling, encoding->handles, encoding->handle_count, &luggage);
    }
    if (r < 0) {
        return r;
    }
    r = send_pieces(connection, encoding, &luggage, timeout);
    if (r < 0) {
        kin__luggage_drop(&luggage);
    } else {
        kin__luggage_let_go(&luggage);
    }
    return r == -ENOTSUP ? -EOPNOTSUPP : r;
}

int kin_connection_send(kin_connection *connection, const kin_object *object, kin_timeout timeout)
{
    static const struct kin__encode_options options = {.takes_handles = true, .takes_fds = true};
    struct kin__encoding encoding;
    if (connection == NULL) {
        return -EINVAL;
    }
    int r = kin__pickle_encode(object, &options, &encoding);
    if (r < 0) {
        return r;
    }
    r = send_encoding(connection, &encoding, timeout);
    kin__encoding_deinit(&encoding);
    return r;
}

/* --- in --- */

/* Takes a message into memory of its own; a small one stays where the call is. */
struct intake {
    struct kin__sink sink;
    struct kin__luggage luggage;
    unsigned char *data;
    unsigned char small[SMALL_MESSAGE_BYTES];
};

static int reserve(struct kin__sink *sink, uint64_t bytes, uint64_t room, void **ret_place)
{
    struct intake *intake = (struct intake *)sink;
    void *data = bytes <= sizeof intake->small ? intake->small
                                               : kin__reallocate(intake->data, room);
    if (data == NULL) {
        return -ENOMEM;
    }
    intake->data = data;
    *ret_place = data;
    return 0;
}

/* The handles in the message are in the hands of this thread from now on. */
static void look(struct kin__sink *sink, const struct calling *calling, const void *front,
                 uint64_t bytes)
{
    struct intake *intake = (struct intake *)sink;
    kin__luggage_take(calling, front, bytes, &intake->luggage);
}

static void release(struct intake *intake)
{
    if (intake->data != intake->small) {
        kin__release(intake->data);
    }
}

static int decode(kin_connection *connection, const struct intake *intake,
                  const struct kin__os_fds *fds, kin_object **ret_object)
{
    uint32_t head_bytes = 0;
    int r = kin__luggage_find(connection, intake->data, intake->sink.size, &head_bytes);
    if (r < 0) {
        return r;
    }
    const kin_pickle_decode_options options = {.size = sizeof options,
                                               .limits = connection->limits};
    struct kin__decode_input input = {.options = &options,
                                      .takes_handles = head_bytes > 0,
                                      .fds = fds->fds,
                                      .fd_count = fds->count};
    kin_bytes pickle = {.data = intake->data + head_bytes, .size = intake->sink.size - head_bytes};
    return kin__pickle_decode(pickle, &input, ret_object, NULL, NULL);
}

int kin_connection_receive(kin_connection *connection, kin_timeout timeout, kin_object **ret_object)
{
    if (connection == NULL || ret_object == NULL) {
        return -EINVAL;
    }
    struct kin__os_fds fds;
    struct intake intake;
    fds.count = 0;
    intake.data = NULL;
    intake.luggage.count = 0;
    uint64_t most = kin__pickle_input_max(&connection->limits);
    intake.sink = (struct kin__sink){.reserve = reserve, .look = look, .fds = &fds};
    intake.sink.skipped_above = most > UINT64_MAX - LUGGAGE_HEAD_BYTES ? 0
                                                                       : most + LUGGAGE_HEAD_BYTES;
    int r = kin__connection_receive(connection, &intake.sink, timeout);
    if (r == 0) {
        r = decode(connection, &intake, &fds, ret_object);
        for (uint32_t i = 0; i < fds.count; i++) {
            kin__os_close(fds.fds[i]);
        }
        kin__luggage_drop(&intake.luggage);
    } else if (r == KIN_ELIMIT) {
        kin__luggage_drop(&intake.luggage);
    } else {
        kin__luggage_let_go(&intake.luggage);
    }
    release(&intake);
    return r;
}

/* Takes a message into a bytes object. */
struct bytes_intake {
    struct kin__sink sink;
    kin_object *bytes;
};

static int reserve_bytes(struct kin__sink *sink, uint64_t bytes, uint64_t room, void **ret_place)
{
    struct bytes_intake *intake = (struct bytes_intake *)sink;
    kin_object *object = intake->bytes == NULL ? kin__bytes_create(NULL, KIN_KIND_BYTES, NULL, room)
                                               : kin__bytes_resize(intake->bytes, room);
    (void)bytes;
    if (object == NULL) {
        return -ENOMEM;
    }
    intake->bytes = object;
    *ret_place = ((struct object_bytes *)intake->bytes)->data;
    return 0;
}

int kin_connection_receive_bytes(kin_connection *connection, kin_timeout timeout,
                                 kin_object **ret_bytes)
{
    struct bytes_intake intake = {.sink = {.reserve = reserve_bytes}};
    if (ret_bytes == NULL) {
        return -EINVAL;
    }
    int r = kin__connection_receive(connection, &intake.sink, timeout);
    if (r < 0) {
        kin_object_free(intake.bytes);
        return r;
    }
    *ret_bytes = intake.bytes;
    return 0;
}

int kin_connection_set_limits(kin_connection *connection, const kin_pickle_limits *limits)
{
    if (connection == NULL || (limits != NULL && limits->size != sizeof *limits)) {
        return -EINVAL;
    }
    connection->limits = limits == NULL ? (kin_pickle_limits){0} : *limits;
    return 0;
}
