/* Whether one container leads to another: a walk that changes nothing, since other threads may read
 * what it comes to. */
#include "object/free/free.h"

#include <string.h>

#include "base/allocate.h"
#include "object/equality/stack.h"
#include "object/free/parts.h"

enum { OPEN_FIRST = 32, SEEN_FIRST = 64 };

struct search {
    const struct container *target;
    struct kin__stack open;        /* containers still to be looked into */
    const struct container **seen; /* by address; NULL: free */
    size_t seen_count;
    size_t seen_capacity; /* a power of two */
    bool is_over;         /* it was found, or memory is out */
    const struct container *open_first[OPEN_FIRST];
    const struct container *seen_first[SEEN_FIRST];
};

static const struct container **place_of(const struct search *search,
                                         const struct container *container)
{
    size_t mask = search->seen_capacity - 1;
    size_t at = (size_t)(((uintptr_t)container >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 24) & mask;
    while (search->seen[at] != NULL && search->seen[at] != container) {
        at = (at + 1) & mask;
    }
    return &search->seen[at];
}

/* Makes room for one more; at most half of the places are taken. */
static bool make_room(struct search *search)
{
    if (2 * search->seen_count < search->seen_capacity) {
        return true;
    }
    struct search before = *search;
    search->seen_capacity *= 4;
    search->seen = kin__allocate_zeroed(search->seen_capacity * sizeof *search->seen);
    if (search->seen == NULL) {
        search->seen = before.seen;
        search->seen_capacity = before.seen_capacity;
        return false;
    }
    for (size_t i = 0; i < before.seen_capacity; i++) {
        if (before.seen[i] != NULL) {
            *place_of(search, before.seen[i]) = before.seen[i];
        }
    }
    if (before.seen != search->seen_first) {
        kin__release(before.seen);
    }
    return true;
}

static void look_at(void *walk, kin_object *part)
{
    struct search *search = walk;
    const struct container *container = (const struct container *)part;
    if (!kin__is_container(part) || search->is_over) {
        return;
    }
    if (container == search->target || !make_room(search)) {
        search->is_over = true;
        return;
    }
    const struct container **place = place_of(search, container);
    if (*place == NULL) {
        const struct container **open = kin__stack_push(&search->open);
        search->is_over = open == NULL;
        if (open != NULL) {
            *open = container;
            *place = container;
            search->seen_count++;
        }
    }
}

bool kin__leads_to(const kin_object *part, const struct container *whole)
{
    struct search search = {.target = whole, .seen_capacity = SEEN_FIRST};
    search.seen = search.seen_first;
    kin__stack_init(&search.open, search.open_first, OPEN_FIRST, sizeof search.open_first[0]);
    look_at(&search, (kin_object *)(uintptr_t)part);
    while (search.open.count != 0 && !search.is_over) {
        const struct container *const *top = kin__stack_top(&search.open);
        const struct container *container = *top;
        kin__stack_pop(&search.open);
        kin__visit_parts(&search, container, look_at);
    }
    kin__stack_deinit(&search.open);
    if (search.seen != search.seen_first) {
        kin__release(search.seen);
    }
    return search.is_over;
}
