#include "pool/exchange.h"

#include "base/allocate.h"
#include "family/sleep.h"
#include "os/memory.h"
#include "os/poll.h"
#include "pool/pool.h"

#include <errno.h>

#define TELL_AGAIN_NS 1000000000

/* The answer; the fds come with it. */
struct answer {
    int32_t code;
    uint32_t count;
};

/* --- sending and receiving one small thing --- */

static int send_whole(int fd, kin_bytes bytes, const struct kin__os_fds *fds)
{
    struct kin__os_output output = {.pieces = &bytes, .count = 1, .fds = fds};
    int64_t sent = kin__os_socket_send(fd, &output);
    return sent < 0 ? (int)sent : 0;
}

/* 0; -EPIPE: the end; -EAGAIN: nothing is there, and may not wait. */
static int receive_whole(int fd, struct kin__os_room room, struct kin__os_fds *fds, bool may_wait)
{
    struct kin__os_intake intake = {.rooms = &room, .count = 1, .may_wait = may_wait, .fds = fds};
    int64_t size = kin__os_socket_receive(fd, &intake);
    return size < 0 ? (int)size : (size_t)size == room.size ? 0 : -EPIPE;
}

/* --- both --- */

int kin__exchange_open(struct kin__exchange *exchange)
{
    return kin__os_socket_pair(exchange->ends);
}

static void close_end(struct kin__exchange *exchange, enum kin__exchange_end end)
{
    if (exchange->ends[end] >= 0) {
        kin__os_close(exchange->ends[end]);
        exchange->ends[end] = -1;
    }
}

void kin__exchange_keep(struct kin__exchange *exchange, enum kin__exchange_end end)
{
    close_end(exchange,
              end == KIN__EXCHANGE_CREATOR ? KIN__EXCHANGE_WORKERS : KIN__EXCHANGE_CREATOR);
}

void kin__exchange_end(struct kin__os_fds *fds)
{
    for (uint32_t i = 0; i < fds->count; i++) {
        kin__os_close(fds->fds[i]);
    }
    fds->count = 0;
}

/* --- the creator --- */

int kin__exchange_copy(const kin_pool_input *input, struct kin__os_fds **ret_fds)
{
    struct kin__os_fds *fds = NULL;
    int r = 0;
    if (input->fd_count != 0) {
        fds = kin__allocate_zeroed(sizeof *fds);
        r = fds == NULL ? -ENOMEM : 0;
    }
    for (uint32_t i = 0; r == 0 && i < input->fd_count; i++) {
        r = kin__os_fd_copy(input->fds[i], &fds->fds[i]);
        fds->count += r == 0;
    }
    if (r < 0) {
        kin__exchange_drop(fds);
        return r;
    }
    *ret_fds = fds;
    return 0;
}

void kin__exchange_drop(struct kin__os_fds *fds)
{
    if (fds != NULL) {
        kin__exchange_end(fds);
        kin__release(fds);
    }
}

/* The fds of a task that runs; NULL: who asks must be mistaken. Under the lock. */
static const struct kin__os_fds *find_fds(kin_pool *pool,
                                          const struct kin__exchange_request *request)
{
    struct kin__pool_shared *shared = kin__pool_shared(pool);
    if (request->slot >= shared->capacity) {
        return NULL;
    }
    const struct kin__place *place = &pool->places[request->slot];
    uint64_t word = atomic_load(&kin__pool_slot_at(shared, request->slot)->word);
    bool is_running = kin__slot_state(word) == KIN__SLOT_RUNNING &&
                      kin__slot_attempt(word) == request->attempt;
    return place->is_used && is_running ? place->fds : NULL;
}

static void answer(kin_pool *pool, const struct kin__exchange_request *request, int fd)
{
    mtx_lock(&pool->lock); /* until they are sent: then nobody closes them meanwhile */
    const struct kin__os_fds *fds = find_fds(pool, request);
    struct answer answer = {.code = fds == NULL ? -ESTALE : 0,
                            .count = fds == NULL ? 0 : fds->count};
    kin_bytes bytes = {.data = &answer, .size = sizeof answer};
    int r = send_whole(fd, bytes, fds);
    mtx_unlock(&pool->lock);
    if (r < 0) {
        answer = (struct answer){.code = r};
        send_whole(fd, bytes, NULL);
    }
}

