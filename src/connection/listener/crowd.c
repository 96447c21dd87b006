#include "connection/listener/crowd.h"

#include "base/allocate.h"
#include "connection/listener/listener.h"
#include "connection/poll.h"
#include "connection/runtime.h"
#include "family/directory.h"
#include "os/clock.h"
#include "os/memory.h"

#include <errno.h>
#include <kin/error.h>

enum { BATCH = 64 }; /* taken from the kernel's line before those who are there get their step */

int kin__crowd_init(struct kin__crowd *crowd, uint32_t count_max, uint32_t connection_count_max)
{
    *crowd = (struct kin__crowd){
        .count_max = count_max, .connection_count_max = connection_count_max, .spare_fd = -1};
    kin__list_init(&crowd->openings);
    int r = kin__os_spare_fd(&crowd->spare_fd);
    if (r < 0) {
        return r;
    }
    crowd->polls = kin__allocate_array((size_t)count_max + 2, sizeof *crowd->polls);
    if (crowd->polls == NULL) {
        kin__os_close(crowd->spare_fd);
        return -ENOMEM;
    }
    return 0;
}

static struct kin__opening *opening_at(struct kin__list_node *node)
{
    return KIN_CONTAINER_OF(node, struct kin__opening, node);
}

/* Who is half open must be whole when another thread forks, see fork.c. */
static void enter(struct kin__crowd *crowd, struct kin__opening *opening)
{
    mtx_lock(&kin__listeners.lock);
    kin__list_append(&crowd->openings, &opening->node);
    mtx_unlock(&kin__listeners.lock);
    crowd->count++;
}

static void leave(struct kin__crowd *crowd, struct kin__opening *opening)
{
    mtx_lock(&kin__listeners.lock);
    kin__list_remove(&opening->node);
    mtx_unlock(&kin__listeners.lock);
    crowd->count--;
}

void kin__crowd_deinit(struct kin__crowd *crowd)
{
    KIN_LIST_EACH (&crowd->openings, node) {
        struct kin__opening *opening = opening_at(node);
        leave(crowd, opening);
        kin__opening_free(opening);
    }
    kin__os_close(crowd->spare_fd);
    kin__release(crowd->connections);
    kin__release(crowd->polls);
}

/* --- whom it has let in --- */

/* Whether one more connection is over the limit. Those that are gone, in every process that had
 * them, are forgotten when the list is full. */
static bool is_full(struct kin__crowd *crowd)
{
    if (crowd->connection_count < crowd->connection_count_max) {
        return false;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < crowd->connection_count; i++) {
        if (kin__directory_find(crowd->connections[i]) != NULL) {
            crowd->connections[kept++] = crowd->connections[i];
        }
    }
    crowd->connection_count = kept;
    return kept >= crowd->connection_count_max;
}

/* Room for one more. 0, or -ENOMEM. */
static int reserve_connection(struct kin__crowd *crowd)
{
    if (crowd->connection_count < crowd->connection_capacity) {
        return 0;
    }
    uint32_t capacity = crowd->connection_capacity * 2 + 16;
    kin_handle *more = kin__reallocate(crowd->connections, capacity * sizeof *more);
    if (more == NULL) {
        return -ENOMEM;
    }
    crowd->connections = more;
    crowd->connection_capacity = capacity;
    return 0;
}

/* One is open. 1: `ret_connection` is it; 0: it had to go. */
static int let_in(kin_listener *listener, struct kin__opening *opening,
                  kin_connection **ret_connection)
{
    struct kin__crowd *crowd = &listener->crowd;
    kin_connection *connection = NULL;
    struct kin__os_address peer = opening->peer;
    leave(crowd, opening);
    int r = is_full(crowd) ? -EMFILE : reserve_connection(crowd);
    r = r == 0 ? kin__opening_finish(opening, &connection) : r;
    if (r < 0) {
        kin__opening_free(opening);
        kin__listener_note_dropped(listener, &peer);
        return 0;
    }
    crowd->connections[crowd->connection_count++] = kin_connection_handle(connection);
    *ret_connection = connection;
    return 1;
}

