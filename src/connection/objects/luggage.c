#include "connection/objects/luggage.h"

#include <errno.h>
#include <string.h>

static const unsigned char mark[4] = {0, 'k', 'i', 'n'};

/* Claims a place. Its number, or -ETOOMANYREFS. */
static int claim(struct connection_shared *shared)
{
    for (int place = 0; place < (int)LUGGAGE_COUNT; place++) {
        uint32_t free = 0;
        if (atomic_compare_exchange_strong(&shared->is_claimed[place], &free, 1)) {
            return place;
        }
    }
    return -ETOOMANYREFS;
}

/* Puts one handle on its way. Its place, or a code. */
static int pack_one(kin_connection *connection, kin_handle handle)
{
    struct connection_shared *shared = connection->object.shared;
    int place = claim(shared);
    if (place < 0) {
        return place;
    }
    int r = kin__reference_replace(&kin__object_handles(&connection->object)[place], handle);
    if (r < 0) {
        atomic_store(&shared->is_claimed[place], 0);
        return r;
    }
    return place;
}

int kin__luggage_pack(kin_connection *connection, const kin_handle *handles, uint32_t count,
                      struct kin__luggage *ret_luggage)
{
    struct connection_shared *shared = connection->object.shared;
    ret_luggage->count = 0;
    ret_luggage->head_bytes = 0;
    if (count == 0) {
        return 0;
    }
    if (shared->end_count < 2) {
        return -EOPNOTSUPP;
    }
    if (count > LUGGAGE_COUNT) {
        return -ETOOMANYREFS;
    }
    memcpy(ret_luggage->head, mark, sizeof mark);
    ret_luggage->head[4] = (unsigned char)count;
    for (uint32_t i = 0; i < count; i++) {
        int place = pack_one(connection, handles[i]);
        if (place < 0) {
            kin__luggage_drop(connection, ret_luggage);
            return place;
        }
        ret_luggage->head[5 + i] = (unsigned char)place;
        ret_luggage->count++;
    }
    ret_luggage->head_bytes = 5 + count;
    return 0;
}

int kin__luggage_find(const kin_connection *connection, const void *data, size_t size,
                      struct kin__luggage *ret_luggage)
{
    const struct connection_shared *shared = connection->object.shared;
    const unsigned char *bytes = data;
    ret_luggage->count = 0;
    ret_luggage->head_bytes = 0;
    if (size == 0 || bytes[0] != mark[0]) {
        return 0;
    }
    bool is_whole = shared->end_count > 1 && size >= 5 && memcmp(bytes, mark, sizeof mark) == 0 &&
                    bytes[4] <= LUGGAGE_COUNT && size - 5 >= bytes[4];
    if (!is_whole) {
        return -EBADMSG;
    }
    ret_luggage->count = bytes[4];
    ret_luggage->head_bytes = 5 + ret_luggage->count;
    memcpy(ret_luggage->head, bytes, ret_luggage->head_bytes);
    for (uint32_t i = 0; i < ret_luggage->count; i++) {
        if (ret_luggage->head[5 + i] >= LUGGAGE_COUNT) {
            return -EBADMSG;
        }
    }
    return 0;
}

void kin__luggage_drop(kin_connection *connection, const struct kin__luggage *luggage)
{
    struct connection_shared *shared = connection->object.shared;
    for (uint32_t i = 0; i < luggage->count; i++) {
        uint32_t place = luggage->head[5 + i];
        kin__reference_replace(&kin__object_handles(&connection->object)[place], (kin_handle){0});
        atomic_store(&shared->is_claimed[place], 0);
    }
}
