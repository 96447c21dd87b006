/*
 * The ledger of the queue's soak: what became of each message, from the journals and from what the
 * dead had in hand.
 */
#ifndef CRASH_LEDGER_H
#define CRASH_LEDGER_H

#include "soak/load.h"

struct ledger {
    uint32_t process_count; /* of all producers and consumers that there were */
    struct ledger_producer *producers;
    uint64_t sent;        /* messages whose put returned */
    uint64_t received;    /* that were taken */
    uint64_t taken_along; /* not taken, but in the hands of a consumer that was killed */
    uint64_t cut_short;   /* of puts that were cut short: in the queue all the same */
    uint64_t lost;
    uint64_t invented;
    uint64_t doubled;
    uint64_t claimed_again; /* claims that were not a message's first */
    uint64_t reordered;     /* taken by one consumer in another order than they were put */
    uint64_t hand_count;    /* large messages in the hands of the dead: only their size is known */
    uint64_t hands_matched;
};

void ledger_init(struct ledger *ledger, uint32_t process_max);
void ledger_deinit(struct ledger *ledger);

/* Notes what a consumer that was killed had in hand. */
void ledger_note_hand(struct ledger *ledger, const struct load_hand *hand);

/* Reads all journals and draws the sums. */
void ledger_close(struct ledger *ledger, const char *folder, uint32_t process_count);

#endif
