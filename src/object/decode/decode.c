/* kin_pickle_decode: what comes before and after the loop over the opcodes. */
#include "object/decode/decode.h"

#include "base/allocate.h"
#include "object/free/free.h"
#include "object/runtime.h"

#include <string.h>

#define MIB (UINT64_C(1) << 20)

/* What limits are if they are 0. */
static const kin_pickle_limits default_limits = {
    .input_bytes_max = 1024 * MIB,
    .memory_bytes_max = 256 * MIB,
    .object_count_max = 10000000,
    .opcode_count_max = 50000000,
    .memo_count_max = 10000000,
    .depth_max = 1000,
    .integer_bits_max = 1000000,
    .time_ms_max = 10000,
};

enum {
    OBJECT_COUNT_BITS = 32, /* of counts of references, each of which is charged as an object */
    MEMORY_PER_BYTE = 8,
    REGION_PER_BYTE = 6 /* what objects take of plain values, if short */
};

static uint64_t limit_or(uint64_t limit, uint64_t other)
{
    return limit == 0 ? other : limit;
}

uint64_t kin__pickle_input_max(const kin_pickle_limits *limits)
{
    return limit_or(limits->input_bytes_max, default_limits.input_bytes_max);
}

static void set_limits(struct decoder *decoder, const kin_pickle_limits *limits, size_t size)
{
    const kin_pickle_limits *others = &default_limits;
    uint64_t most = (UINT64_C(1) << OBJECT_COUNT_BITS) - DECODE_FUEL;
    uint64_t more = size > UINT64_MAX / 16 ? UINT64_MAX / 2 : (uint64_t)size * MEMORY_PER_BYTE;
    decoder->memory_left = limit_or(limits->memory_bytes_max, others->memory_bytes_max + more);
    decoder->object_left = limit_or(limits->object_count_max, others->object_count_max);
    decoder->object_left = decoder->object_left < most ? decoder->object_left : most;
    decoder->opcode_left = limit_or(limits->opcode_count_max, others->opcode_count_max);
    decoder->memo_count_max = limit_or(limits->memo_count_max, others->memo_count_max);
    decoder->memo_simple_count = decoder->memo_count_max < DECODE_MEMO_FIRST
                                     ? (size_t)decoder->memo_count_max
                                     : DECODE_MEMO_FIRST;
    decoder->depth_max = (uint32_t)limit_or(limits->depth_max, others->depth_max);
    decoder->integer_bits_max = (uint32_t)limit_or(limits->integer_bits_max,
                                                   others->integer_bits_max);
    uint64_t time_ms = limit_or(limits->time_ms_max, others->time_ms_max);
    decoder->effort = (struct kin__effort){.steps = KIN__EFFORT_SLICE,
                                           .time_ms_max = (uint32_t)time_ms};
}

/* Sets all but the arrays, of which only what is in use is ever read. */
static void init(struct decoder *decoder, const unsigned char *data, size_t size)
{
    decoder->cursor = (struct decode_cursor){
        .at = data, .end = data + size, .top = decoder->stack_first, .floor = decoder->stack_first};
    decoder->start = data;
    decoder->input_end = data + size;
    decoder->opcode_at = data;
    decoder->arena = (struct kin__arena){
        .next_bytes = size > SIZE_MAX / 16 ? size : size * REGION_PER_BYTE};
    decoder->stack = decoder->stack_first;
    decoder->stack_limit = decoder->stack_first + DECODE_STACK_FIRST;
    decoder->unwatched = DECODE_FUEL; /* short ones need no clock */
    decoder->memo = decoder->memo_first;
    decoder->memo_count = 0;
    decoder->memo_used = 0;
    decoder->memo_capacity = DECODE_MEMO_FIRST;
    memset(decoder->shapes, 0, sizeof decoder->shapes);
    decoder->dropped = NULL;
    decoder->dropped_count = 0;
    decoder->dropped_capacity = 0;
    decoder->protocol = 0;
    decoder->is_in_frame = false;
    decoder->is_depth_doubtful = false;
    decoder->candidates = NULL;
    decoder->is_keeping = false;
    decoder->reason = NULL;
    decoder->buffer_next = 0;
    decoder->line = decoder->line_first;
    decoder->line_capacity = sizeof decoder->line_first;
}

