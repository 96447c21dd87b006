/*
 * The forkserver.
 *
 * A process with one thread, exec'd and therefore small, that has nothing to do but to fork: its
 * children do not pay for the memory of the program, nor do they inherit its threads' locks. Who
 * starts a child has claimed a slot for it, as for every other child, packed what it begins with,
 * and is its parent in the family; to the kernel, the server is. An order names the slot.
 *
 *     ordered     the slot is CLAIMED by who gave the order; the server may have forked, or not
 *     forked      a process exists that will take the slot, or find that it cannot, and end
 *     taken       the child runs; it closes the server's socket only now, so when the socket ends
 *                 without an answer it is decided whether there is a child
 *     answered    who gave the order knows the child by its process fd
 *     ended       the server has waited for it and noted in its record how it ended
 *
 * Killed at any point, the server leaves children that have taken their slots, and others that can
 * no longer once the slot is taken back by who had claimed it, or by its reaper. Who it serves may
 * die at any point too: then the answer finds nobody, and the child that nobody has heard of is
 * killed; the server ends, and the other children go on as any others whose parent was killed.
 *
 * It is the one process of a family that waits for any child and reads SIGCHLD: all its children
 * are its own doing. All other signals are blocked, for it would be wrong if Ctrl-C or a signal to
 * the whole group ended it before those who want to start something.
 */
#include "process/forkserver/server.h"

#include "family/family.h"
#include "family/keeper.h"
#include "family/member.h"
#include "os/listen.h"
#include "os/memory.h"
#include "os/poll.h"
#include "process/forkserver/wire.h"

#include <errno.h>
#include <signal.h>

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        kin__os_close(*fd);
        *fd = -1;
    }
}

/* Opens the process that it serves: the parent, if it is still who has started this one. */
static int open_parent(struct kin__server *server)
{
    const struct kin__member *parent = kin__member_of(kin__family.member->parent);
    uint32_t pid = parent->pid;
    int r = kin__os_process_open(pid, &server->parent_fd);
    return r < 0 ? r : kin__os_parent_id() == pid ? 0 : -ESRCH;
}

int kin__server_open(struct kin__server *server, int socket)
{
    *server = (struct kin__server){
        .socket = socket, .signal_fd = -1, .parent_fd = -1, .spare_fd = -1};
    kin__os_signals_block(&server->before);
    kin__os_become_subreaper();
    int r = open_parent(server);
    if (r == 0) {
        r = kin__os_signal_fd_create(SIGCHLD, &server->signal_fd);
    }
    if (r == 0) {
        r = kin__os_spare_fd(&server->spare_fd);
    }
    return r;
}

void kin__server_close(struct kin__server *server)
{
    close_fd(&server->socket);
    close_fd(&server->signal_fd);
    close_fd(&server->parent_fd);
    close_fd(&server->spare_fd);
    kin__charges_deinit(&server->charges);
    kin__os_signals_restore(&server->before);
}

static void reap_children(struct kin__server *server)
{
    uint32_t pid = 0;
    int code = 0;
    kin__os_signal_fd_clear(server->signal_fd); /* before the look: another end rings again */
    while (kin__os_process_reap_any(&pid, &code) == 0) {
        kin__charges_end(&server->charges, pid, code);
    }
}

/* Nobody is to hear of the child. Its end is seen to as that of any other. */
static void kill_child(struct kin__server *server, uint32_t owner)
{
    uint32_t pid = kin__charges_find(&server->charges, owner);
    if (pid != 0) {
        kin__os_signal(pid, SIGKILL); /* not waited for yet, so it is still this one */
    }
}

static int open_child(struct kin__server *server, uint32_t pid, struct kin__os_fds *fds)
{
    int r = kin__os_process_open(pid, &fds->fds[0]);
    if (r == -EMFILE || r == -ENFILE) {
        close_fd(&server->spare_fd);
        r = kin__os_process_open(pid, &fds->fds[0]);
    }
    fds->count = r == 0;
    return r;
}

