#define _GNU_SOURCE
#include "os/listen.h"
#include "os/fault.h"
#include "os/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FOLDER_PREFIX "kin-"
#define FRESH_PREFIX ".kin-" /* and 16 digits */

/* How often a name that somebody has swept away is made again. */
#define FRESH_TRIES 4

/* Takes a fresh fd, and moves it behind those of the standard streams: where a program runs with
 * one of them closed, what it prints must not go to the other side. */
static int take_fd(int fd, int *ret_fd)
{
    if (fd < 0) {
        return -errno;
    }
    if (fd <= STDERR_FILENO) {
        int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        int code = moved < 0 ? -errno : 0;
        close(fd);
        if (code < 0) {
            return code;
        }
        fd = moved;
    }
    *ret_fd = fd;
    return 0;
}

/* --- folders --- */

static bool is_left_behind(const struct kin__os_place *place);

/* Removes a folder that kin__os_folder_create made, if its listener is dead. */
static void sweep_folder(int parent_fd, const char *name)
{
    struct stat folder;
    struct kin__os_place place = {
        .folder_fd = openat(parent_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
        .name = KIN__OS_LISTENER_NAME};
    if (place.folder_fd < 0) {
        return;
    }
    if (fstat(place.folder_fd, &folder) == 0 && folder.st_uid == geteuid() &&
        (folder.st_mode & 07777) == 0700 && is_left_behind(&place)) {
        unlinkat(place.folder_fd, place.name, 0);
        unlinkat(parent_fd, name, AT_REMOVEDIR);
    }
    close(place.folder_fd);
}

/* Removes what those left who were killed. */
static void sweep(const char *parent)
{
    DIR *folder = opendir(parent);
    const struct dirent *entry = NULL;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (strncmp(entry->d_name, FOLDER_PREFIX, strlen(FOLDER_PREFIX)) == 0 &&
            strlen(entry->d_name) == strlen(FOLDER_PREFIX "XXXXXX")) {
            sweep_folder(dirfd(folder), entry->d_name);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
}

int kin__os_folder_create(char *ret_path, size_t bytes)
{
    const char *const parents[] = {secure_getenv("XDG_RUNTIME_DIR"), secure_getenv("TMPDIR"),
                                   "/tmp"};
    int r = -ENOENT;
    KIN__OS_FAULT(EACCES);
    for (size_t i = 0; i < sizeof parents / sizeof parents[0]; i++) {
        if (parents[i] == NULL || parents[i][0] != '/') {
            continue;
        }
        int size = snprintf(ret_path, bytes, "%s/" FOLDER_PREFIX "XXXXXX", parents[i]);
        if (size < 0 || (size_t)size >= bytes) {
            r = -ENAMETOOLONG;
        } else if (mkdtemp(ret_path) != NULL) { /* its mode is 0700 */
            sweep(parents[i]);
            return 0;
        } else {
            r = -errno;
        }
    }
    return r;
}

void kin__os_folder_remove(const char *path)
{
    rmdir(path);
}

int kin__os_working_folder(char *ret_path, size_t bytes)
{
    return getcwd(ret_path, bytes) != NULL ? 0 : errno == ERANGE ? -ENAMETOOLONG : -errno;
}

int kin__os_place_open(const char *path, struct kin__os_place *ret_place)
{
    char folder[4096];
    struct kin__os_place place = {.folder_fd = -1};
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    size_t folder_bytes = (size_t)(name - path);
    KIN__OS_FAULT(EMFILE);
    if (folder_bytes >= sizeof folder || strlen(name) >= sizeof place.name) {
        return -ENAMETOOLONG;
    }
    memcpy(folder, path, folder_bytes);
    folder[folder_bytes] = '\0';
    int r = take_fd(open(folder_bytes == 0 ? "." : folder, O_PATH | O_DIRECTORY | O_CLOEXEC),
                    &place.folder_fd);
    if (r == 0) {
        snprintf(place.name, sizeof place.name, "%s", name);
        *ret_place = place;
    }
    return r;
}

/* --- unix sockets --- */

/* The name has room behind this: it is checked when the place is opened. */
static void write_unix_address(const struct kin__os_place *place, struct sockaddr_un *ret_address)
{
    ret_address->sun_family = AF_UNIX;
    snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "/proc/self/fd/%d/%s",
             place->folder_fd, place->name);
}

int kin__os_socket_unix(int *ret_fd)
{
    KIN__OS_FAULT(EMFILE);
    return take_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ret_fd);
}

