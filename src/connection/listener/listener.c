#include "connection/listener/listener.h"

#include "base/allocate.h"
#include "connection/runtime.h"
#include "family/sleep.h"
#include "os/memory.h"
#include "os/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define UNIX_PREFIX "unix:"
#define TCP_PREFIX "tcp:"

enum {
    BACKLOG = 4096, /* cut by the system's own limit */
    DEFAULT_HALF_OPEN = 128,
    DEFAULT_CONNECTIONS = 1024,
    COUNT_MAX = 1 << 20,
};

/* --- what becomes of those who come --- */

static uint64_t *count_of(kin_listener_counts *counts, int code)
{
    switch (code) {
    case KIN_EAUTHENTICATION:
    case KIN_EDIGEST:
        return &counts->rejected;
    case -EBADMSG:
    case -EPROTO:
        return &counts->malformed;
    case -ETIMEDOUT:
        return &counts->timed_out;
    case -ENOMEM:
    case -EIO:
    case -ENOSYS:
        return &counts->dropped;
    default:
        return &counts->left;
    }
}

static void note(kin_listener *listener, uint64_t *count, int code,
                 const struct kin__os_address *peer)
{
    mtx_lock(&listener->lock);
    (*count)++;
    listener->last_code = code;
    listener->last_peer[0] = '\0';
    if (peer->size > 0) {
        kin__os_address_format(peer, listener->last_peer);
    }
    mtx_unlock(&listener->lock);
}

void kin__listener_note(kin_listener *listener, int code, const struct kin__os_address *peer)
{
    note(listener, count_of(&listener->counts, code), code, peer);
}

void kin__listener_note_dropped(kin_listener *listener, const struct kin__os_address *peer)
{
    note(listener, &listener->counts.dropped, -EBUSY, peer);
}

int kin_listener_count(kin_listener *listener, kin_listener_counts *ret_counts)
{
    if (listener == NULL || ret_counts == NULL) {
        return -EINVAL;
    }
    mtx_lock(&listener->lock);
    *ret_counts = listener->counts;
    mtx_unlock(&listener->lock);
    return 0;
}

kin_error *kin_listener_last_error(kin_listener *listener)
{
    char peer[KIN__OS_ADDRESS_TEXT_BYTES];
    if (listener == NULL) {
        return NULL;
    }
    mtx_lock(&listener->lock);
    int code = listener->last_code;
    memcpy(peer, listener->last_peer, sizeof peer);
    mtx_unlock(&listener->lock);
    if (code == 0) {
        return NULL;
    }
    const char *why = code == -EBUSY ? "too many at a time" : kin_code_text(code);
    return peer[0] == '\0' ? KIN_ERROR(code, "a client was turned away: %s", why)
                           : KIN_ERROR(code, "a client at %s was turned away: %s", peer, why);
}

/* --- making one --- */

static int copy_text(kin_listener *listener, const char *first, const char *second,
                     const char *third)
{
    const char *prefix = listener->address.is_unix ? UNIX_PREFIX : TCP_PREFIX;
    size_t bytes = strlen(prefix) + strlen(first) + strlen(second) + strlen(third) + 1;
    listener->text = kin__allocate(bytes);
    if (listener->text == NULL) {
        return -ENOMEM;
    }
    snprintf(listener->text, bytes, "%s%s%s%s", prefix, first, second, third);
    return 0;
}

static int make_folder(kin_listener *listener, char *path, size_t bytes)
{
    int r = kin__os_folder_create(path, bytes);
    if (r < 0) {
        return r;
    }
    char *folder = kin__allocate(strlen(path) + 1);
    if (folder == NULL) {
        kin__os_folder_remove(path);
        return -ENOMEM;
    }
    listener->file->folder = memcpy(folder, path, strlen(path) + 1);
    return 0;
}

static void remove_file(void *user)
{
    struct kin__socket_file *file = user;
    if (file->is_there) {
        kin__os_listen_unlink(&file->place);
    }
    if (file->folder != NULL) {
        kin__os_folder_remove(file->folder);
    }
    atomic_store(&file->is_removed, true);
}

