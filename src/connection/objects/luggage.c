#include "connection/objects/luggage.h"

#include <errno.h>
#include <string.h>

static const unsigned char mark[4] = {0, 'k', 'i', 'n'};

/* --- the word of a place: whose it is, or which death; the state; and the side that sends --- */

enum place_state { FREE, IN_HAND, SENT, IN_DOUBT };

static uint64_t make_word(enum place_state state, uint32_t side, uint32_t number)
{
    return (uint64_t)side << 34 | (uint64_t)state << 32 | number;
}

static enum place_state state_of(uint64_t word)
{
    return (enum place_state)(word >> 32 & 3);
}

static uint32_t side_of(uint64_t word)
{
    return (uint32_t)(word >> 34 & 1);
}

static kin_handle *handle_at(kin_connection *connection, uint32_t place)
{
    return &kin__object_handles(&connection->object)[place];
}

/* Clears a place that is in the caller's hand. */
static void clear(kin_connection *connection, uint32_t place)
{
    struct connection_shared *shared = connection->object.shared;
    kin__reference_replace(handle_at(connection, place), (kin_handle){0});
    atomic_store(&shared->places[place], 0);
}

/* The thread is about to have places in hand. */
static void begin(const struct calling *calling, uint32_t sender, struct kin__luggage *luggage)
{
    luggage->connection = calling->connection;
    luggage->self = calling->self;
    luggage->in_hand = make_word(IN_HAND, sender, calling->self->owner);
    kin__holding_add(calling->self, calling->index);
}

static void end(struct kin__luggage *luggage)
{
    luggage->count = 0;
    kin__holding_remove(luggage->self, kin__object_index(&luggage->connection->object));
}

/* --- the head of a message --- */

static void write_head(struct kin__luggage *luggage, uint32_t doubt)
{
    memcpy(luggage->head, mark, sizeof mark);
    luggage->head[4] = (unsigned char)luggage->count;
    memcpy(luggage->head + 5, &doubt, sizeof doubt);
    memcpy(luggage->head + LUGGAGE_FIXED_BYTES, luggage->places, luggage->count);
    luggage->head_bytes = LUGGAGE_FIXED_BYTES + luggage->count;
}

int kin__luggage_find(const kin_connection *connection, const void *data, size_t size,
                      uint32_t *ret_head_bytes)
{
    const struct connection_shared *shared = connection->object.shared;
    const unsigned char *bytes = data;
    if (size == 0 || bytes[0] != mark[0]) {
        *ret_head_bytes = 0;
        return 0;
    }
    bool is_whole = shared->end_count > 1 && size >= LUGGAGE_FIXED_BYTES &&
                    memcmp(bytes, mark, sizeof mark) == 0 && bytes[4] <= LUGGAGE_COUNT &&
                    size - LUGGAGE_FIXED_BYTES >= bytes[4];
    if (!is_whole) {
        return -EBADMSG;
    }
    for (uint32_t i = 0; i < bytes[4]; i++) {
        if (bytes[LUGGAGE_FIXED_BYTES + i] >= LUGGAGE_COUNT) {
            return -EBADMSG;
        }
    }
    *ret_head_bytes = LUGGAGE_FIXED_BYTES + bytes[4];
    return 0;
}

/* --- out --- */

/* Claims a place. Its number, or -ETOOMANYREFS. */
static int claim(struct connection_shared *shared, uint64_t in_hand)
{
    for (int place = 0; place < (int)LUGGAGE_COUNT; place++) {
        uint64_t free = 0;
        if (atomic_compare_exchange_strong(&shared->places[place], &free, in_hand)) {
            return place;
        }
    }
    return -ETOOMANYREFS;
}

/* Puts one handle on its way. */
static int pack_one(struct kin__luggage *luggage, kin_handle handle)
{
    int place = claim(luggage->connection->object.shared, luggage->in_hand);
    if (place < 0) {
        return place;
    }
    luggage->places[luggage->count++] = (unsigned char)place;
    return kin__reference_replace(handle_at(luggage->connection, (uint32_t)place), handle);
}

