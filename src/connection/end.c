/* The ends of connections as objects of the family: made, entered, repaired, checked, freed. */
#include "connection/blocks.h"
#include "connection/layout.h"
#include "connection/objects/luggage.h"

#include "family/sleep.h"

#include <errno.h>
#include <inttypes.h>

uint64_t kin__connection_owner(uint32_t index)
{
    return kin__block_of_object(index, kin__entry_at(index)->counter);
}

int kin__connection_enter(kin_connection *connection, kin_timeout timeout,
                          struct calling *ret_calling)
{
    struct connection_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = kin__object_enter(connection, &shared, &self);
    }
    if (r < 0) {
        return r;
    }
    if (connection->transport == NULL) {
        return -ESTALE;
    }
    *ret_calling = (struct calling){
        .connection = connection,
        .end = &shared->ends[connection->side],
        .peer = shared->end_count > 1 ? &shared->ends[1 - connection->side] : NULL,
        .self = self,
        .index = kin__object_index(&connection->object),
        .timeout = timeout};
    return 0;
}

/* What a dead receiver was at is left to the next one, who has the fd. A dead sender left half a
 * message or not; a receiver that waits for the rest has to know. */
static void repair(uint32_t index, void *at, uint32_t dead)
{
    struct connection_shared *shared = at;
    for (uint32_t i = 0; i < shared->end_count; i++) {
        struct end *end = &shared->ends[i];
        if (kin__mutex_is_held_by(&end->sender.mutex, dead)) {
            kin__sender_settle(end);
        }
        kin__mutex_repair(&end->sender.mutex, index, dead);
        kin__mutex_repair(&end->receiver.mutex, index, dead);
    }
    kin__luggage_repair(shared, dead);
}

static void free_blocks(uint32_t index, void *at)
{
    kin__blocks_free(index, at);
}

static void verify_receiver(struct kin__verifier *verifier, uint32_t index,
                            const struct receiver *receiver)
{
    uint64_t head = atomic_load(&receiver->head);
    uint64_t tail = atomic_load(&receiver->tail);
    uint64_t origin = atomic_load(&receiver->origin);
    kin__mutex_verify(verifier, index, &receiver->mutex, "receiver");
    if (head > tail) {
        kin__verify_fail(verifier, "connection %" PRIu32 ": more was taken than came", index);
    }
    if (head < tail && (head < origin || tail - origin > READ_AHEAD_BYTES)) {
        kin__verify_fail(verifier, "connection %" PRIu32 ": bytes outside of the buffer", index);
    }
    if (atomic_load(&receiver->is_reading) && !kin__mutex_is_held(&receiver->mutex) &&
        !(atomic_load(&receiver->mutex.holder) & KIN__MUTEX_DIED)) {
        kin__verify_fail(verifier, "connection %" PRIu32 ": nobody reads", index);
    }
}

static void verify(struct kin__verifier *verifier, uint32_t index, const void *at)
{
    const struct connection_shared *shared = at;
    for (uint32_t i = 0; i < shared->end_count && i < 2; i++) {
        const struct sender *sender = &shared->ends[i].sender;
        uint32_t state = atomic_load(&sender->state);
        bool is_sending = state == SENDING_FIRST || state == SENDING_REST;
        kin__mutex_verify(verifier, index, &sender->mutex, "sender");
        if (is_sending && !kin__mutex_is_held(&sender->mutex)) {
            kin__verify_fail(verifier, "connection %" PRIu32 ": nobody sends", index);
        }
        verify_receiver(verifier, index, &shared->ends[i].receiver);
    }
}

static const struct kin__type connection_type = {.id = KIN__TYPE_CONNECTION,
                                                 .name = "connection",
                                                 .repair = repair,
                                                 .free = free_blocks,
                                                 .verify = verify};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&connection_type);
}