/* --- who comes and goes --- */

static void turn_away(kin_listener *listener, struct kin__opening *opening, int code)
{
    leave(&listener->crowd, opening);
    kin__listener_note(listener, code, &opening->peer);
    kin__opening_free(opening);
}

/* Who has been there longest without having proved anything; NULL: nobody. */
static struct kin__opening *oldest_silent(struct kin__crowd *crowd)
{
    KIN_LIST_EACH (&crowd->openings, node) {
        if (!opening_at(node)->has_proved) {
            return opening_at(node);
        }
    }
    return NULL;
}

/* Makes a place by sending away who has been silent longest, and long enough. */
static bool make_place(kin_listener *listener)
{
    struct kin__opening *oldest = oldest_silent(&listener->crowd);
    if (oldest == NULL || kin__os_now_ns() - oldest->begun_ns < KIN__CROWD_GRACE_NS) {
        return false;
    }
    leave(&listener->crowd, oldest);
    kin__listener_note_dropped(listener, &oldest->peer);
    kin__opening_free(oldest);
    return true;
}

/* When there is a place again, at the latest. */
static int64_t next_place_ns(struct kin__crowd *crowd)
{
    const struct kin__opening *oldest = oldest_silent(crowd);
    return oldest == NULL ? INT64_MAX : oldest->begun_ns + KIN__CROWD_GRACE_NS;
}

/* One has come. */
static void welcome(kin_listener *listener, int fd, const struct kin__os_address *peer)
{
    struct kin__opening *opening = NULL;
    bool is_unix = listener->address.is_unix;
    int r = is_unix ? kin__terms_check_user(&listener->terms, fd) : 0;
    if (r < 0) {
        kin__os_close(fd);
        kin__listener_note(listener, r, peer);
        return;
    }
    if (!is_unix) {
        kin__os_socket_tune(fd);
    }
    r = is_full(&listener->crowd)
            ? -EMFILE
            : kin__opening_begin(&listener->terms, fd, &listener->address, &opening);
    if (r < 0) {
        kin__os_close(fd);
        kin__listener_note_dropped(listener, peer);
        return;
    }
    opening->peer = *peer;
    enter(&listener->crowd, opening);
}

/* There are no fds left: takes the next one with the spare fd, and turns him away. */
static void drop_next(kin_listener *listener)
{
    struct kin__crowd *crowd = &listener->crowd;
    struct kin__os_address peer = {.size = 0};
    int fd = -1;
    kin__os_close(crowd->spare_fd);
    crowd->spare_fd = -1;
    int r = kin__os_accept(listener->fd, &peer, &fd);
    if (r == 0) {
        kin__os_close(fd);
        kin__listener_note_dropped(listener, &peer);
    }
    if (kin__os_spare_fd(&crowd->spare_fd) < 0 || (r < 0 && r != -EAGAIN)) {
        crowd->paused_until_ns = kin__os_now_ns() + KIN__CROWD_PAUSE_NS;
    }
}

/* Takes from the kernel's line whom there is a place for. */
static void take_newcomers(kin_listener *listener)
{
    struct kin__crowd *crowd = &listener->crowd;
    for (int i = 0; i < BATCH; i++) {
        struct kin__os_address peer = {.size = 0};
        int fd = -1;
        if (crowd->count >= crowd->count_max && !make_place(listener)) {
            return;
        }
        int r = kin__os_accept(listener->fd, &peer, &fd);
        if (r == -EAGAIN) {
            return;
        }
        if (r == 0) {
            welcome(listener, fd, &peer);
        } else if (r == -EMFILE || r == -ENFILE || r == -ENOMEM || r == -ENOBUFS) {
            if (!make_place(listener)) {
                drop_next(listener);
                return;
            }
        }
    }
}

