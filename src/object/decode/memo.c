/*
 * The memo: values by number. As a rule the numbers come in order, and nothing has to be kept: the
 * simple form, which the loop over the opcodes knows. Here is what it leaves: growing, numbers out
 * of order, keeping.
 */
#include "object/decode/decode.h"

#include "base/allocate.h"

#include <string.h>

/* Makes room for entry `index`. */
static int make_room(struct decoder *decoder, size_t index)
{
    if (index < decoder->memo_capacity) {
        return 0;
    }
    size_t capacity = decoder->memo_capacity * 4;
    capacity = index < capacity ? capacity : index + 1;
    int r = kin__decode_charge(decoder,
                               (capacity - decoder->memo_capacity) * sizeof *decoder->memo);
    if (r < 0) {
        return r;
    }
    bool is_first = decoder->memo == decoder->memo_first;
    kin_object **memo = kin__reallocate(is_first ? NULL : decoder->memo, capacity * sizeof *memo);
    if (memo == NULL) {
        return kin__decode_fail_with(decoder, -ENOMEM, NULL);
    }
    if (is_first) {
        memcpy(memo, decoder->memo_first, sizeof decoder->memo_first);
    }
    decoder->memo = memo;
    decoder->memo_capacity = capacity;
    if (decoder->memo_simple_count != 0) {
        bool is_less = decoder->memo_count_max < capacity;
        decoder->memo_simple_count = is_less ? (size_t)decoder->memo_count_max : capacity;
    }
    return 0;
}

/* Leaves the simple form. */
static void complicate(struct decoder *decoder)
{
    if (decoder->memo_simple_count != 0) {
        decoder->memo_simple_count = 0;
        decoder->memo_used = decoder->memo_count;
    }
}

/* Sets an entry, which has room, of a memo that is not simple. */
static int set_entry(struct decoder *decoder, size_t index, kin_object *value)
{
    if (decoder->is_keeping) {
        int r = kin__decode_keep_object(decoder, value);
        if (r < 0) {
            return r;
        }
    }
    while (decoder->memo_used <= index) {
        decoder->memo[decoder->memo_used++] = NULL;
    }
    decoder->memo_count += decoder->memo[index] == NULL;
    decoder->memo[index] = value;
    return 0;
}

static int put_at(struct decoder *decoder, uint64_t index)
{
    int r = kin__decode_need(decoder, 1);
    if (r < 0) {
        return r;
    }
    if (index > decoder->memo_count + DECODE_MEMO_GAP_MAX) {
        return kin__decode_fail(decoder, -EBADMSG, "a memo number far beyond the others");
    }
    if (index >= decoder->memo_count_max) {
        return kin__decode_fail(decoder, KIN_ELIMIT, "more memo entries than the limit");
    }
    r = make_room(decoder, index);
    if (r < 0) {
        return r;
    }
    if (index == decoder->memo_count && decoder->memo_simple_count != 0) {
        decoder->memo[decoder->memo_count++] = decoder->cursor.top[-1];
        return 0;
    }
    complicate(decoder);
    return set_entry(decoder, index, decoder->cursor.top[-1]);
}

int kin__decode_keep(struct decoder *decoder)
{
    if (decoder->is_keeping) {
        return 0;
    }
    complicate(decoder);
    decoder->is_keeping = true;
    int r = 0;
    for (size_t i = 0; r == 0 && i < decoder->memo_used; i++) {
        if (decoder->memo[i] != NULL) {
            r = kin__decode_keep_object(decoder, decoder->memo[i]);
        }
    }
    return r;
}

int kin__decode_memoize(struct decoder *decoder)
{
    return put_at(decoder, decoder->memo_count);
}

int kin__decode_binput(struct decoder *decoder)
{
    const unsigned char *at = kin__decode_take(decoder, 1);
    return at == NULL ? -EBADMSG : put_at(decoder, kin__decode_u8(at));
}

int kin__decode_long_binput(struct decoder *decoder)
{
    const unsigned char *at = kin__decode_take(decoder, 4);
    return at == NULL ? -EBADMSG : put_at(decoder, kin__decode_u32(at));
}

int kin__decode_get_at(struct decoder *decoder, uint64_t index)
{
    size_t used = decoder->memo_simple_count != 0 ? decoder->memo_count : decoder->memo_used;
    kin_object *value = index < used ? decoder->memo[index] : NULL;
    if (value == NULL) {
        return kin__decode_fail(decoder, -EBADMSG, "nothing has this memo number");
    }
    int r = kin__decode_charge_object(decoder, 0);
    decoder->is_depth_doubtful = decoder->is_depth_doubtful || kin__is_container(value);
    return r < 0 ? r : kin__decode_push(decoder, kin_object_ref(value));
}

int kin__decode_binget(struct decoder *decoder)
{
    const unsigned char *at = kin__decode_take(decoder, 1);
    return at == NULL ? -EBADMSG : kin__decode_get_at(decoder, kin__decode_u8(at));
}

int kin__decode_long_binget(struct decoder *decoder)
{
    const unsigned char *at = kin__decode_take(decoder, 4);
    return at == NULL ? -EBADMSG : kin__decode_get_at(decoder, kin__decode_u32(at));
}

/* The number of a text opcode. */
static int take_number(struct decoder *decoder, uint64_t *ret_number)
{
    size_t size;
    int r = kin__decode_take_line(decoder, &size);
    if (r < 0) {
        return r;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        char digit = decoder->line[i];
        if (digit < '0' || digit > '9') {
            return kin__decode_fail(decoder, -EBADMSG, "the memo number is none");
        }
        number = number * 10 + (uint64_t)(digit - '0');
        number = number < UINT32_MAX ? number : UINT32_MAX;
    }
    *ret_number = number;
    return size == 0 ? kin__decode_fail(decoder, -EBADMSG, "the memo number is none") : 0;
}

int kin__decode_put(struct decoder *decoder)
{
    uint64_t index;
    int r = take_number(decoder, &index);
    return r < 0 ? r : put_at(decoder, index);
}

int kin__decode_get(struct decoder *decoder)
{
    uint64_t index;
    int r = take_number(decoder, &index);
    return r < 0 ? r : kin__decode_get_at(decoder, index);
}
