/* A queue of kin for each direction. */

#include "harness_kin.h"
#include "latency/round_trip.h"

#include <kin.h>
#include <string.h>

static kin_queue *queues[2]; /* to side 0, to side 1 */

static void open_queues(void)
{
    harness_must(kin_init(NULL, NULL), "kin_init");
    for (int side = 0; side < 2; side++) {
        harness_must(
            kin_queue_create(KIN_OPTIONS(kin_queue_options, .item_count_max = 64), &queues[side]),
            "kin_queue_create");
    }
}

static void send_word(unsigned side, uint64_t word)
{
    harness_must(kin_queue_put_bytes(queues[1 - side], &word, sizeof word, KIN_FOREVER),
                 "kin_queue_put_bytes");
}

static uint64_t receive_word(unsigned side)
{
    kin_message message;
    uint64_t word = 0;
    harness_must(kin_queue_get_bytes(queues[side], KIN_FOREVER, &message), "kin_queue_get_bytes");
    memcpy(&word, kin_message_bytes(&message).data, sizeof word);
    kin_message_free(&message);
    return word;
}

const round_trip_subject round_trip_measured = {open_queues, send_word, receive_word, &harness_kin};