/* Lets one take a step. 1: it has become a connection. */
static int step(kin_listener *listener, struct kin__opening *opening,
                kin_connection **ret_connection)
{
    int r = kin__opening_step(opening);
    if (r == 1) {
        return let_in(listener, opening, ret_connection);
    }
    if (r == 0 && kin__os_now_ns() - opening->begun_ns >= listener->terms.handshake_ns) {
        r = -ETIMEDOUT;
    }
    if (r < 0) {
        turn_away(listener, opening, r);
    }
    return 0;
}

/* --- one round --- */

/* Fills in what is to be polled. Returns when to stop although nothing happened. */
static int64_t prepare(kin_listener *listener, uint32_t *ret_count)
{
    struct kin__crowd *crowd = &listener->crowd;
    int64_t deadline_ns = INT64_MAX;
    bool is_crowded = crowd->count >= crowd->count_max;
    bool is_paused = kin__os_now_ns() < crowd->paused_until_ns;
    uint32_t count = 0;
    crowd->polls[count++] = (struct kin__os_poll){.fd = is_crowded || is_paused ? -1 : listener->fd,
                                                  .wanted = KIN__OS_POLL_READ};
    if (is_paused) {
        deadline_ns = crowd->paused_until_ns;
    } else if (is_crowded) {
        deadline_ns = next_place_ns(crowd);
    }
    KIN_LIST_EACH (&crowd->openings, node) {
        const struct kin__opening *opening = opening_at(node);
        int64_t late_ns = opening->begun_ns + listener->terms.handshake_ns;
        deadline_ns = late_ns < deadline_ns ? late_ns : deadline_ns;
        crowd->polls[count++] = (struct kin__os_poll){.fd = opening->transport->fd,
                                                      .wanted = opening->wanted};
    }
    *ret_count = count;
    return deadline_ns;
}

/* Waits until something happens. 0: look; or the code of a timeout that is over. */
static int wait(kin_listener *listener, kin_timeout timeout)
{
    uint32_t count = 0;
    int64_t deadline_ns = prepare(listener, &count);
    bool is_sooner = deadline_ns < timeout.deadline_ns;
    kin_timeout until = is_sooner ? kin_by(deadline_ns, timeout.cancel) : timeout;
    int r = kin__poll(listener->crowd.polls, count, until);
    return r > 0 || (is_sooner && r == -ETIMEDOUT) ? 0 : r;
}

/* Lets those take a step who are ready, or late. 1: one has become a connection. */
static int step_ready(kin_listener *listener, kin_connection **ret_connection)
{
    struct kin__crowd *crowd = &listener->crowd;
    uint32_t index = 1;
    KIN_LIST_EACH (&crowd->openings, node) {
        struct kin__opening *opening = opening_at(node);
        bool is_ready = crowd->polls[index++].found != 0;
        bool is_late = kin__os_now_ns() - opening->begun_ns >= listener->terms.handshake_ns;
        if ((is_ready || is_late) && step(listener, opening, ret_connection) == 1) {
            return 1;
        }
    }
    return 0;
}

/* The same for those who have just come, and so want nothing yet. */
static int step_new(kin_listener *listener, kin_connection **ret_connection)
{
    KIN_LIST_EACH (&listener->crowd.openings, node) {
        struct kin__opening *opening = opening_at(node);
        if (opening->wanted == 0 && step(listener, opening, ret_connection) == 1) {
            return 1;
        }
    }
    return 0;
}

int kin__crowd_turn(kin_listener *listener, kin_timeout timeout, kin_connection **ret_connection)
{
    struct kin__crowd *crowd = &listener->crowd;
    bool is_crowded = crowd->count >= crowd->count_max;
    int r = wait(listener, timeout);
    if (r < 0 && r != -EAGAIN && r != -ETIMEDOUT) {
        return r;
    }
    if (step_ready(listener, ret_connection) == 1) {
        return 1;
    }
    bool is_called = crowd->polls[0].found != 0 || is_crowded;
    if (is_called && kin__os_now_ns() >= crowd->paused_until_ns) {
        take_newcomers(listener);
    }
    return step_new(listener, ret_connection) == 1 ? 1 : r;
}
