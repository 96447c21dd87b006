/* The listeners of this process: the layer's only mutable file-scope state. */
#ifndef KIN_CONNECTION_RUNTIME_H
#define KIN_CONNECTION_RUNTIME_H

#include "base/list.h"

#include <threads.h>

struct kin__listeners {
    mtx_t lock; /* guards the list, and who is half open at each; taken around fork, taken last */
    struct kin__list list; /* of kin_listener */
};

extern struct kin__listeners kin__listeners;

#endif
