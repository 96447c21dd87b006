/**
 * Sockets that listen, and sockets that connect to those.
 *
 * A socket that listens never waits in accept. All others are of the blocking kind. All are
 * close-on-exec, and none is one of 0 to 2.
 *
 * A unix socket is a file. It is named by an fd of its folder and its name in there, so that
 * neither a long path nor a change of the working directory matters.
 */
#ifndef KIN_OS_LISTEN_H
#define KIN_OS_LISTEN_H

#include "os/address.h"

enum { KIN__OS_NAME_BYTES = 80 }; /* of a unix socket in its folder, with the final NUL */

/* A unix socket: where it is. */
struct kin__os_place {
    int folder_fd;
    char name[KIN__OS_NAME_BYTES];
    uint64_t device; /* with `inode`: which file it is, from kin__os_listen_unix on */
    uint64_t inode;
};

/* What a socket in a folder of kin__os_folder_create is called. */
#define KIN__OS_LISTENER_NAME "listener"

/* Makes a folder that only this user can enter, where such things belong, and writes its path.
 * Those that others made who were killed are removed. 0, -ENAMETOOLONG, -EACCES, -ENOSPC ... */
int kin__os_folder_create(char *ret_path, size_t bytes);

/* Removes it, when it is empty. */
void kin__os_folder_remove(const char *path);

/* Finds the place of a path; its folder must exist. Close `folder_fd` with kin__os_close. 0, or
 * -ENOENT, -ENOTDIR, -EACCES, -EMFILE; -ENAMETOOLONG: of the name in the folder. */
int kin__os_place_open(const char *path, struct kin__os_place *ret_place);

/* The whole path of the working directory. 0, or -ENAMETOOLONG, -ENOENT. */
int kin__os_working_folder(char *ret_path, size_t bytes);

/* Listens there; `is_private`: only this user can connect, in the eyes of the file system. A socket
 * file of this user on which nobody listens any more is replaced. 0, or -EADDRINUSE, -EACCES ... */
int kin__os_listen_unix(struct kin__os_place *place, bool is_private, int backlog, int *ret_fd);

/* Removes the socket file, unless it has become another's. */
void kin__os_listen_unlink(const struct kin__os_place *place);

/* Listens there. 0, or -EADDRINUSE, -EADDRNOTAVAIL, -EACCES ... */
int kin__os_listen_tcp(const struct kin__os_address *address, int backlog, int *ret_fd);

/* The address that an internet socket is bound to. */
int kin__os_socket_address(int fd, struct kin__os_address *ret_address);

/* Takes the next connection. `ret_peer` says whose it is; a unix socket has none, and it is
 * untouched. 0; -EAGAIN: there is none; -EMFILE, -ENFILE, -ENOMEM; -ECONNABORTED and others: this
 * one is gone, try the next. */
int kin__os_accept(int fd, struct kin__os_address *ret_peer, int *ret_fd);

/* Makes an fd that is good for nothing but to be closed when fds run out. 0, or -EMFILE ... */
int kin__os_spare_fd(int *ret_fd);

/* A socket that is not connected yet. 0, or -EMFILE, -ENFILE, -ENOMEM, -EAFNOSUPPORT. */
int kin__os_socket_unix(int *ret_fd);
int kin__os_socket_tcp(const struct kin__os_address *address, int *ret_fd);

/* Connects, waiting at most `limit_ns` for room in the other one's line. 0; -EAGAIN: there was no
 * room; -ENOENT, -ECONNREFUSED, -EACCES, and the codes of kin__os_place_open. */
int kin__os_connect_unix(int fd, const char *path, int64_t limit_ns);

/* Begins to connect: 0; -EINPROGRESS: once the fd is writable, kin__os_connect_finish says how it
 * went; or -ECONNREFUSED, -EHOSTUNREACH ... */
int kin__os_connect_tcp(int fd, const struct kin__os_address *address);

/* 0, or why it failed. */
int kin__os_connect_finish(int fd);

/* Sends small messages at once, and notices when the other machine is gone. */
void kin__os_socket_tune(int fd);

/* The user at the other end of a unix socket, when it connected or began to listen. */
int kin__os_peer_user(int fd, uint32_t *ret_user);

/* The user that this process acts for. */
uint32_t kin__os_user(void);

#endif
