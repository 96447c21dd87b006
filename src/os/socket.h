/**
 * Bytes over pipes and sockets.
 *
 * Every function here retries what a signal interrupted, and raises no SIGPIPE. None of them
 * changes the fd's own mode: others may use the same open file and count on it that their calls
 * block.
 */
#ifndef KIN_OS_SOCKET_H
#define KIN_OS_SOCKET_H

#include <kin/family.h>
#include <stdbool.h>
#include <stdint.h>

/* Room for bytes to come; laid out like kin_bytes, and like what the kernel wants. */
struct kin__os_room {
    void *data;
    size_t size;
};

/* The most pieces that one call moves, and the most fds that come or go with bytes. */
#define KIN__OS_PIECES_MAX 1024u
#define KIN__OS_FDS_MAX 64u

/* How many bytes a pipe takes in one step, whole or not at all; and a unix socket, however small
 * its buffer was made. */
#define KIN__OS_PIPE_STEP 4096u
#define KIN__OS_SOCKET_STEP 2048u

/* What an fd is. */
enum kin__os_fd_kind {
    KIN__OS_FD_PIPE,        /* or anything else that read and write work on */
    KIN__OS_FD_SOCKET,      /* a connected stream */
    KIN__OS_FD_UNIX_SOCKET, /* the same, on this machine: fds may go with bytes */
};

struct kin__os_fd_about {
    enum kin__os_fd_kind kind;
    bool is_readable;
    bool is_writable;
    uint64_t device; /* with `inode`: which open pipe or socket it is */
    uint64_t inode;
};

/* Makes a pair of connected unix sockets, or a pipe {reader, writer}. Close-on-exec, and none is
 * one of 0 to 2. 0, or -EMFILE, -ENFILE, -ENOMEM. */
int kin__os_socket_pair(int ret_fds[2]);
int kin__os_pipe(int ret_fds[2]);

/* Makes a pair that carries whole messages: each send is one, each receive gets one, cut to the
 * room there is. Otherwise as kin__os_socket_pair. */
int kin__os_message_pair(int ret_fds[2]);

/* Makes an fd close-on-exec. 0, or -EBADF. */
int kin__os_fd_keep(int fd);

/* From now on reading and writing it never waits: for an end of a pipe that nobody else has. 0, or
 * a code. */
int kin__os_fd_unblock(int fd);

/* Makes a second fd of an open one, with the same properties as those above. 0, or -EBADF,
 * -EMFILE. */
int kin__os_fd_copy(int fd, int *ret_fd);

/* 0; -EBADF: not an open fd; -ENOTSUP: a socket that is not a stream. */
int kin__os_fd_inspect(int fd, struct kin__os_fd_about *ret_about);

/* A place for the receipt of bytes: the kernel itself writes there how many bytes have moved,
 * before the call returns. So in shared memory it stays true when the process dies in the call or
 * right behind it. Whoever will look for it clears it before. */
struct kin__os_receipt {
    _Alignas(8) unsigned char words[64];
};

uint32_t kin__os_receipt_bytes(const struct kin__os_receipt *receipt);
void kin__os_receipt_clear(struct kin__os_receipt *receipt);

/* Fds that came. */
struct kin__os_fds {
    uint32_t count;
    int fds[KIN__OS_FDS_MAX];
};

/* Bytes on their way out: the first of them take `fds` (NULL: none) along. */
struct kin__os_output {
    const kin_bytes *pieces;
    uint32_t count;
    bool may_wait;                   /* until there is room for all */
    struct kin__os_receipt *receipt; /* NULL: not wanted */
    const struct kin__os_fds *fds;
};

/* Bytes on their way in. */
struct kin__os_intake {
    const struct kin__os_room *rooms;
    uint32_t count;
    bool may_wait;                   /* until there are some */
    struct kin__os_receipt *receipt; /* NULL: not wanted */
    struct kin__os_fds *fds;         /* fds that come are added, close-on-exec; NULL: not wanted */
};

/* Sends some of the bytes. How many; or -EAGAIN: none, and may not wait; -EPIPE: nobody can receive
 * them; -ECONNRESET, -ENOBUFS, -ETOOMANYREFS: too many fds are on the way; -EBADF: of an fd to
 * go. */
int64_t kin__os_socket_send(int fd, const struct kin__os_output *output);

/* Receives some bytes. How many, 0: end of file; or -EAGAIN: none, and may not wait;
 * -ECONNRESET. */
int64_t kin__os_socket_receive(int fd, const struct kin__os_intake *intake);

/* No more bytes will be sent: the other side finds the end of file. */
void kin__os_socket_shut(int fd);

/* The same for pipes, without fds and receipts. Where the kernel does not know how not to wait, a
 * writer that may not writes at most KIN__OS_PIPE_STEP bytes. */
int64_t kin__os_pipe_write(int fd, const struct kin__os_output *output);
int64_t kin__os_pipe_read(int fd, const struct kin__os_intake *intake);

/* Lets a pipe hold more bytes, if the system does not mind. */
void kin__os_pipe_widen(int fd, uint32_t bytes);

#endif
