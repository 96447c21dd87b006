#include "object/equality/stack.h"

#include <string.h>

#include "base/allocate.h"

void kin__stack_init(struct kin__stack *stack, void *first, size_t capacity, size_t frame_bytes)
{
    *stack = (struct kin__stack){
        .frames = first, .capacity = capacity, .frame_bytes = frame_bytes, .first = first};
}

void kin__stack_deinit(struct kin__stack *stack)
{
    if (stack->frames != stack->first) {
        kin__release(stack->frames);
    }
    stack->frames = stack->first;
    stack->count = 0;
}

static int grow(struct kin__stack *stack)
{
    size_t bytes = stack->capacity * stack->frame_bytes; /* are in memory: the double fits */
    unsigned char *frames;
    if (stack->frames == stack->first) {
        frames = kin__allocate(2 * bytes);
        if (frames != NULL) {
            memcpy(frames, stack->first, bytes);
        }
    } else {
        frames = kin__reallocate(stack->frames, 2 * bytes);
    }
    if (frames == NULL) {
        return -1;
    }
    stack->frames = frames;
    stack->capacity *= 2;
    return 0;
}

void *kin__stack_push(struct kin__stack *stack)
{
    if (stack->count == stack->capacity && grow(stack) < 0) {
        return NULL;
    }
    return stack->frames + stack->count++ * stack->frame_bytes;
}
