/**
 * Objects as messages. A put encodes first, into memory of its own but for large blobs, then
 * reserves what is needed and copies everything to its place once; what goes wrong while an
 * object is encoded happens before the queue is touched. A get decodes where the message lies: the
 * block that it takes over, with the references in it, is freed afterwards.
 */
#include "object/pickle.h"
#include "queue/tail.h"

#include <kin/claim.h>
#include <kin/error.h>

void kin__queue_set_limits(struct queue_shared *queue, const kin_pickle_limits *limits)
{
    if (limits != NULL) {
        queue->limits = (struct decoding_limits){.input_bytes_max = limits->input_bytes_max,
                                                 .memory_bytes_max = limits->memory_bytes_max,
                                                 .object_count_max = limits->object_count_max,
                                                 .opcode_count_max = limits->opcode_count_max,
                                                 .memo_count_max = limits->memo_count_max,
                                                 .depth_max = limits->depth_max,
                                                 .integer_bits_max = limits->integer_bits_max,
                                                 .time_ms_max = limits->time_ms_max};
    }
}

static kin_pickle_limits limits_of(const kin_queue *queue)
{
    const struct queue_shared *shared = queue->object.shared;
    const struct decoding_limits *limits = &shared->limits;
    return (kin_pickle_limits){.size = sizeof(kin_pickle_limits),
                               .input_bytes_max = limits->input_bytes_max,
                               .memory_bytes_max = limits->memory_bytes_max,
                               .object_count_max = limits->object_count_max,
                               .opcode_count_max = limits->opcode_count_max,
                               .memo_count_max = limits->memo_count_max,
                               .depth_max = limits->depth_max,
                               .integer_bits_max = limits->integer_bits_max,
                               .time_ms_max = limits->time_ms_max};
}

static int put_encoding(kin_queue *queue, const struct kin__encoding *encoding, kin_timeout timeout)
{
    struct putting put;
    struct incoming message = {.data = encoding->bytes,
                               .encoding = encoding,
                               .size = encoding->size,
                               .handle_count = encoding->handle_count};
    int r = encoding->handle_count > MESSAGE_HANDLES_MAX ? KIN_ELIMIT : kin__put_begin(queue, &put);
    if (r == 0) {
        r = kin__put_one(&put, &message, encoding->handles, timeout);
        kin__put_end(&put);
    }
    return r;
}

int kin_queue_put(kin_queue *queue, const kin_object *object, kin_timeout timeout)
{
    static const struct kin__encode_options options = {.takes_handles = true};
    struct kin__encoding encoding;
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = queue == NULL ? -EINVAL : kin__pickle_encode(object, &options, &encoding);
    }
    if (r == 0) {
        r = put_encoding(queue, &encoding, timeout);
        kin__encoding_deinit(&encoding);
    }
    return r;
}

static int decode(const kin_queue *queue, kin_bytes bytes, kin_object **ret_object)
{
    kin_pickle_decode_options options = {.size = sizeof options, .limits = limits_of(queue)};
    struct kin__decode_input input = {.options = &options, .takes_handles = true};
    return kin__pickle_decode(bytes, &input, ret_object, NULL, NULL);
}

int kin_queue_get(kin_queue *queue, kin_timeout timeout, kin_object **ret_object)
{
    kin_message message;
    int r = ret_object == NULL ? -EINVAL : kin_queue_get_bytes(queue, timeout, &message);
    if (r == 0) {
        r = decode(queue, kin_message_bytes(&message), ret_object);
        kin_message_free(&message);
    }
    return r;
}

int kin_claim_object(kin_queue *queue, const kin_claim *claim, kin_object **ret_object)
{
    struct queue_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = claim == NULL || claim->place == 0 || ret_object == NULL
                ? -EINVAL
                : kin__object_enter(queue, &shared, &self);
    return r < 0 ? r : decode(queue, claim->bytes, ret_object);
}
