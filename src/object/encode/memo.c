/**
 * The memo: which objects were written already, and as the how manieth. A table by address, with
 * twice as many places as objects, or more.
 */
#include "base/allocate.h"
#include "object/encode/leaf.h"

#define PLACES_FIRST 64u

/* The place of a key, or the free one where it belongs. */
static struct memo_entry *find(const struct encoder *encoder, const void *key)
{
    uint64_t mask = encoder->memo_capacity - 1;
    uint64_t place = ((uint64_t)(uintptr_t)key >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 20 & mask;
    while (encoder->memo[place].key != NULL && encoder->memo[place].key != key) {
        place = (place + 1) & mask;
    }
    return &encoder->memo[place];
}

static int grow(struct encoder *encoder)
{
    struct memo_entry *old = encoder->memo;
    uint64_t old_capacity = encoder->memo_capacity;
    uint64_t capacity = old_capacity == 0 ? PLACES_FIRST : 4 * old_capacity;
    struct memo_entry *grown = NULL;
    if (capacity <= SIZE_MAX / sizeof *grown) {
        grown = kin__allocate_zeroed(capacity * sizeof *grown);
    }
    if (grown == NULL) {
        return -ENOMEM;
    }
    encoder->memo = grown;
    encoder->memo_capacity = capacity;
    for (uint64_t i = 0; i < old_capacity; i++) {
        if (old[i].key != NULL) {
            *find(encoder, old[i].key) = old[i];
        }
    }
    kin__release(old);
    return 0;
}

int kin__encode_get(struct encoder *encoder, const void *key)
{
    const struct memo_entry *entry = encoder->memo_count == 0 ? NULL : find(encoder, key);
    if (entry == NULL || entry->key == NULL) {
        return 0;
    }
    int r = kin__encode_reserve(encoder, 8);
    if (r < 0) {
        return r;
    }
    bool is_short = entry->index <= 0xff;
    unsigned opcode = is_short ? OPCODE_BINGET : OPCODE_LONG_BINGET;
    kin__write_little_endian(encoder->next, opcode | entry->index << 8, 8);
    encoder->next += is_short ? 2 : 5;
    return 1;
}

int kin__encode_put(struct encoder *encoder, const void *key)
{
    int r = encoder->memo_count == UINT32_MAX ? -EOPNOTSUPP : kin__encode_reserve(encoder, 5);
    if (r == 0 && encoder->memo_count * UINT64_C(2) >= encoder->memo_capacity) {
        r = grow(encoder);
    }
    if (r < 0) {
        return r;
    }
    uint32_t index = encoder->memo_count++;
    *find(encoder, key) = (struct memo_entry){.key = key, .index = index};
    if (encoder->protocol >= 4) {
        kin__write_u8(encoder, OPCODE_MEMOIZE);
    } else {
        bool is_short = index <= 0xff;
        kin__write_u8(encoder, is_short ? OPCODE_BINPUT : OPCODE_LONG_BINPUT);
        kin__write_number(encoder, index, is_short ? 1 : 4);
    }
    return 0;
}

void kin__encode_memo_free(struct encoder *encoder)
{
    kin__release(encoder->memo);
}
