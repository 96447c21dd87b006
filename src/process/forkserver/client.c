/*
 * A process's own forkserver: started when it is needed, asked, and replaced when it has died.
 *
 * One thread at a time talks to the server; it `is_busy` meanwhile, and the lock is not held. So a
 * fork need not wait until a server has run what is preloaded. What the forked child finds is
 * reset: it closes its copy of the socket, for the end of the socket is how the server learns that
 * nobody needs it any more, and how this process learns that the server is dead.
 *
 * Servers that were stopped run on until their children have ended. They are waited for by whoever
 * comes by to start something, and by kin_fini.
 *
 * A server that does not answer (it is stopped, or in a preload that does not end) is killed after
 * a while. The time is measured in slices: of the time in which this process was stopped itself, as
 * the server is with it by Ctrl-Z, one at most counts.
 */
#include "process/forkserver/client.h"

#include "base/allocate.h"
#include "family/call.h"
#include "family/member.h"
#include "family/runtime.h"
#include "os/memory.h"
#include "os/poll.h"
#include "os/process.h"
#include "process/forkserver/serve.h"
#include "process/forkserver/wire.h"
#include "process/process.h"
#include "process/record.h"
#include "process/runtime.h"

#include <errno.h>
#include <kin/context.h>
#include <kin/error.h>
#include <kin/forkserver.h>
#include <kin/list.h>
#include <kin/timeout.h>
#include <signal.h>

#define TRIES 5   /* to start a server that serves */
#define SLICES 20 /* of the time that it may take */

static kin_process *server_of(struct kin__list_node *node)
{
    return KIN_CONTAINER_OF(node, struct kin_process, node);
}

/* --- whose turn it is --- */

static int begin(void)
{
    struct kin__thread *self = NULL;
    int r = kin__self_find(&self);
    if (r < 0) {
        return r;
    }
    mtx_lock(&kin__forkserver.lock);
    while (kin__forkserver.is_busy) {
        cnd_wait(&kin__forkserver.idle, &kin__forkserver.lock);
    }
    kin__forkserver.is_busy = true;
    mtx_unlock(&kin__forkserver.lock);
    return 0;
}

static void end(void)
{
    mtx_lock(&kin__forkserver.lock);
    kin__forkserver.is_busy = false;
    mtx_unlock(&kin__forkserver.lock);
    cnd_signal(&kin__forkserver.idle);
}

/* --- its servers --- */

/* A forked child goes through the list, wherever other threads were. */
static void list_server(kin_process *server)
{
    mtx_lock(&kin__forkserver.lock);
    kin__list_append(&kin__forkserver.servers, &server->node);
    mtx_unlock(&kin__forkserver.lock);
}

static void unlist_server(kin_process *server)
{
    mtx_lock(&kin__forkserver.lock);
    kin__list_remove(&server->node);
    mtx_unlock(&kin__forkserver.lock);
}

/* Waits for those that have ended. By whose turn it is. */
static void reap_servers(void)
{
    KIN_LIST_EACH (&kin__forkserver.servers, node) {
        kin_process *server = server_of(node);
        if (kin__process_look(server) == 0) {
            unlist_server(server);
            kin__process_reap_member(server);
            kin__process_release(server);
        }
    }
}

void kin__forkserver_sweep(void)
{
    mtx_lock(&kin__forkserver.lock);
    bool is_mine = !kin__forkserver.is_busy && !kin__list_is_empty(&kin__forkserver.servers);
    kin__forkserver.is_busy |= is_mine;
    mtx_unlock(&kin__forkserver.lock);
    if (is_mine) {
        reap_servers();
        end();
    }
}

/* --- its life --- */

static void close_fd(int *fd)
{
    mtx_lock(&kin__forkserver.lock); /* a forked child has both or neither */
    if (*fd >= 0) {
        kin__os_close(*fd);
        *fd = -1;
    }
    mtx_unlock(&kin__forkserver.lock);
}

void kin__forkserver_kill(uint32_t owner)
{
    mtx_lock(&kin__forkserver.lock);
    KIN_LIST_EACH (&kin__forkserver.servers, node) {
        const kin_process *server = server_of(node);
        if (server->owner == owner && server->fd >= 0) {
            kin__os_process_signal(server->fd, SIGKILL);
        }
    }
    mtx_unlock(&kin__forkserver.lock);
}

/* Waits until it says something, or ends. -ETIMEDOUT: it does not, and was killed. */
static int await_word(int64_t limit_ms)
{
    struct kin__os_poll word = {.fd = kin__forkserver.socket, .wanted = KIN__OS_POLL_READ};
    for (int i = 0; i < SLICES; i++) {
        int64_t deadline_ns = kin_within_ms(limit_ms / SLICES).deadline_ns;
        if (kin__os_poll(&word, 1, deadline_ns) != 0) { /* also if it cannot be looked for */
            return 0;
        }
    }
    kin__forkserver_kill(kin__forkserver.owner);
    return -ETIMEDOUT;
}

