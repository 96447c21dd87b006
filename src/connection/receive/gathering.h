/**
 * How a receiver of small messages lets some gather.
 *
 * A receiver that reads ahead is faster than any sender: left alone it sleeps after each message,
 * and is woken for the next, which costs both of them several times what a message does. So before
 * it looks again it steps back for a moment, and finds several messages. That pays while several
 * come; where there is but one, an answer say, it would only be late. So it tries now and then,
 * less often if that is in vain.
 *
 * How long the moment is, goes by the bytes that came in the last one. A pipe keeps two pages of
 * those that were read for those that will be written. With more than that on their way, each is
 * fetched from the kernel's stock, and nobody has it in a cache: that costs a sender of 1 KiB more
 * than the few looks less are worth. And while a receiver copies much, the sender waits for the
 * pipe's lock.
 *
 * A sender on the same core gets nowhere meanwhile, so where a moment was in vain, the receiver
 * also lets go of the core, for some time. That is not done without need: it costs as much as
 * looking does.
 */
#ifndef KIN_CONNECTION_GATHERING_H
#define KIN_CONNECTION_GATHERING_H

#include <stdbool.h>
#include <stdint.h>

/* Private memory, under the receiver's mutex; all zero at first. */
struct gathering {
    bool is_stream;    /* several came the last time */
    bool is_trying;    /* it has stepped back, */
    bool has_yielded;  /* and let go of the core */
    uint32_t left;     /* looks until it is tried again */
    uint32_t interval; /* from one try to the next */
    uint32_t pauses;   /* of the processor: how long the moment is; 0: not known yet */
    uint32_t yields;   /* moments for which it will still let go of the core */
};

/* What a look has found. */
struct gathered {
    uint64_t bytes;
    bool has_more; /* than the one message that was wanted, but not so many that the sender is
                      faster */
};

/* Before a look into an empty pipe: steps back, or not. */
void kin__gathering_wait(struct gathering *gathering);

void kin__gathering_learn(struct gathering *gathering, struct gathered gathered);

#endif
