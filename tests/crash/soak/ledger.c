#include "soak/ledger.h"

#include "soak/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATE_INTENT = 1,
    STATE_SENT = 2,
    STATE_RECEIVED = 4,
    STATE_IN_HAND = 8,
    STATE_ENDING = 16,
    STATE_ENDED = 32,
    STATE_CLAIMED = 64, /* for the first time */
};

struct ledger_producer {
    unsigned char *states; /* of its messages, by sequence */
    uint64_t capacity;
    uint64_t count;
};

/* One consumer's journal: where it stands with each producer. */
struct reading {
    struct ledger *ledger;
    uint64_t *last; /* by producer: highest sequence + 1 */
};

void ledger_init(struct ledger *ledger, uint32_t process_max)
{
    *ledger = (struct ledger){.process_count = process_max};
    ledger->producers = calloc(process_max, sizeof *ledger->producers);
    if (ledger->producers == NULL) {
        abort();
    }
}

void ledger_deinit(struct ledger *ledger)
{
    for (uint32_t i = 0; i < ledger->process_count; i++) {
        free(ledger->producers[i].states);
    }
    free(ledger->producers);
}

/* NULL: nobody put such a message. */
static unsigned char *state_of(struct ledger *ledger, uint32_t producer, uint64_t sequence)
{
    if (producer >= ledger->process_count || sequence > (uint64_t)1 << 32) {
        return NULL;
    }
    struct ledger_producer *entry = &ledger->producers[producer];
    if (sequence >= entry->capacity) {
        uint64_t capacity = entry->capacity == 0 ? 1024 : entry->capacity * 2;
        capacity = capacity > sequence ? capacity : sequence + 1;
        entry->states = realloc(entry->states, capacity);
        if (entry->states == NULL) {
            abort();
        }
        memset(entry->states + entry->capacity, 0, capacity - entry->capacity);
        entry->capacity = capacity;
    }
    entry->count = sequence >= entry->count ? sequence + 1 : entry->count;
    return &entry->states[sequence];
}

void ledger_note_hand(struct ledger *ledger, const struct load_hand *hand)
{
    struct load_head head;
    if (atomic_load(&hand->is_getting) == 0 || hand->message.size < sizeof head) {
        return;
    }
    if (hand->message.place != 0) {
        ledger->hand_count++;
        return;
    }
    memcpy(&head, hand->message.small, sizeof head);
    unsigned char *state = head.size == hand->message.size
                               ? state_of(ledger, head.producer, head.sequence)
                               : NULL; /* its bytes had not been copied yet */
    if (state != NULL) {
        *state |= STATE_IN_HAND;
    }
}

static void read_sent(void *user, uint32_t process, const struct journal_record *record)
{
    struct ledger *ledger = user;
    if (record->kind != JOURNAL_INTENT && record->kind != JOURNAL_SENT) {
        return;
    }
    unsigned char *state = state_of(ledger, record->producer, record->sequence);
    if (state == NULL || record->producer != process) {
        ledger->invented++;
    } else {
        *state |= record->kind == JOURNAL_INTENT ? STATE_INTENT : STATE_SENT;
    }
}

static void read_received(void *user, uint32_t process, const struct journal_record *record)
{
    struct reading *reading = user;
    struct ledger *ledger = reading->ledger;
    (void)process;
    if (record->kind != JOURNAL_RECEIVED) {
        return;
    }
    unsigned char *state = state_of(ledger, record->producer, record->sequence);
    if (state == NULL || (*state & STATE_INTENT) == 0) {
        ledger->invented++;
        return;
    }
    ledger->doubled += (*state & STATE_RECEIVED) != 0;
    ledger->reordered += record->sequence < reading->last[record->producer];
    *state |= STATE_RECEIVED;
    if (record->sequence >= reading->last[record->producer]) {
        reading->last[record->producer] = record->sequence + 1;
    }
}

/* A claim that is not the first one says so, and what is acknowledged does not come again. */
static void read_claims(void *user, uint32_t process, const struct journal_record *record)
{
    struct ledger *ledger = user;
    (void)process;
    if (record->kind < JOURNAL_CLAIMED) {
        return;
    }
    unsigned char *state = state_of(ledger, record->producer, record->sequence);
    if (state == NULL || (*state & STATE_INTENT) == 0) {
        ledger->invented++;
        return;
    }
    if (record->kind == JOURNAL_CLAIMED) {
        ledger->doubled += (*state & STATE_CLAIMED) != 0;
        *state |= STATE_CLAIMED;
    } else if (record->kind == JOURNAL_ENDED) {
        ledger->doubled += (*state & STATE_ENDED) != 0;
        *state |= STATE_ENDED | STATE_RECEIVED;
    } else if (record->kind == JOURNAL_ENDING) {
        *state |= STATE_ENDING;
    } else {
        ledger->claimed_again++;
    }
}

/* Whoever was killed while it acknowledged may have done so. */
static void end_what_was_ending(struct ledger *ledger, uint32_t producer)
{
    const struct ledger_producer *entry = &ledger->producers[producer];
    for (uint64_t sequence = 0; sequence < entry->count; sequence++) {
        unsigned char *state = &entry->states[sequence];
        if ((*state & STATE_ENDING) != 0 && (*state & STATE_ENDED) == 0) {
            *state |= STATE_IN_HAND;
        }
    }
}

static void add_up(struct ledger *ledger, uint32_t producer)
{
    const struct ledger_producer *entry = &ledger->producers[producer];
    for (uint64_t sequence = 0; sequence < entry->count; sequence++) {
        unsigned char state = entry->states[sequence];
        bool is_received = state & STATE_RECEIVED;
        bool is_sent = state & STATE_SENT;
        ledger->sent += is_sent;
        ledger->received += is_received;
        ledger->cut_short += is_received && !is_sent;
        if (is_sent && !is_received) {
            if (state & STATE_IN_HAND) {
                ledger->taken_along++;
            } else if (ledger->hands_matched < ledger->hand_count) {
                ledger->hands_matched++;
                ledger->taken_along++;
            } else {
                ledger->lost++;
                if (ledger->lost < 10) {
                    printf("  lost: message %lu of process %u\n", (unsigned long)sequence,
                           producer);
                }
            }
        }
    }
}

void ledger_close(struct ledger *ledger, const char *folder, uint32_t process_count)
{
    struct reading reading = {.ledger = ledger};
    reading.last = malloc(ledger->process_count * sizeof *reading.last);
    if (reading.last == NULL) {
        abort();
    }
    for (uint32_t process = 0; process < process_count; process++) {
        journal_read(folder, process, read_sent, ledger);
    }
    for (uint32_t process = 0; process < process_count; process++) {
        memset(reading.last, 0, ledger->process_count * sizeof *reading.last);
        journal_read(folder, process, read_received, &reading);
    }
    for (uint32_t process = 0; process < process_count; process++) {
        journal_read(folder, process, read_claims, ledger);
    }
    for (uint32_t process = 0; process < process_count; process++) {
        end_what_was_ending(ledger, process);
        add_up(ledger, process);
    }
    free(reading.last);
}