static void release_file(struct kin__socket_file *file)
{
    kin__os_close(file->place.folder_fd);
    kin__release(file->folder);
    kin__release(file);
}

static int listen_unix(kin_listener *listener)
{
    char folder[4096] = "";
    const char *path = listener->address.path;
    const char *between = "";
    int r = 0;
    struct kin__socket_file *file = kin__allocate_zeroed(sizeof *file);
    if (file == NULL) {
        return -ENOMEM;
    }
    file->place.folder_fd = -1;
    listener->file = file;
    if (path[0] == '\0') {
        path = "/" KIN__OS_LISTENER_NAME;
        r = make_folder(listener, folder, sizeof folder);
    } else if (path[0] != '/') { /* who connects may be in another folder */
        between = "/";
        r = kin__os_working_folder(folder, sizeof folder);
    }
    r = r == 0 ? copy_text(listener, folder, between, path) : r;
    r = r == 0 ? kin__os_place_open(listener->text + strlen(UNIX_PREFIX), &file->place) : r;
    r = r == 0 ? kin_finalizer_create(remove_file, file, NULL, &listener->remover) : r;
    if (r < 0) {
        return r;
    }
    bool is_private = !listener->terms.allows_any_user && listener->terms.user == kin__os_user();
    r = kin__os_listen_unix(&file->place, is_private, BACKLOG, &listener->fd);
    file->is_there = r == 0;
    return r;
}

static int listen_tcp(kin_listener *listener)
{
    struct kin__os_address addresses[KIN__OS_ADDRESSES_MAX];
    char text[KIN__OS_ADDRESS_TEXT_BYTES];
    int count = kin__terms_resolve(&listener->terms, &listener->address, addresses);
    int r = count;
    for (int i = 0; i < count; i++) {
        r = kin__os_listen_tcp(&addresses[i], BACKLOG, &listener->fd);
        if (r == 0) {
            break;
        }
    }
    r = r == 0 ? kin__os_socket_address(listener->fd, &addresses[0]) : r;
    if (r < 0) {
        return r;
    }
    kin__os_address_format(&addresses[0], text);
    return copy_text(listener, text, "", "");
}

static const kin_listener_options *resolve(const kin_listener_options *options,
                                           kin_listener_options *resolved)
{
    static const kin_listener_options defaults = {.size = sizeof defaults};
    if (options != NULL && options->size != sizeof *options) {
        return NULL;
    }
    *resolved = options == NULL ? defaults : *options;
    if (resolved->half_open_count_max == 0) {
        resolved->half_open_count_max = DEFAULT_HALF_OPEN;
    }
    if (resolved->connection_count_max == 0) {
        resolved->connection_count_max = DEFAULT_CONNECTIONS;
    }
    bool is_possible = resolved->half_open_count_max <= COUNT_MAX &&
                       resolved->connection_count_max <= COUNT_MAX;
    return is_possible ? resolved : NULL;
}

static int fill(kin_listener *listener, const kin_listener_options *options)
{
    struct kin__terms_wish wish = KIN__TERMS_WISH(KIN__HANDSHAKE_SERVER, options);
    int r = kin__terms_init(&wish, &listener->address, &listener->terms);
    r = r == 0 ? kin_lock_create(KIN_OPTIONS(kin_lock_options, .scope = KIN_SCOPE_PROCESS),
                                 &listener->turn)
               : r;
    if (r < 0) {
        return r;
    }
    return listener->address.is_unix ? listen_unix(listener) : listen_tcp(listener);
}