/* In the keeper. A worker that was killed may have left a request without telling: it is found the
 * next time, and its answer goes nowhere. */
static bool look(struct kin__errand *errand)
{
    kin_pool *pool = KIN_CONTAINER_OF(errand, struct kin_pool, exchange.errand);
    struct kin__exchange_request request;
    struct kin__os_room room = {.data = &request, .size = sizeof request};
    struct kin__os_fds fds = {0};
    while (receive_whole(pool->exchange.ends[KIN__EXCHANGE_CREATOR], room, &fds, false) == 0) {
        if (fds.count > 0) { /* else there was no fd left for it: it sees the end */
            answer(pool, &request, fds.fds[0]);
        }
        kin__exchange_end(&fds);
    }
    return true;
}

void kin__exchange_serve(kin_pool *pool)
{
    struct kin__exchange *exchange = &pool->exchange;
    if (atomic_exchange(&exchange->is_serving, true)) {
        return;
    }
    exchange->errand = (struct kin__errand){.count = &kin__pool_shared(pool)->requests,
                                            .look = look};
    kin__keeper_need(); /* has started workers, so has one */
    kin__errand_add(&exchange->errand);
    kin__keeper_tell();
}

void kin__exchange_stop(kin_pool *pool)
{
    if (atomic_exchange(&pool->exchange.is_serving, false)) {
        kin__errand_remove(&pool->exchange.errand);
    }
}

void kin__exchange_close(kin_pool *pool)
{
    close_end(&pool->exchange, KIN__EXCHANGE_CREATOR);
    close_end(&pool->exchange, KIN__EXCHANGE_WORKERS);
}

/* --- a worker --- */

static void tell_keeper(kin_pool *pool)
{
    atomic_thread_fence(memory_order_seq_cst); /* pairs with the keeper's kin__count_prepare */
    kin__count_raise(&kin__pool_shared(pool)->requests, 1);
}

/* Sends the request with one of two sockets, which is then the creator's alone. */
static int ask(kin_pool *pool, const struct kin__exchange_request *request, int pair[2])
{
    struct kin__os_fds socket = {.count = 1, .fds = {pair[1]}};
    kin_bytes bytes = {.data = request, .size = sizeof *request};
    struct kin__os_output output = {.pieces = &bytes, .count = 1, .may_wait = true, .fds = &socket};
    int64_t sent = kin__os_socket_send(pool->exchange.ends[KIN__EXCHANGE_WORKERS], &output);
    kin__os_close(pair[1]);
    if (sent < 0) {
        return (int)sent;
    }
    tell_keeper(pool);
    return 0;
}

/* Waits for the answer. Now and then it tells the keeper again, which may not have been able to
 * receive the request. */
static void await_answer(kin_pool *pool, int fd)
{
    struct kin__os_poll poll = {.fd = fd, .wanted = KIN__OS_POLL_READ};
    while (kin__os_poll(&poll, 1, kin_now_ns() + TELL_AGAIN_NS) == 0) {
        tell_keeper(pool);
    }
}

int kin__exchange_fetch(kin_pool *pool, const struct kin__exchange_request *request, uint32_t count,
                        struct kin__os_fds *ret_fds)
{
    int pair[2];
    struct answer answer = {0};
    ret_fds->count = 0;
    int r = kin__os_socket_pair(pair);
    if (r < 0) {
        return r;
    }
    r = ask(pool, request, pair);
    if (r == 0) {
        struct kin__os_room room = {.data = &answer, .size = sizeof answer};
        await_answer(pool, pair[0]);
        r = receive_whole(pair[0], room, ret_fds, true);
        r = r < 0 ? -EMFILE : answer.code;
    }
    kin__os_close(pair[0]);
    if (r == 0 && (answer.count != count || ret_fds->count != count)) {
        r = -EMFILE;
    }
    if (r < 0) {
        kin__exchange_end(ret_fds);
    }
    return r;
}