/* Tells of a child that runs. */
static int answer_started(struct kin__server *server, struct kin__wire_record *answer)
{
    struct kin__os_fds fds = {0};
    int r = open_child(server, (uint32_t)answer->code, &fds);
    if (r == 0) {
        r = kin__wire_send(server->socket, answer, &fds);
        kin__wire_close(&fds);
    }
    if (r < 0) {
        kill_child(server, answer->owner);
        answer->code = r;
        r = r == -EPIPE ? r : kin__wire_send(server->socket, answer, NULL);
    }
    if (server->spare_fd < 0) {
        kin__os_spare_fd(&server->spare_fd);
    }
    return r;
}

static bool is_claimed_by_parent(uint32_t owner)
{
    const struct kin__member *member = kin__member_of(owner);
    return member != NULL &&
           atomic_load(&member->word) == kin__member_word(KIN__MEMBER_CLAIMED, KIN__MEMBER_PROCESS,
                                                          kin__owner_generation(owner),
                                                          kin__family.member->parent);
}

/* Forks. The child's id, 0 in the child, or why not. */
static int fork_child(struct kin__server *server, const struct kin__wire_record *order)
{
    if (!is_claimed_by_parent(order->owner)) {
        return -ESTALE;
    }
    int r = kin__charges_prepare(&server->charges, order->record);
    if (r < 0) {
        return r;
    }
    r = kin__child_fork(order->owner);
    if (r > 0) {
        kin__charges_add(&server->charges, (uint32_t)r, order->owner);
    } else if (r < 0) {
        kin__charges_drop(&server->charges);
    }
    return r;
}

/* A child is no server: what it has of one is of no use to it. */
static void become_child(struct kin__server *server)
{
    close_fd(&server->socket);
    close_fd(&server->signal_fd);
    close_fd(&server->parent_fd);
    close_fd(&server->spare_fd);
    kin__os_signals_restore(&server->before);
    kin__keeper_break_silence(); /* there are blocks that were given to it */
}

/* Carries out an order. 1: this is the child; 0; or a code: the connection is of no more use. */
static int obey(struct kin__server *server, struct kin__os_fds *fds)
{
    struct kin__wire_record order;
    int r = kin__wire_receive(server->socket, &order, fds);
    if (r < 0 && r != -EMFILE) {
        return r;
    }
    struct kin__wire_record answer = {.number = order.number, .owner = order.owner, .code = r};
    if (order.kind == KIN__WIRE_START) {
        answer.kind = KIN__WIRE_STARTED;
        answer.code = r < 0 ? r : fork_child(server, &order);
        if (answer.code == 0) {
            become_child(server);
            return 1;
        }
    } else if (order.kind == KIN__WIRE_KILL) {
        answer.kind = KIN__WIRE_KILLED;
        kill_child(server, order.owner);
    } else {
        return -EBADMSG;
    }
    kin__wire_close(fds); /* the child has them */
    return answer.code > 0 ? answer_started(server, &answer)
                           : kin__wire_send(server->socket, &answer, NULL);
}

bool kin__server_run(struct kin__server *server, struct kin__os_fds *ret_fds)
{
    enum { SOCKET, SIGNAL, PARENT, COUNT };
    while (server->socket >= 0 || server->charges.count > 0) {
        struct kin__os_poll polls[COUNT] = {
            [SOCKET] = {.fd = server->socket, .wanted = KIN__OS_POLL_READ},
            [SIGNAL] = {.fd = server->signal_fd, .wanted = KIN__OS_POLL_READ},
            [PARENT] = {.fd = server->parent_fd, .wanted = KIN__OS_POLL_READ},
        };
        kin__os_poll(polls, COUNT, INT64_MAX); /* failed: found nothing, and again */
        if (polls[PARENT].found != 0) {
            break;
        }
        if (polls[SIGNAL].found != 0) {
            reap_children(server);
        }
        if (polls[SOCKET].found != 0) {
            int r = obey(server, ret_fds);
            if (r > 0) {
                return true;
            }
            if (r < 0) {
                kin__wire_close(ret_fds);
                close_fd(&server->socket);
            }
        }
    }
    return false;
}