int kin__luggage_pack(const struct calling *calling, const kin_handle *handles, uint32_t count,
                      struct kin__luggage *ret_luggage)
{
    struct connection_shared *shared = calling->connection->object.shared;
    uint32_t side = calling->connection->side;
    uint32_t doubt = atomic_load(&shared->doubt);
    int r = 0;
    ret_luggage->count = 0;
    ret_luggage->head_bytes = 0;
    if (count == 0) {
        if (shared->end_count > 1 && doubt != atomic_load(&shared->cleared[side])) {
            write_head(ret_luggage, doubt);
        }
        return 0;
    }
    if (shared->end_count < 2 || count > LUGGAGE_COUNT) {
        return shared->end_count < 2 ? -EOPNOTSUPP : -ETOOMANYREFS;
    }
    begin(calling, side, ret_luggage);
    for (uint32_t i = 0; r == 0 && i < count; i++) {
        r = pack_one(ret_luggage, handles[i]);
    }
    if (r < 0) {
        for (uint32_t i = 0; i < ret_luggage->count; i++) {
            clear(calling->connection, ret_luggage->places[i]);
        }
        end(ret_luggage);
        return r;
    }
    write_head(ret_luggage, doubt);
    return 0;
}

/* --- in --- */

static bool take_one(struct kin__luggage *luggage, uint32_t place)
{
    struct connection_shared *shared = luggage->connection->object.shared;
    uint64_t word = atomic_load(&shared->places[place]);
    bool is_taken = false;
    while (!is_taken && state_of(word) != FREE && side_of(word) == side_of(luggage->in_hand)) {
        is_taken = atomic_compare_exchange_strong(&shared->places[place], &word, luggage->in_hand);
    }
    return is_taken;
}

/* Clears what is in doubt since a death that the sender of this message knew of. */
static void clear_doubts(kin_connection *connection, uint64_t in_hand, uint32_t doubt)
{
    struct connection_shared *shared = connection->object.shared;
    _Atomic uint32_t *cleared = &shared->cleared[side_of(in_hand)];
    if ((int32_t)(doubt - atomic_load(cleared)) <= 0) {
        return;
    }
    for (uint32_t place = 0; place < LUGGAGE_COUNT; place++) {
        uint64_t word = atomic_load(&shared->places[place]);
        bool is_over = state_of(word) == IN_DOUBT && side_of(word) == side_of(in_hand) &&
                       (int32_t)(doubt - (uint32_t)word) >= 0;
        if (is_over && atomic_compare_exchange_strong(&shared->places[place], &word, in_hand)) {
            clear(connection, place);
        }
    }
    atomic_store(cleared, doubt);
}

void kin__luggage_take(const struct calling *calling, const void *front, uint64_t bytes,
                       struct kin__luggage *ret_luggage)
{
    const unsigned char *head = front;
    uint32_t doubt = 0;
    uint32_t head_bytes = 0;
    ret_luggage->count = 0;
    int r = kin__luggage_find(calling->connection, front, bytes, &head_bytes);
    if (r < 0 || head_bytes == 0) {
        return;
    }
    begin(calling, 1 - calling->connection->side, ret_luggage);
    for (uint32_t i = 0; i < head[4]; i++) {
        uint32_t place = head[LUGGAGE_FIXED_BYTES + i];
        if (take_one(ret_luggage, place)) {
            ret_luggage->places[ret_luggage->count++] = (unsigned char)place;
        }
    }
    memcpy(&doubt, head + 5, sizeof doubt);
    clear_doubts(calling->connection, ret_luggage->in_hand, doubt);
    if (ret_luggage->count == 0) {
        end(ret_luggage);
    }
}

/* --- and away --- */

void kin__luggage_drop(struct kin__luggage *luggage)
{
    for (uint32_t i = 0; i < luggage->count; i++) {
        clear(luggage->connection, luggage->places[i]);
    }
    if (luggage->count > 0) {
        end(luggage);
    }
}

void kin__luggage_let_go(struct kin__luggage *luggage)
{
    for (uint32_t i = 0; i < luggage->count; i++) {
        struct connection_shared *shared = luggage->connection->object.shared;
        uint64_t word = luggage->in_hand;
        uint64_t sent = make_word(SENT, side_of(word), 0);
        atomic_compare_exchange_strong(&shared->places[luggage->places[i]], &word, sent);
    }
    if (luggage->count > 0) {
        end(luggage);
    }
}

void kin__luggage_repair(struct connection_shared *shared, uint32_t dead)
{
    uint32_t doubt = atomic_load(&shared->doubt);
    bool is_next = false;
    for (uint32_t place = 0; place < LUGGAGE_COUNT; place++) {
        uint64_t word = atomic_load(&shared->places[place]);
        if (state_of(word) == IN_HAND && (uint32_t)word == dead) {
            uint64_t left = make_word(IN_DOUBT, side_of(word), doubt + 1);
            atomic_compare_exchange_strong(&shared->places[place], &word, left);
            word = left;
        }
        is_next |= state_of(word) == IN_DOUBT && (uint32_t)word == doubt + 1;
    }
    if (is_next) {
        atomic_compare_exchange_strong(&shared->doubt, &doubt, doubt + 1);
    }
}
