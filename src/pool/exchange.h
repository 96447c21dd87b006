/**
 * The fds of tasks, on their way from the creator to the workers that run the tasks.
 *
 * Workers are no children of the creator, so an fd has to be sent. The creator keeps copies of a
 * task's fds until the task is over, for each attempt anew. A worker that has claimed the task asks
 * for them: it makes a pair of sockets, sends one of them with its request over a socket that the
 * creator and all workers have had since before the first fork, and waits at the other one. The
 * creator's keeper answers on the socket that came, and closes it.
 *
 * So there is no state but what is on its way, and nobody waits for the dead: a worker that is
 * killed takes the answer with it, since nobody else has its socket; a request whose answer cannot
 * be sent ends in the end of file, since nobody else has the other one. Requests are so small that
 * the kernel takes each whole.
 */
#ifndef KIN_POOL_EXCHANGE_H
#define KIN_POOL_EXCHANGE_H

#include "family/keeper.h"
#include "os/socket.h"

#include <kin/pool.h>

/* Which end of the socket a process has. */
enum kin__exchange_end { KIN__EXCHANGE_CREATOR, KIN__EXCHANGE_WORKERS, KIN__EXCHANGE_END_COUNT };

struct kin__exchange {
    int ends[KIN__EXCHANGE_END_COUNT]; /* -1: closed */
    struct kin__errand errand;         /* of the creator's keeper, while is_serving */
    _Atomic bool is_serving;
};

/* What a worker asks for: the fds of the task that it runs. */
struct kin__exchange_request {
    uint32_t slot;
    uint32_t attempt;
};

/* Makes the socket. 0, or -EMFILE, -ENFILE, -ENOMEM. */
int kin__exchange_open(struct kin__exchange *exchange);

/* Closes the other end: in the creator, and in the nursery, whose workers inherit theirs. */
void kin__exchange_keep(struct kin__exchange *exchange, enum kin__exchange_end end);

/* From now on the creator's keeper, of this process, answers. Not under the pool's lock. */
void kin__exchange_serve(kin_pool *pool);

/* It does not any more; and all ends are closed. */
void kin__exchange_stop(kin_pool *pool);
void kin__exchange_close(kin_pool *pool);

/* Copies of an input's fds; NULL: it has none. 0, or -EBADF, -EMFILE, -ENOMEM. */
int kin__exchange_copy(const kin_pool_input *input, struct kin__os_fds **ret_fds);

/* Closes and frees them; NULL is fine. */
void kin__exchange_drop(struct kin__os_fds *fds);

/* In a worker: fetches the fds of its task, so many. 0, or -EMFILE: one side may not have
 * so many; -ETOOMANYREFS, -ENOBUFS. */
int kin__exchange_fetch(kin_pool *pool, const struct kin__exchange_request *request, uint32_t count,
                        struct kin__os_fds *ret_fds);

/* Closes what was fetched. */
void kin__exchange_end(struct kin__os_fds *fds);

#endif
