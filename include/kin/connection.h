/**
 * One end of a pipe or socket: whole messages, over the wire format of Python's
 * multiprocessing.Connection, so that the other end may be one of those.
 *
 * An end can be used by several threads, and by several processes that have it by fork or by
 * kin_connection_attach: each message is sent by one of them as a whole, and received by one.
 * kin/pipe.h makes a pair of ends.
 */
#ifndef KIN_CONNECTION_H
#define KIN_CONNECTION_H

#include <kin/export.h>
#include <kin/family.h>
#include <kin/pickle.h>
#include <kin/timeout.h>
#include <stdbool.h>
#include <stdint.h>

KIN_BEGIN

/**
 * One end of a pipe or socket, in this process.
 *
 * Fork: a child has its parent's ends, and their fds. An end of file comes when all processes have
 * let go of the other end: free what a process does not use.
 *
 * Peer death: messages come whole, in order, or not at all. A process that dies while it receives
 * takes at most the message with it that it was receiving; on a pipe that has one direction, or a
 * socket that kin did not make, it can break receiving for the others that use the same end. One
 * that dies in the middle of sending a large message breaks sending for them: calls then say
 * KIN_EBROKEN, and the other end finds the end of the file inside a message, not garbage.
 */
typedef struct kin_connection kin_connection;

/** What kin_connection_adopt_fd can be told. */
typedef struct kin_connection_options {
    size_t size; /* of this struct */

    /* A message that is longer is refused by the receiver with -EFBIG. 0: no limit. */
    uint64_t message_bytes_max;

    /* Nobody else reads from the fd, nor inherits it with the intent to: then many messages can be
     * received at once. Otherwise no byte is read that is not the message's. */
    bool may_read_ahead;
} kin_connection_options;

/** Fds that come with a message, see kin_connection_receive_fds. */
typedef struct kin_fds {
    uint32_t count;
    int fds[64];
} kin_fds;

/** The most fds that go with a message. */
#define KIN_CONNECTION_FD_COUNT_MAX 64

/**
 * Makes an end of `fd`: a pipe, or a connected stream socket, with a peer that speaks the same
 * format. Takes `fd`, on success, and makes it close-on-exec. The fd must be blocking, and stays
 * so. NULL options: no limit, no reading ahead. Free it with kin_connection_free.
 *
 * Returns 0, or -EBADF: no such fd; -ENOTSUP: a socket of another kind; -ENOMEM; -EINVAL: options
 * of an unknown size.
 */
KIN_API int kin_connection_adopt_fd(int fd, const kin_connection_options *options,
                                    kin_connection **ret_connection);

/**
 * Opens the end that `handle` names with a copy of its fd, in a process of the same family: handle
 * and fd came with a message, say. Takes `fd`, on success. Free it with kin_connection_free.
 *
 * Returns 0, or -ESTALE: every process has let go of it; -EINVAL: the handle names something else,
 * or the fd is not of that end; -EACCES: it belongs to one process, as all that are encrypted do.
 */
KIN_API int kin_connection_attach(kin_handle handle, int fd, kin_connection **ret_connection);

/**
 * Closes the fd of this process; later calls say -ESTALE. Nobody else may be inside a call on it.
 * Returns 0, or -EINVAL.
 */
KIN_API int kin_connection_close(kin_connection *connection);

/** Closes the end in this process, if that is still to be done, and frees it; NULL is fine. Returns
 * NULL. */
KIN_API kin_connection *kin_connection_free(kin_connection *connection);

/** The end's name for other processes of the family, for kin_connection_attach. */
KIN_API kin_handle kin_connection_handle(const kin_connection *connection);

/**
 * The fd, which stays the connection's: to be given to other processes, or to set options of the
 * socket. That it is not readable does not mean that nothing is there, see kin_connection_poll.
 * Returns the fd, or -EINVAL, -ESTALE: closed.
 */
KIN_API int kin_connection_fd(const kin_connection *connection);

/** Whether messages can be received from this end. */
KIN_API bool kin_connection_is_readable(const kin_connection *connection);

/** Whether messages can be sent through this end. */
KIN_API bool kin_connection_is_writable(const kin_connection *connection);

/**
 * Sends an object, waiting while the pipe is full: as a pickle (kin/pickle.h), which CPython reads
 * too. Fds in it go along over a unix socket; handles in it (kin/handle.h) over a pipe made by
 * kin_pipe_create, of which they keep alive what they name, at most 64 at a time.
 *
 * Returns 0: it is on its way, and may be freed. Otherwise nothing was sent: a code of
 * kin_connection_send_bytes or kin_pickle_encode, or
 *   -EOPNOTSUPP    there is something in it that cannot go this way
 *   -ETOOMANYREFS  too many handles or fds are on their way
 */
