/*
 * What references need once in a process and in a thread: the layer's only mutable file-scope
 * state.
 */
#ifndef KIN_BASE_RUNTIME_H
#define KIN_BASE_RUNTIME_H

#include <stdbool.h>
#include <threads.h>

struct kin_reference;

/* Things that this thread is about to free, in the order in which their last reference went. */
struct kin__endings {
    struct kin_reference *first;
    struct kin_reference *last; /* of those; meaningless if there is none */
    bool is_at_it;              /* this thread is in a callback, or frees one */
};

extern _Thread_local struct kin__endings kin__endings_current;

/* Guards which callbacks wait for which thing; no other lock is taken inside. Taken around fork. */
extern mtx_t kin__weak_lock;

/* In front of private state that is written around each fork, in the parent and in the child: it
 * stands together, so that the kernel copies one page of it and not one for each layer. */
#define KIN__FORK_STATE __attribute__((section("kin_fork_state")))

#endif
