/* What decoding may use, and how it fails. */
#include "object/decode/decode.h"

#include "base/allocate.h"

#include <string.h>

int kin__decode_fail(struct decoder *decoder, int code, const char *reason)
{
    decoder->reason = reason;
    return code;
}

int kin__decode_fail_with(struct decoder *decoder, int code, const char *reason)
{
    if (code == -ENOMEM) {
        reason = "no memory";
    } else if (code == KIN_ELIMIT) {
        reason = "it takes too much time";
    }
    return kin__decode_fail(decoder, code, reason);
}

int kin__decode_fail_at_end(struct decoder *decoder)
{
    bool is_frame = decoder->cursor.end != decoder->input_end;
    return kin__decode_fail(decoder, -EBADMSG,
                            is_frame ? "it goes beyond its frame" : "the bytes end too early");
}

int kin__decode_charge(struct decoder *decoder, uint64_t bytes)
{
    if (decoder->memory_left < bytes) {
        return kin__decode_fail(decoder, KIN_ELIMIT, "more memory than the limit");
    }
    decoder->memory_left -= bytes;
    return 0;
}

int kin__decode_charge_object(struct decoder *decoder, uint64_t bytes)
{
    if (decoder->object_left == 0) {
        return kin__decode_fail(decoder, KIN_ELIMIT, "more objects than the limit");
    }
    decoder->object_left--;
    return kin__decode_charge(decoder, bytes);
}

int kin__decode_check_time(struct decoder *decoder)
{
    return kin__effort_is_late(&decoder->effort)
               ? kin__decode_fail(decoder, KIN_ELIMIT, "more time than the limit")
               : 0;
}

void kin__decode_hurry(struct decoder *decoder)
{
    uint32_t fuel = decoder->cursor.fuel;
    decoder->unwatched = 0;
    if (fuel > DECODE_FUEL_IN_HURRY) {
        decoder->opcode_left += fuel - DECODE_FUEL_IN_HURRY;
        decoder->cursor.fuel = DECODE_FUEL_IN_HURRY;
    }
}

int kin__decode_check_depth(struct decoder *decoder, const kin_object *container)
{
    bool is_deep = !decoder->is_depth_doubtful && kin__is_container(container) &&
                   ((const struct container *)container)->depth >= decoder->depth_max;
    return is_deep ? kin__decode_fail(decoder, KIN_ELIMIT, "deeper than the limit") : 0;
}

/* Makes the stack four times as large. */
static int grow_stack(struct decoder *decoder)
{
    struct decode_cursor *cursor = &decoder->cursor;
    size_t count = (size_t)(decoder->stack_limit - decoder->stack);
    bool is_first = decoder->stack == decoder->stack_first;
    int r = kin__decode_charge(decoder, 3 * count * sizeof *decoder->stack);
    if (r < 0) {
        return r;
    }
    kin_object **stack = kin__reallocate(is_first ? NULL : decoder->stack,
                                         4 * count * sizeof *stack);
    if (stack == NULL) {
        return kin__decode_fail_with(decoder, -ENOMEM, NULL);
    }
    if (is_first) {
        memcpy(stack, decoder->stack_first, sizeof decoder->stack_first);
    }
    cursor->top = stack + (cursor->top - decoder->stack);
    cursor->floor = stack + (cursor->floor - decoder->stack);
    decoder->stack = stack;
    decoder->stack_limit = stack + 4 * count;
    return 0;
}

static uint64_t room_of(const struct decoder *decoder)
{
    return (uint64_t)(decoder->stack_limit - decoder->cursor.top);
}

static int refuel(struct decoder *decoder)
{
    int r = room_of(decoder) < DECODE_STACK_ROOM ? grow_stack(decoder) : 0;
    if (r == 0 && decoder->opcode_left == 0) {
        r = kin__decode_fail(decoder, KIN_ELIMIT, "more opcodes than the limit");
    }
    if (r == 0 && decoder->unwatched == 0) {
        decoder->unwatched = DECODE_FUEL;
        r = kin__decode_check_time(decoder);
    }
    uint64_t more = room_of(decoder);
    more = more < decoder->unwatched ? more : decoder->unwatched;
    more = more < decoder->opcode_left ? more : decoder->opcode_left;
    decoder->opcode_left -= more;
    decoder->unwatched -= (uint32_t)more;
    decoder->cursor.fuel = (uint32_t)more;
    return r;
}

int kin__decode_refill(struct decoder *decoder)
{
    struct decode_cursor *cursor = &decoder->cursor;
    decoder->opcode_at = cursor->at;
    if (cursor->at == cursor->end) {
        if (cursor->end == decoder->input_end) {
            return kin__decode_fail(decoder, -EBADMSG, "the bytes end before STOP");
        }
        cursor->end = decoder->input_end;
        decoder->is_in_frame = false;
    }
    return cursor->fuel == 0 ? refuel(decoder) : 0;
}

int kin__decode_take_line(struct decoder *decoder, size_t *ret_size)
{
    struct decode_cursor *cursor = &decoder->cursor;
    const unsigned char *newline = memchr(cursor->at, '\n', (size_t)(cursor->end - cursor->at));
    if (newline == NULL) {
        return kin__decode_fail_at_end(decoder);
    }
    size_t size = (size_t)(newline - cursor->at);
    if (size >= decoder->line_capacity) {
        int r = kin__decode_charge(decoder, size + 1 - decoder->line_capacity);
        if (r < 0) {
            return r;
        }
        bool is_first = decoder->line == decoder->line_first;
        char *line = kin__reallocate(is_first ? NULL : decoder->line, size + 1);
        if (line == NULL) {
            return kin__decode_fail_with(decoder, -ENOMEM, NULL);
        }
        decoder->line = line;
        decoder->line_capacity = size + 1;
    }
    memcpy(decoder->line, cursor->at, size);
    decoder->line[size] = '\0';
    cursor->at = newline + 1;
    *ret_size = size;
    return 0;
}