static void deinit(struct decoder *decoder)
{
    kin__decode_clear(decoder);
    kin__arena_finish(&decoder->arena);
    kin__release(decoder->stack == decoder->stack_first ? NULL : decoder->stack);
    kin__release(decoder->memo == decoder->memo_first ? NULL : decoder->memo);
    kin__release(decoder->dropped);
    kin__release(decoder->line == decoder->line_first ? NULL : decoder->line);
}

static void tell_fault(const struct decoder *decoder, int code, kin_pickle_fault *ret_fault)
{
    bool is_end = decoder->opcode_at == decoder->input_end;
    *ret_fault = (kin_pickle_fault){
        .offset = (uint64_t)(decoder->opcode_at - decoder->start),
        .opcode = is_end ? "" : kin__opcode_name(kin__decode_u8(decoder->opcode_at)),
        .reason = decoder->reason,
        .code = code};
}

/* The pickle at `data`. What hooks compare counts as effort of this decoder; circles that they let
 * go of are looked for when all is done. */
static int decode(struct decoder *decoder, kin_object **ret_object)
{
    struct kin__effort *outer_effort = kin__effort_current;
    struct container **outer_later = kin__circles_later;
    kin__effort_current = &decoder->effort;
    kin__circles_later = &decoder->candidates;
    int r = kin__decode_run(decoder);
    if (r == 1) {
        *ret_object = *--decoder->cursor.top;
        r = 0;
    }
    deinit(decoder);
    kin__effort_current = outer_effort;
    kin__circles_later = outer_later;
    kin__circles_end(decoder->candidates);
    return r;
}

static bool is_valid(const kin_pickle_decode_options *options)
{
    kin_kind kind = kin__kind(options->buffers);
    return options->size == sizeof *options &&
           (options->limits.size == 0 || options->limits.size == sizeof options->limits) &&
           (kind == KIN_KIND_NOTHING || kind == KIN_KIND_LIST || kind == KIN_KIND_TUPLE);
}

int kin__pickle_decode(kin_bytes bytes, const struct kin__decode_input *input,
                       kin_object **ret_object, size_t *ret_size, kin_pickle_fault *ret_fault)
{
    static const struct kin__decode_input default_input;
    static const kin_pickle_decode_options defaults = {.size = sizeof defaults};
    input = input == NULL ? &default_input : input;
    const kin_pickle_decode_options *options = input->options == NULL ? &defaults : input->options;
    if ((bytes.data == NULL && bytes.size != 0) || ret_object == NULL || !is_valid(options)) {
        return -EINVAL;
    }
    struct decoder decoder;
    init(&decoder, bytes.data == NULL ? (const unsigned char *)"" : bytes.data, bytes.size);
    set_limits(&decoder, &options->limits, bytes.size);
    decoder.is_prefix = options->is_prefix;
    decoder.takes_handles = input->takes_handles;
    decoder.buffers = options->buffers;
    decoder.fds = input->fds;
    decoder.fd_count = input->fd_count;

    kin_object *object = NULL;
    int r;
    if (bytes.size > kin__pickle_input_max(&options->limits)) {
        r = kin__decode_fail(&decoder, KIN_ELIMIT, "more bytes than the limit");
    } else {
        r = decode(&decoder, &object);
    }
    if (r < 0) {
        if (ret_fault != NULL) {
            tell_fault(&decoder, r, ret_fault);
        }
        return r;
    }
    *ret_object = object;
    if (ret_size != NULL) {
        *ret_size = (size_t)(decoder.cursor.at - decoder.start);
    }
    return 0;
}

int kin_pickle_decode(const void *data, size_t size, const kin_pickle_decode_options *options,
                      kin_object **ret_object, size_t *ret_size, kin_pickle_fault *ret_fault)
{
    const struct kin__decode_input input = {.options = options};
    return kin__pickle_decode((kin_bytes){data, size}, &input, ret_object, ret_size, ret_fault);
}