static int connect_within(int fd, const struct sockaddr_un *address, int64_t limit_ns)
{
    int64_t limit_us = limit_ns / 1000 < 1 ? 1 : limit_ns / 1000; /* 0 would be for ever */
    struct timeval limit = {.tv_sec = limit_us / 1000000, .tv_usec = limit_us % 1000000};
    struct timeval none = {0};
    int r = 0;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    do {
        r = connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 ? -errno : 0;
    } while (r == -EINTR);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none);
    return r;
}

int kin__os_connect_unix(int fd, const char *path, int64_t limit_ns)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct kin__os_place place;
    KIN__OS_FAULT(ECONNREFUSED);
    if (strlen(path) < sizeof address.sun_path) {
        memcpy(address.sun_path, path, strlen(path) + 1);
        return connect_within(fd, &address, limit_ns);
    }
    int r = kin__os_place_open(path, &place);
    if (r < 0) {
        return r;
    }
    write_unix_address(&place, &address);
    r = connect_within(fd, &address, limit_ns);
    close(place.folder_fd);
    return r;
}

/* Whether there is a socket file of this user on which nobody listens. Who listens is not to see a
 * client that is none: so it is asked by a socket of another type, which the kernel refuses, in
 * other words. */
static bool is_left_behind(const struct kin__os_place *place)
{
    struct stat file;
    struct sockaddr_un address = {0};
    int fd = -1;
    if (fstatat(place->folder_fd, place->name, &file, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISSOCK(file.st_mode) || file.st_uid != geteuid() ||
        take_fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), &fd) < 0) {
        return false;
    }
    write_unix_address(place, &address);
    bool is_refused = connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 &&
                      errno == ECONNREFUSED;
    close(fd);
    return is_refused;
}

/* Gives the socket its name, unless there is one of that name. A socket file of this user on which
 * nobody listens is in nobody's way; who replaces it holds a lock, so that two who find the same
 * one do not replace each other. */
static int take_name(const struct kin__os_place *place, const struct kin__os_place *fresh)
{
    int folder = place->folder_fd;
    int r = linkat(folder, fresh->name, folder, place->name, 0) != 0 ? -errno : 0;
    if (r != -EEXIST) {
        return r;
    }
    int lock_fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_locked = lock_fd >= 0 && flock(lock_fd, LOCK_EX | LOCK_NB) == 0;
    r = -EADDRINUSE;
    if (is_locked && is_left_behind(place)) {
        r = renameat(folder, fresh->name, folder, place->name) != 0 ? -errno : 0;
    }
    if (lock_fd >= 0) {
        close(lock_fd);
    }
    return r;
}

/* Removes the first names of sockets whose listeners were killed before they had the second. One
 * that is just being bound may be taken for such: then its maker tries again. */
static void sweep_fresh(const struct kin__os_place *place)
{
    int folder_fd = openat(place->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = folder_fd < 0 ? NULL : fdopendir(folder_fd);
    const struct dirent *entry = NULL;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        struct kin__os_place old = {.folder_fd = place->folder_fd};
        if (strncmp(entry->d_name, FRESH_PREFIX, strlen(FRESH_PREFIX)) == 0 &&
            strlen(entry->d_name) == strlen(FRESH_PREFIX) + 16) {
            snprintf(old.name, sizeof old.name, "%.24s", entry->d_name);
            if (is_left_behind(&old)) {
                unlinkat(old.folder_fd, old.name, 0);
            }
        }
    }
    if (folder != NULL) {
        closedir(folder);
    } else if (folder_fd >= 0) {
        close(folder_fd);
    }
}

/* The socket listens before it gets its name, so that nobody ever finds one there that does not. */
static int bind_and_listen(int fd, struct kin__os_place *place, bool is_private, int backlog)
{
    struct sockaddr_un address = {0};
    struct stat file;
    struct kin__os_place fresh = {.folder_fd = place->folder_fd};
    snprintf(fresh.name, sizeof fresh.name, FRESH_PREFIX "%016llx",
             (unsigned long long)kin__os_random());
    write_unix_address(&fresh, &address);
    /* The mode of a socket that is not bound yet is that of the file which bind makes, cut by the
     * umask: there is no moment at which others can open the file. */
    if (fchmod(fd, 0600) != 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        return -errno;
    }
    int r = 0;
    if ((!is_private && fchmodat(fresh.folder_fd, fresh.name, 0666, 0) != 0) ||
        fstatat(fresh.folder_fd, fresh.name, &file, AT_SYMLINK_NOFOLLOW) != 0 ||
        listen(fd, backlog) != 0) {
        r = -errno;
    }
    r = r == 0 ? take_name(place, &fresh) : r;
    unlinkat(fresh.folder_fd, fresh.name, 0);
    if (r == 0) {
        place->device = file.st_dev;
        place->inode = file.st_ino;
    }
    return r;
}

