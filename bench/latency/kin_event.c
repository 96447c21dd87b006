/* An event of kin for each direction, and the words in plain shared memory. */

#include "harness_kin.h"
#include "latency/round_trip.h"

#include <kin.h>
#include <stdatomic.h>

static kin_event *events[2]; /* to side 0, to side 1 */
static _Atomic uint64_t *words[2];

static void open_events(void)
{
    harness_must(kin_init(NULL, NULL), "kin_init");
    for (int side = 0; side < 2; side++) {
        harness_must(kin_event_create(NULL, &events[side]), "kin_event_create");
        words[side] = harness_share(sizeof *words[side]);
    }
}

static void send_word(unsigned side, uint64_t word)
{
    atomic_store(words[1 - side], word);
    harness_must(kin_event_set(events[1 - side]), "kin_event_set");
}

/* Nobody sets the event again before this side has answered, so what is cleared is this word's. */
static uint64_t receive_word(unsigned side)
{
    harness_must(kin_event_wait(events[side], KIN_FOREVER), "kin_event_wait");
    harness_must(kin_event_clear(events[side]), "kin_event_clear");
    return atomic_load(words[side]);
}

const round_trip_subject round_trip_measured = {open_events, send_word, receive_word, &harness_kin};
