/* kin's queue of byte messages: one copy in, none out. */

#include "harness_kin.h"
#include "queue/traffic.h"

#include <kin.h>
#include <stdlib.h>

static kin_queue *queue;
static unsigned char *message;
static size_t message_bytes;

static void open_queue(const traffic_plan *plan)
{
    harness_must(kin_init(NULL, NULL), "kin_init");
    harness_must(
        kin_queue_create(KIN_OPTIONS(kin_queue_options, .item_count_max = plan->capacity), &queue),
        "kin_queue_create");
    message_bytes = plan->bytes;
    message = aligned_alloc(64, (plan->bytes + 63) / 64 * 64);
    if (message == NULL) {
        harness_die("no memory");
    }
}

static void produce(uint64_t first, uint64_t count)
{
    for (uint64_t number = first; number < first + count; number++) {
        payload_write(message, message_bytes, number);
        int code = kin_queue_put_bytes(queue, message, message_bytes, KIN_FOREVER);
        if (code < 0) {
            harness_die("kin_queue_put_bytes: %s", kin_code_text(code));
        }
    }
}

static uint64_t consume(uint64_t count)
{
    uint64_t number_sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        kin_message taken;
        int code = kin_queue_get_bytes(queue, KIN_FOREVER, &taken);
        if (code < 0) {
            harness_die("kin_queue_get_bytes: %s", kin_code_text(code));
        }
        kin_bytes bytes = kin_message_bytes(&taken);
        number_sum += payload_read(bytes.data, bytes.size);
        kin_message_free(&taken);
    }
    return number_sum;
}

const traffic_subject traffic_measured = {open_queue, produce, consume, &harness_kin};
