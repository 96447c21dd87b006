/* The pools of this process: the layer's only mutable file-scope state. */
#ifndef KIN_POOL_RUNTIME_H
#define KIN_POOL_RUNTIME_H

#include "base/list.h"

#include <stdint.h>
#include <threads.h>

struct kin__pools {
    mtx_t lock; /* guards the list; taken around fork */
    struct kin__list list;
    uint32_t count; /* made so far, for names */
};

extern struct kin__pools kin__pools;

#endif
