/* Every way to start a process, for tests of what happens where something is short. */
#ifndef POOL_WAYS_H
#define POOL_WAYS_H

#include "support.h"

struct way {
    const char *name;
    kin_start_method method; /* 0: something else than the start of one child */

    /* Starts, waits for the end, and frees all. 0: the start was right; or what it said. */
    int (*run)(const struct way *way);
    uint32_t worked_count;
};

enum { WAYS = 7 };
extern struct way ways[WAYS];

/* Before something is short: has each way work, and notes what there is then. */
void ways_begin(const kin_family_options *options);

/* Where something is short: `make_short` is called before each way, `undo` after it. Each works,
 * or says one of these codes, the last of which is 0; nothing is left. How many worked. */
uint32_t ways_try(const int *codes, void (*make_short)(void), void (*undo)(void));

/* Notes anew what there is: the test itself has made or freed something. */
void ways_stock_again(void);

/* When nothing is short any more: each works, and did before at least once. */
void ways_end(void);

#endif