static int open_sockets(void)
{
    mtx_lock(&kin__forkserver.lock);
    int fds[2];
    int r = kin__os_message_pair(fds);
    if (r == 0) {
        kin__forkserver.socket = fds[0];
        kin__forkserver.server_socket = fds[1];
    }
    mtx_unlock(&kin__forkserver.lock);
    return r;
}

/* What the server is to run. */
static int plan_server(struct kin__process_plan *plan)
{
    kin_object *preloads = kin__forkserver.preloads == NULL
                               ? kin_list_create()
                               : kin_object_ref(kin__forkserver.preloads);
    plan->function = kin__forkserver_serve;
    plan->context = kin_context_get(KIN_SPAWN);
    plan->arguments = KIN_TUPLE(preloads);
    plan->fds = kin__allocate_array(1, sizeof *plan->fds);
    if (plan->arguments == NULL || plan->fds == NULL) {
        return -ENOMEM;
    }
    plan->fds[0] = kin__forkserver.server_socket;
    plan->fd_count = 1;
    return 0;
}

/* Makes the object of a server, which is nobody's child but this file's. */
static int create_server(kin_process **ret_server)
{
    kin_process *server = NULL;
    int r = kin__process_create("forkserver", false, true, &server);
    if (r < 0) {
        return r;
    }
    mtx_lock(&kin__children.lock);
    kin__list_remove(&server->node);
    mtx_unlock(&kin__children.lock);
    r = plan_server(&server->plan);
    if (r < 0) {
        kin__process_release(server);
        return r;
    }
    *ret_server = server;
    return 0;
}

static int launch_server(void)
{
    kin_process *server = NULL;
    int r = create_server(&server);
    if (r < 0) {
        return r;
    }
    list_server(server);
    r = kin_process_launch(server);
    if (r == 0) {
        kin__forkserver.owner = server->owner;
    } else {
        unlist_server(server);
        kin__process_release(server);
    }
    return r;
}

/* Reads the one thing that a server says by itself. */
static int await_ready(void)
{
    struct kin__wire_record record;
    struct kin__os_fds fds = {0};
    int r = await_word(kin__forkserver.ready_ms);
    if (r == 0) {
        r = kin__wire_receive(kin__forkserver.socket, &record, &fds);
    }
    kin__wire_close(&fds);
    return r < 0 ? r : record.kind == KIN__WIRE_READY ? record.code : -EBADMSG;
}

/* Starts a server that serves. -EPIPE: it died before. */
static int start_server(void)
{
    int r = open_sockets();
    if (r == 0) {
        r = launch_server();
        close_fd(&kin__forkserver.server_socket);
    }
    if (r == 0) {
        r = await_ready();
    }
    if (r < 0) {
        close_fd(&kin__forkserver.socket);
    }
    return r;
}

static int ensure_server(void)
{
    int r = kin__forkserver.socket >= 0 ? 0 : -EPIPE;
    for (int i = 0; i < TRIES && r == -EPIPE; i++) {
        reap_servers();
        r = start_server();
    }
    return r == -EPIPE ? KIN_EWORKER : r;
}

int kin_forkserver_ensure_running(void)
{
    int r = begin();
    if (r == 0) {
        r = ensure_server();
        end();
    }
    return r;
}

int kin_forkserver_stop(void)
{
    int r = begin();
    if (r == 0) {
        close_fd(&kin__forkserver.socket);
        reap_servers();
        end();
    }
    return r;
}

/* --- orders --- */

/* Sends an order and waits for the answer. Without one nobody knows whether the order was carried
 * out: then the server is as good as dead, also if it runs. -EPIPE; or why nothing was sent. */
static int ask(struct kin__wire_record *record, const struct kin__os_fds *fds,
               struct kin__os_fds *ret_fds)
{
    uint32_t kind = record->kind + 1; /* of the answer */
    uint64_t number = ++kin__forkserver.number;
    record->number = number;
    ret_fds->count = 0;
    int r = kin__wire_send(kin__forkserver.socket, record, fds);
    if (r < 0 && r != -EPIPE) {
        return r;
    }
    r = r == 0 ? await_word(kin__forkserver.answer_ms) : r;
    if (r == 0) {
        r = kin__wire_receive(kin__forkserver.socket, record, ret_fds);
        r = r == -EMFILE ? 0 : r; /* what did not come is missed below */
    }
    if (r < 0 || record->kind != kind || record->number != number) {
        kin__wire_close(ret_fds);
        close_fd(&kin__forkserver.socket);
        return -EPIPE;
    }
    return 0;
}

/* There was no fd left for the child, which the server alone can name without one. -EMFILE: it was
 * killed; or what has become of it is not known. */
static int kill_child(uint32_t owner)
{
    struct kin__wire_record record = {.kind = KIN__WIRE_KILL, .owner = owner};
    struct kin__os_fds fds;
    int r = ask(&record, NULL, &fds);
    if (r == 0) {
        kin__wire_close(&fds);
    } else if (r != -EPIPE) { /* it cannot be asked either */
        kin__forkserver_kill(kin__forkserver.owner);
        close_fd(&kin__forkserver.socket);
    }
    return r == 0 ? -EMFILE : -EPIPE;
}

