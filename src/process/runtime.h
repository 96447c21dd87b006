/* The children of this process: the layer's only mutable file-scope state. */
#ifndef KIN_PROCESS_RUNTIME_H
#define KIN_PROCESS_RUNTIME_H

#include "base/list.h"

#include <threads.h>

struct kin__children {
    mtx_t lock;            /* guards the list and what changes in its elements; taken around fork */
    struct kin__list list; /* of kin_process */
};

extern struct kin__children kin__children;

/* Waits for those that have ended and were freed before. */
void kin__children_sweep(void);

#endif
