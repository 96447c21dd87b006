/* kin's queue of byte messages, in three ways: a message a call, with one copy in and none out;
 * many small ones a call; messages written and read where they stand. */

#include "harness_kin.h"
#include "queue/traffic.h"

#include <kin.h>
#include <stdlib.h>

#define BATCH_MAX 256u

static kin_queue *queue;
static traffic_plan measured;
static unsigned char *message; /* room for a batch */

static void open_queue(const traffic_plan *plan)
{
    harness_must(kin_init(NULL, NULL), "kin_init");
    harness_must(
        kin_queue_create(KIN_OPTIONS(kin_queue_options, .item_count_max = plan->capacity), &queue),
        "kin_queue_create");
    measured = *plan;
    message = aligned_alloc(64, (plan->bytes * plan->batch + 63) / 64 * 64);
    if (message == NULL || plan->batch > BATCH_MAX) {
        harness_die("no memory, or batches of more than %u", BATCH_MAX);
    }
}

static void put_batch(uint64_t first)
{
    kin_bytes batch[BATCH_MAX];
    for (unsigned i = 0; i < measured.batch; i++) {
        unsigned char *place = message + i * measured.bytes;
        payload_write(place, measured.bytes, first + i);
        batch[i] = (kin_bytes){place, measured.bytes};
    }
    int count = kin_queue_put_many_bytes(queue, batch, measured.batch, KIN_FOREVER);
    if (count != (int)measured.batch) {
        harness_die("kin_queue_put_many_bytes: %s", kin_code_text(count));
    }
}

static void put_in_place(uint64_t number)
{
    kin_reservation reservation;
    harness_must(kin_queue_reserve(queue, measured.bytes, KIN_FOREVER, &reservation),
                 "kin_queue_reserve");
    payload_write(reservation.data, measured.bytes, number);
    harness_must(kin_queue_commit(queue, &reservation), "kin_queue_commit");
}

static void put(uint64_t number)
{
    payload_write(message, measured.bytes, number);
    harness_must(kin_queue_put_bytes(queue, message, measured.bytes, KIN_FOREVER),
                 "kin_queue_put_bytes");
}

static void produce(uint64_t first, uint64_t count)
{
    uint64_t end = first + count;
    if (measured.is_zero_copy) {
        for (uint64_t number = first; number < end; number++) {
            put_in_place(number);
        }
        return;
    }
    while (measured.batch > 1 && end - first >= measured.batch) {
        put_batch(first);
        first += measured.batch;
    }
    for (; first < end; first++) {
        put(first);
    }
}

static uint64_t get_batch(uint64_t most, uint64_t *ret_sum)
{
    kin_message batch[BATCH_MAX];
    uint32_t wanted = most < measured.batch ? (uint32_t)most : measured.batch;
    int count = kin_queue_get_many_bytes(queue, wanted, KIN_FOREVER, batch);
    if (count < 0) {
        harness_die("kin_queue_get_many_bytes: %s", kin_code_text(count));
    }
    for (int i = 0; i < count; i++) {
        kin_bytes bytes = kin_message_bytes(&batch[i]);
        *ret_sum += payload_read(bytes.data, bytes.size);
        kin_message_free(&batch[i]);
    }
    return (uint64_t)count;
}

static uint64_t get_in_place(void)
{
    kin_claim claim;
    harness_must(kin_queue_claim(queue, KIN_FOREVER, &claim), "kin_queue_claim");
    uint64_t number = payload_read(claim.bytes.data, claim.bytes.size);
    harness_must(kin_queue_acknowledge(queue, &claim), "kin_queue_acknowledge");
    return number;
}

static uint64_t get(void)
{
    kin_message taken;
    harness_must(kin_queue_get_bytes(queue, KIN_FOREVER, &taken), "kin_queue_get_bytes");
    kin_bytes bytes = kin_message_bytes(&taken);
    uint64_t number = payload_read(bytes.data, bytes.size);
    kin_message_free(&taken);
    return number;
}

static uint64_t consume(uint64_t count)
{
    uint64_t sum = 0;
    while (measured.batch > 1 && count > 0) {
        count -= get_batch(count, &sum);
    }
    for (; count > 0; count--) {
        sum += measured.is_zero_copy ? get_in_place() : get();
    }
    return sum;
}

const traffic_subject traffic_measured = {open_queue, produce, consume, &harness_kin};