KIN_API int kin_connection_send(kin_connection *connection, const kin_object *object,
                                kin_timeout timeout);

/**
 * Receives the next object, waiting for one. Nothing in it is ever executed. Its limits are those
 * of kin_connection_set_limits.
 *
 * Returns 0, or a code of kin_connection_receive_into, or, when the message has been taken but is
 * no object that can be had, of kin_pickle_decode. A message that is longer than the limits allow
 * (KIN_ELIMIT) is thrown away as it comes, and takes no memory.
 *
 * Fds in it stay opaque if another process received what came before them from this end.
 */
KIN_API int kin_connection_receive(kin_connection *connection, kin_timeout timeout,
                                   kin_object **ret_object);

/** What objects that are received here, in this process, may use. NULL: the defaults. Returns 0,
 * or -EINVAL. */
KIN_API int kin_connection_set_limits(kin_connection *connection, const kin_pickle_limits *limits);

/**
 * Sends `size` bytes as one message, waiting while the pipe is full. `size` may be 0.
 *
 * Returns 0: the message is on its way, though not received yet. Otherwise it is not:
 *   -EAGAIN      full, or somebody else is sending, and the timeout is KIN_NOW
 *   -ETIMEDOUT   the same, until the deadline
 *   -ECANCELED   the token fired
 *   -EPIPE       nobody has the other end any more
 *   -EBADF       the end is for receiving only
 *   -ESTALE      it was closed
 *   KIN_EBROKEN  a message was left half sent, now or before: by one who died, or whose timeout was
 *                over when a part of a message that is larger than the pipe had been sent. Nothing
 *                can be sent through this end any more
 */
KIN_API int kin_connection_send_bytes(kin_connection *connection, const void *data, size_t size,
                                      kin_timeout timeout);

/**
 * Sends bytes with copies of `fd_count` fds, over a unix socket. The fds stay the caller's.
 *
 * Returns 0 or the codes of kin_connection_send_bytes, or -ENOTSUP: not a unix socket; -EINVAL: too
 * many fds; -EBADF: also if one of them is not open; -ETOOMANYREFS: too many are on their way.
 */
KIN_API int kin_connection_send_fds(kin_connection *connection, kin_bytes bytes, const int *fds,
                                    size_t fd_count, kin_timeout timeout);

/**
 * Receives the next message into `buffer`, which has room for `size` bytes, waiting for one.
 * `ret_size` gets its size.
 *
 * Returns 0, or
 *   -EAGAIN      there is none, or somebody else is receiving, and the timeout is KIN_NOW
 *   -ETIMEDOUT   there was none, or not all of it, until the deadline. What had come of it is kept
 *                for the next who receives from this end, in whichever process
 *   -ECANCELED   the token fired; as -ETIMEDOUT
 *   -EPIPE       end of file: everybody has let go of the other end, all messages were received
 *   -ECONNRESET  end of file inside a message: the sender died, or broke off
 *   -EMSGSIZE    the message is larger than `size`; it is still there, see
 *                kin_connection_next_size
 *   -EFBIG       it is larger than the end's limit: nothing can be received any more
 *   -EBADMSG     what came is not a message: nothing can be received any more
 *   -EBADF       the end is for sending only
 *   -ESTALE      it was closed
 *   KIN_EBROKEN  after -EFBIG or -EBADMSG; or somebody died while receiving, see kin_connection
 */
KIN_API int kin_connection_receive_into(kin_connection *connection, void *buffer, size_t size,
                                        kin_timeout timeout, size_t *ret_size);

/** The same as a new bytes object. */
KIN_API int kin_connection_receive_bytes(kin_connection *connection, kin_timeout timeout,
                                         kin_object **ret_bytes);

/**
 * The same, with the fds that came with the message: they are the caller's, and close-on-exec. Fds
 * that come with a message that is received otherwise are closed.
 *
 * An end for fds from which several processes receive has to be made with may_read_ahead unset, or
 * first used by this call: fds are in the process that read the bytes.
 */
KIN_API int kin_connection_receive_fds(kin_connection *connection, void *buffer, size_t size,
                                       kin_timeout timeout, size_t *ret_size, kin_fds *ret_fds);

/**
 * Waits for the next message and says how large it is; it stays where it is, and may be received by
 * somebody else meanwhile. Returns 0 or the codes of kin_connection_receive_into.
 */
KIN_API int kin_connection_next_size(kin_connection *connection, kin_timeout timeout,
                                     size_t *ret_size);

/**
 * Waits until a receive would find something: a message or a part of one, or the end of the file.
 * Returns 0: there is something; -EAGAIN, -ETIMEDOUT, -ECANCELED: there is not; or -EBADF, -ESTALE.
 */
KIN_API int kin_connection_poll(kin_connection *connection, kin_timeout timeout);

KIN_END

#endif