int kin_listener_create(const char *address, const kin_listener_options *options,
                        kin_listener **ret_listener)
{
    kin_listener_options resolved;
    if (ret_listener == NULL || (options = resolve(options, &resolved)) == NULL) {
        return -EINVAL;
    }
    kin_listener *listener = kin__allocate_zeroed(sizeof *listener);
    if (listener == NULL) {
        return -ENOMEM;
    }
    *listener = (kin_listener){.pid = kin__os_process_id(), .fd = -1};
    int r = kin__address_parse(address, &listener->address);
    r = r == 0 ? kin__crowd_init(&listener->crowd, options->half_open_count_max,
                                 options->connection_count_max)
               : r;
    if (r < 0 || mtx_init(&listener->lock, mtx_plain) != thrd_success) {
        kin__release(listener);
        return r < 0 ? r : -ENOMEM;
    }
    r = fill(listener, options);
    if (r < 0) {
        kin_listener_free(listener);
        return r;
    }
    listener->address.path = NULL; /* the caller's */
    mtx_lock(&kin__listeners.lock);
    kin__list_append(&kin__listeners.list, &listener->node);
    mtx_unlock(&kin__listeners.lock);
    *ret_listener = listener;
    return 0;
}

/* Of a forked child's copy, the file is the parent's, and so is the finalizer. At exit, another
 * thread may be at the removal: what that needs is left to the end of the process. */
static void free_file(kin_listener *listener, bool is_own)
{
    struct kin__socket_file *file = listener->file;
    if (is_own && listener->remover == NULL) {
        remove_file(file);
    } else if (is_own) {
        kin_finalizer_run(listener->remover);
    }
    if (!is_own || atomic_load(&file->is_removed)) {
        release_file(file);
    }
    kin_finalizer_free(listener->remover);
}

/* Of a forked child's copy only the fds go: the socket file is the parent's, and OpenSSL's state is
 * whatever it was at the fork. */
kin_listener *kin_listener_free(kin_listener *listener)
{
    if (listener == NULL) {
        return NULL;
    }
    bool is_own = listener->pid == kin__os_process_id();
    mtx_lock(&kin__listeners.lock);
    if (kin__list_node_is_linked(&listener->node)) {
        kin__list_remove(&listener->node);
    }
    mtx_unlock(&kin__listeners.lock);
    if (listener->file != NULL) {
        free_file(listener, is_own);
    }
    kin__os_close(listener->fd);
    kin__crowd_deinit(&listener->crowd);
    if (!is_own) {
        listener->terms.tls = NULL;
    }
    kin__terms_deinit(&listener->terms);
    kin_lock_free(listener->turn);
    kin__release(listener->text);
    mtx_destroy(&listener->lock);
    kin__release(listener);
    return NULL;
}

const char *kin_listener_address(const kin_listener *listener)
{
    return listener == NULL ? NULL : listener->text;
}

/* --- accept --- */

/* Rounds, until there is a connection or the time is over. */
static int take_turns(kin_listener *listener, kin_timeout timeout, kin_connection **ret_connection)
{
    for (;;) {
        int r = kin__crowd_turn(listener, timeout, ret_connection);
        mtx_lock(&listener->lock);
        listener->counts.half_open = listener->crowd.count;
        listener->counts.accepted += r == 1;
        mtx_unlock(&listener->lock);
        if (r != 0) {
            return r == 1 ? 0 : r;
        }
        r = kin__timeout_is_over(timeout); /* a crowd may keep this busy for ever */
        if (r < 0) {
            return r;
        }
    }
}

int kin_listener_accept(kin_listener *listener, kin_timeout timeout,
                        kin_connection **ret_connection)
{
    int r = listener == NULL || ret_connection == NULL ? -EINVAL : kin__timeout_check(timeout);
    if (r < 0) {
        return r;
    }
    if (listener->pid != kin__os_process_id()) {
        return -ESTALE;
    }
    r = kin_lock_acquire(listener->turn, timeout);
    if (r < 0) {
        return r;
    }
    if (r == KIN_OWNER_DIED) { /* a thread that ended in here: at worst a client hangs on */
        kin_lock_mark_consistent(listener->turn);
    }
    r = take_turns(listener, timeout, ret_connection);
    kin_lock_release(listener->turn);
    return r;
}