static int order_child(const struct kin__forkserver_order *order, const struct kin__os_fds *fds,
                       struct kin__forkserver_child *ret_child)
{
    struct kin__os_fds child = {0};
    struct kin__wire_record record = {
        .kind = KIN__WIRE_START, .owner = order->owner, .record = order->record};
    int r = ask(&record, fds, &child);
    if (r < 0) {
        return r;
    }
    if (record.code < 0) {
        r = record.code;
    } else if (child.count == 1) {
        ret_child->pid = (uint32_t)record.code;
        ret_child->fd = child.fds[0];
        return 0;
    } else {
        r = kill_child(order->owner);
    }
    kin__wire_close(&child);
    return r;
}

int kin__forkserver_start(const struct kin__forkserver_order *order,
                          struct kin__forkserver_child *ret_child)
{
    struct kin__os_fds fds = {.count = order->fd_count};
    if (order->fd_count > KIN__OS_FDS_MAX) {
        return KIN_ELIMIT;
    }
    for (uint32_t i = 0; i < fds.count; i++) {
        fds.fds[i] = order->fds[i];
    }
    int r = begin();
    if (r == 0) {
        r = ensure_server();
        ret_child->server = kin__forkserver.owner;
        if (r == 0) {
            r = order_child(order, &fds, ret_child);
        }
        end();
    }
    return r;
}

/* --- what is to be run in it --- */

static int forget_preloads(void)
{
    int r = begin();
    if (r == 0) {
        mtx_lock(&kin__forkserver.lock);
        kin_object *preloads = kin__forkserver.preloads;
        kin__forkserver.preloads = NULL;
        mtx_unlock(&kin__forkserver.lock);
        kin_object_free(preloads);
        end();
    }
    return r;
}

/* Under the lock: a child that is forked meanwhile has the list as it was, or as it is then. */
static int list_preload(const kin_object *preload)
{
    mtx_lock(&kin__forkserver.lock);
    if (kin__forkserver.preloads == NULL) {
        kin__forkserver.preloads = kin_list_create();
    }
    int r = kin_list_append(kin__forkserver.preloads, kin_object_ref(preload));
    mtx_unlock(&kin__forkserver.lock);
    return r;
}

int kin_forkserver_preload(kin_function *function, const kin_object *arguments)
{
    if (function == NULL && arguments == NULL) {
        return forget_preloads();
    }
    const char *name = function == NULL ? NULL : kin__function_name(function);
    if (name == NULL) {
        return function == NULL ? -EINVAL : KIN_EFUNCTION;
    }
    kin_object *preload = KIN_TUPLE(kin_object_from_text(name), kin_object_ref(arguments));
    int r = preload == NULL ? -ENOMEM : begin();
    if (r == 0) {
        r = kin__forkserver.socket >= 0 ? -EALREADY : list_preload(preload);
        end();
    }
    kin_object_free(preload);
    return r;
}

/* --- the layer's hooks --- */

static void lock(void)
{
    mtx_lock(&kin__forkserver.lock);
}

static void unlock(void)
{
    mtx_unlock(&kin__forkserver.lock);
}

/* In a forked child: the server is its parent's, and so is what a thread of the parent is at. */
static void forget(void)
{
    if (kin__forkserver.socket >= 0) {
        kin__os_close(kin__forkserver.socket);
        kin__forkserver.socket = -1;
    }
    if (kin__forkserver.server_socket >= 0) {
        kin__os_close(kin__forkserver.server_socket);
        kin__forkserver.server_socket = -1;
    }
    kin__forkserver.is_busy = false;
    cnd_init(&kin__forkserver.idle);
    KIN_LIST_EACH (&kin__forkserver.servers, node) {
        kin_process *server = server_of(node);
        kin__list_remove(node);
        kin__record_forget(server->record);
        server->record = NULL;
        kin__process_release(server);
    }
    mtx_unlock(&kin__forkserver.lock);
}

/* kin_fini, after all children have ended; no other thread is in kin. So no server has anything
 * left to do but to end. */
static void leave(void)
{
    close_fd(&kin__forkserver.socket);
    int64_t deadline_ns = kin_within_ms(kin__forkserver.leave_ms).deadline_ns;
    KIN_LIST_EACH (&kin__forkserver.servers, node) {
        const kin_process *server = server_of(node);
        if (kin__os_process_wait(server->fd, deadline_ns) < 0) {
            kin__os_process_signal(server->fd, SIGKILL);
            kin__os_process_wait(server->fd, INT64_MAX);
        }
    }
    reap_servers();
    kin__forkserver.preloads = kin_object_free(kin__forkserver.preloads);
}

static const struct kin__layer_hooks hooks = {
    .fini = leave,
    .fork_before = lock,
    .fork_parent = unlock,
    .fork_child = forget,
};

__attribute__((constructor)) static void register_layer(void)
{
    mtx_init(&kin__forkserver.lock, mtx_plain);
    cnd_init(&kin__forkserver.idle);
    kin__list_init(&kin__forkserver.servers);
    kin__layers[KIN__LAYER_FORKSERVER] = &hooks;
}
