/**
 * How a receiver of small messages lets some gather.
 *
 * A receiver that reads ahead is faster than any sender: left alone it sleeps after each message,
 * and is woken for the next, which costs both of them several times what a message does. So before
 * it looks again it steps back for a moment, lets the sender have the core if it wants it, and
 * finds several messages. That pays while several come; where there is but one, an answer say, it
 * would only be late. So it tries now and then, less often if that is in vain.
 */
#ifndef KIN_CONNECTION_GATHERING_H
#define KIN_CONNECTION_GATHERING_H

#include <stdbool.h>
#include <stdint.h>

/* Private memory, under the receiver's mutex; all zero at first. */
struct gathering {
    bool is_stream;    /* several came the last time */
    bool is_trying;    /* it has stepped back */
    uint32_t left;     /* looks until it is tried again */
    uint32_t interval; /* from one try to the next */
};

/* Before a look into an empty pipe: steps back, or not. */
void kin__gathering_wait(struct gathering *gathering);

/* What the look has found: whether more than the one message that was wanted, but not so many that
 * the sender is faster. */
void kin__gathering_learn(struct gathering *gathering, bool has_more);

#endif
