/**
 * The explicit stack of a walk through objects, which may be a million deep. The first frames are
 * the caller's local memory, so that what is shallow allocates nothing.
 */
#ifndef KIN_OBJECT_EQUALITY_STACK_H
#define KIN_OBJECT_EQUALITY_STACK_H

#include <stddef.h>

struct kin__stack {
    unsigned char *frames;
    size_t count;
    size_t capacity;
    size_t frame_bytes;
    unsigned char *first; /* the caller's */
};

/* Starts with `capacity` frames of `frame_bytes` each at `first`, an array of the caller's. */
void kin__stack_init(struct kin__stack *stack, void *first, size_t capacity, size_t frame_bytes);

/* Releases what was allocated. */
void kin__stack_deinit(struct kin__stack *stack);

/* Adds a frame, whose bytes are not set, and may move the others. NULL: no memory. */
void *kin__stack_push(struct kin__stack *stack);

/* The frame on top, or NULL: none is left. */
static inline void *kin__stack_top(const struct kin__stack *stack)
{
    return stack->count == 0 ? NULL : stack->frames + (stack->count - 1) * stack->frame_bytes;
}

/* Takes the frame on top away. */
static inline void kin__stack_pop(struct kin__stack *stack)
{
    stack->count--;
}

#endif