int kin__os_listen_unix(struct kin__os_place *place, bool is_private, int backlog, int *ret_fd)
{
    int fd = -1;
    int r = -ENOENT;
    KIN__OS_FAULT(EADDRINUSE);
    for (int i = 0; r == -ENOENT && i < FRESH_TRIES; i++) {
        r = take_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), &fd);
        if (r < 0) {
            return r;
        }
        r = bind_and_listen(fd, place, is_private, backlog);
        if (r < 0) {
            close(fd);
        }
    }
    if (r == 0) {
        sweep_fresh(place);
        *ret_fd = fd;
    }
    return r;
}

void kin__os_listen_unlink(const struct kin__os_place *place)
{
    struct stat file;
    if (fstatat(place->folder_fd, place->name, &file, AT_SYMLINK_NOFOLLOW) == 0 &&
        file.st_dev == place->device && file.st_ino == place->inode) {
        unlinkat(place->folder_fd, place->name, 0);
    }
}

int kin__os_peer_user(int fd, uint32_t *ret_user)
{
    struct ucred peer = {0};
    socklen_t size = sizeof peer;
    KIN__OS_FAULT(EBADF);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        return -errno;
    }
    *ret_user = peer.uid;
    return 0;
}

uint32_t kin__os_user(void)
{
    return geteuid();
}

/* --- tcp --- */

int kin__os_socket_tcp(const struct kin__os_address *address, int *ret_fd)
{
    KIN__OS_FAULT(EMFILE);
    int family = ((const struct sockaddr *)address->bytes)->sa_family;
    return take_fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), ret_fd);
}

static int set_blocking(int fd, bool is_blocking)
{
    int flags = fcntl(fd, F_GETFL);
    flags = is_blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
    return fcntl(fd, F_SETFL, flags) != 0 ? -errno : 0;
}

int kin__os_listen_tcp(const struct kin__os_address *address, int backlog, int *ret_fd)
{
    int fd = -1;
    int on = 1;
    int r = kin__os_socket_tcp(address, &fd);
    if (r < 0) {
        return r;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (const struct sockaddr *)address->bytes, address->size) != 0 ||
        listen(fd, backlog) != 0) {
        r = -errno;
    }
    r = r < 0 ? r : set_blocking(fd, false);
    if (r < 0) {
        close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

int kin__os_socket_address(int fd, struct kin__os_address *ret_address)
{
    socklen_t size = sizeof ret_address->bytes;
    if (getsockname(fd, (struct sockaddr *)ret_address->bytes, &size) != 0) {
        return -errno;
    }
    ret_address->size = size;
    return 0;
}

int kin__os_connect_tcp(int fd, const struct kin__os_address *address)
{
    KIN__OS_FAULT(ECONNREFUSED);
    int r = set_blocking(fd, false);
    if (r == 0 && connect(fd, (const struct sockaddr *)address->bytes, address->size) != 0) {
        r = errno == EINTR ? -EINPROGRESS : -errno;
    }
    return r == 0 ? set_blocking(fd, true) : r;
}

int kin__os_connect_finish(int fd)
{
    int code = 0;
    socklen_t size = sizeof code;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0) {
        return -errno;
    }
    return code != 0 ? -code : set_blocking(fd, true);
}

void kin__os_socket_tune(int fd)
{
    static const struct {
        int level;
        int option;
        int value;
    } settings[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},   {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, 60}, {IPPROTO_TCP, TCP_KEEPINTVL, 10},
        {IPPROTO_TCP, TCP_KEEPCNT, 6},   {IPPROTO_TCP, TCP_USER_TIMEOUT, 120000}, /* ms */
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        setsockopt(fd, settings[i].level, settings[i].option, &settings[i].value, sizeof(int));
    }
}

/* --- accept --- */

int kin__os_accept(int fd, struct kin__os_address *ret_peer, int *ret_fd)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int one = -1;
    KIN__OS_FAULT(ECONNABORTED);
    do {
        one = accept4(fd, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC);
    } while (one < 0 && errno == EINTR);
    int r = take_fd(one, ret_fd);
    if (r == 0 && (peer.ss_family == AF_INET || peer.ss_family == AF_INET6)) {
        ret_peer->size = size;
        memcpy(ret_peer->bytes, &peer, size);
    }
    return r;
}

int kin__os_spare_fd(int *ret_fd)
{
    KIN__OS_FAULT(EMFILE);
    return take_fd(open("/dev/null", O_PATH | O_CLOEXEC), ret_fd);
}
