#include "object/repr/active.h"

#include "base/allocate.h"

enum { SLOTS_MIN = 64 };

void kin__active_init(struct kin__active *active)
{
    kin__stack_init(&active->entered, active->few, ACTIVE_FEW, sizeof active->few[0]);
    active->slots = NULL;
    active->slot_count = 0;
}

void kin__active_deinit(struct kin__active *active)
{
    kin__stack_deinit(&active->entered);
    kin__release(active->slots);
    active->slots = NULL;
}

static const kin_object *entered_at(const struct kin__active *active, size_t index)
{
    return ((const kin_object *const *)(const void *)active->entered.frames)[index];
}

/* The slot of a container, or the empty one where it belongs. */
static uint32_t *slot_of(const struct kin__active *active, const kin_object *container)
{
    uint64_t spread = ((uintptr_t)container >> 3) * UINT64_C(11400714785074694791);
    size_t at = (size_t)(spread >> 20) & (active->slot_count - 1);
    while (active->slots[at] != 0 && entered_at(active, active->slots[at] - 1) != container) {
        at = (at + 1) & (active->slot_count - 1);
    }
    return &active->slots[at];
}

bool kin__active_has(const struct kin__active *active, const kin_object *container)
{
    if (active->slots != NULL) {
        return *slot_of(active, container) != 0;
    }
    for (size_t i = 0; i < active->entered.count; i++) {
        if (entered_at(active, i) == container) {
            return true;
        }
    }
    return false;
}

/* More slots, filled in the order in which the containers were entered: leaving them in the
 * reverse order, none that is emptied stands before another in use. */
static int grow(struct kin__active *active)
{
    size_t count = active->slot_count == 0 ? SLOTS_MIN : active->slot_count * 2;
    uint32_t *slots = kin__allocate_zeroed(count * sizeof *slots);
    if (slots == NULL || count > UINT32_MAX) {
        kin__release(slots);
        return -ENOMEM;
    }
    kin__release(active->slots);
    active->slots = slots;
    active->slot_count = count;
    for (size_t i = 0; i < active->entered.count; i++) {
        *slot_of(active, entered_at(active, i)) = (uint32_t)(i + 1);
    }
    return 0;
}

int kin__active_enter(struct kin__active *active, const kin_object *container)
{
    size_t count = active->entered.count + 1;
    if (count > ACTIVE_FEW && count * 2 > active->slot_count) {
        int r = grow(active);
        if (r < 0) {
            return r;
        }
    }
    const kin_object **place = kin__stack_push(&active->entered);
    if (place == NULL) {
        return -ENOMEM;
    }
    *place = container;
    if (active->slots != NULL) {
        *slot_of(active, container) = (uint32_t)count;
    }
    return 0;
}

void kin__active_leave(struct kin__active *active)
{
    if (active->slots != NULL) {
        *slot_of(active, entered_at(active, active->entered.count - 1)) = 0;
    }
    kin__stack_pop(&active->entered);
}
