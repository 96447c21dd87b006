/*
 * The other side: a Python interpreter that runs a script of this folder, and what both say to
 * each other about a test.
 *
 *     struct peer peer = peer_start("peer_frames.py", "sizes", NULL);
 *     ...                                   messages through peer.to and peer.from, see wire_send
 *     peer_join(&peer);                     the script must have ended with 0
 *
 * Which interpreter it is says KIN_PYTHON; without it, Debian's. The script's stdin and stdout are
 * two pipes, its fd 3 a unix socket, its stderr the test's output.
 */
#ifndef INTEROP_PEER_H
#define INTEROP_PEER_H

#include "harness/test.h"

#include <kin.h>
#include <stdint.h>
#include <sys/types.h>

/* A script that runs; all fds are the test's. */
struct peer {
    pid_t pid;
    int to;     /* its stdin */
    int from;   /* its stdout */
    int socket; /* its fd 3 */
};

/* The interpreter's path. */
const char *peer_python(void);

/* Its version, as 311; asked once for each test. */
int peer_version(void);

/* The folder of the scripts. */
const char *peer_folder(void);

/* Starts a script with one argument, which may be NULL. */
struct peer peer_start(const char *script, const char *argument);

/* Closes what is left of a peer's fds and waits until it ended; a CHECK that it did with 0. */
void peer_join(struct peer *peer);

/* Fds that the peer sends through its socket, with its text; each message is one such call of
 * send_fds (peer.py). Returns how many fds came. */
size_t peer_receive_fds(const struct peer *peer, char *text, size_t size, int *fds, size_t count);

/* Sends a text with fds, for receive_fds of peer.py. */
void peer_send_fds(const struct peer *peer, const char *text, const int *fds, size_t count);

/*
 * Frames as multiprocessing.connection has them, by plain read and write: what kin's own
 * connections are compared with.
 */

/* Writes all of some bytes. */
void wire_write(int fd, const void *data, size_t size);

/* Reads so many bytes; returns how many came before the end of the file. */
size_t wire_read(int fd, void *data, size_t size);

/* Sends a message. */
void wire_send(int fd, const void *data, size_t size);

/* Receives one, allocated, with a NUL behind it; NULL at the end of the file. */
unsigned char *wire_receive(int fd, size_t *ret_size);

/* The same for an object in a pickle. */
void wire_send_object(int fd, kin_object *object);
kin_object *wire_receive_object(int fd);

#endif
