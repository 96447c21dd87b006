#include "sync/line.h"

#include "family/directory.h"
#include "family/sleep.h"
#include "sync/type.h"

#include <inttypes.h>

enum line_state { LINE_WAITING = 1, LINE_CALLED };

#define TICKET_NONE UINT64_MAX /* it is about to take one */

static uint64_t line_word(uint32_t index, enum line_state state)
{
    return index | (uint64_t)state << 32;
}

static uint32_t line_index(uint64_t word)
{
    return (uint32_t)word;
}

/* The half of the word that a member sleeps on: the kernel looks at 32 bits. */
static _Atomic uint32_t *state_of(struct kin__member *member)
{
    enum { HIGH = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ };
    return (_Atomic uint32_t *)(void *)&member->line + HIGH;
}

void kin__line_enter(struct kin__line *line, uint32_t index, struct kin__thread *self)
{
    struct kin__member *member = self->member;
    kin__holding_add(self, index);
    atomic_store(&member->line_ticket, TICKET_NONE);
    atomic_store(&member->line, line_word(index, LINE_WAITING));
    atomic_store(&member->line_ticket, atomic_fetch_add(&line->tickets, 1));
}

int kin__line_wait(uint32_t index, struct kin__thread *self, kin_timeout timeout)
{
    _Atomic uint64_t *word = &self->member->line;
    uint64_t waiting = line_word(index, LINE_WAITING);
    struct kin__spin spin = kin__spin_begin();
    int r = 0;
    while (r == 0 && atomic_load(word) == waiting) {
        r = kin__timeout_is_over(timeout);
        if (r == 0 && !kin__spin_again(&spin)) {
            r = kin__sleep_on_holder(state_of(self->member), LINE_WAITING, timeout);
        }
    }
    /* Whoever has called it meanwhile has called nobody else. */
    return r < 0 && atomic_compare_exchange_strong(word, &waiting, 0) ? r : 0;
}

void kin__line_end(uint32_t index, struct kin__thread *self)
{
    atomic_store(&self->member->line, 0);
    kin__holding_remove(self, index);
}

/* --- calling --- */

/* Calls the member in a slot, if it waits in the line. The compare-and-swap and the store of
 * `sleeping_on` in family/sleep.c are a full barrier each: either we see that it sleeps, or the
 * kernel sees that its word has changed. */
static bool call(uint32_t slot, uint32_t index)
{
    struct kin__member *member = kin__member_at(slot);
    uint64_t word = line_word(index, LINE_WAITING);
    if (!atomic_compare_exchange_strong(&member->line, &word, line_word(index, LINE_CALLED))) {
        return false;
    }
    if (atomic_load(&member->sleeping_on) != 0) {
        kin__os_futex_wake(state_of(member), 1);
    }
    return true;
}

enum { FIRST_MAX = 16 };

/* Those at the front of a line. */
struct front {
    uint32_t slots[FIRST_MAX];
    uint64_t tickets[FIRST_MAX]; /* ascending */
    uint32_t count;
    uint32_t limit;
    bool is_line_empty; /* nobody waits, wherever in the line */
};

static void insert(struct front *front, uint32_t slot, uint64_t ticket)
{
    uint32_t i = front->count < front->limit ? front->count++ : front->limit;
    for (; i > 0 && front->tickets[i - 1] > ticket; i--) {
        if (i < front->limit) {
            front->tickets[i] = front->tickets[i - 1];
            front->slots[i] = front->slots[i - 1];
        }
    }
    if (i < front->limit) {
        front->tickets[i] = ticket;
        front->slots[i] = slot;
    }
}

/* Finds the first up to `limit` of those who wait with a ticket below `before`. */
static struct front find_front(uint32_t index, uint64_t before, uint32_t limit)
{
    struct front front = {.limit = limit < FIRST_MAX ? limit : FIRST_MAX, .is_line_empty = true};
    uint64_t waiting = line_word(index, LINE_WAITING);
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        const struct kin__member *member = kin__member_at(slot);
        if (atomic_load(&member->line) == waiting) {
            uint64_t ticket = atomic_load(&member->line_ticket);
            front.is_line_empty = false;
            if (ticket < before) {
                insert(&front, slot, ticket);
            }
        }
    }
    return front;
}

uint32_t kin__line_call(struct kin__line *line, uint32_t index, uint32_t count)
{
    uint64_t before = atomic_load(&line->tickets);
    uint32_t called = 0;
    if (atomic_load(&line->quiet) == before) {
        return 0;
    }
    for (;;) {
        struct front front = find_front(index, before, count - called);
        for (uint32_t i = 0; i < front.count; i++) {
            called += call(front.slots[i], index);
        }
        if (front.is_line_empty) {
            atomic_store(&line->quiet, before);
        }
        if (front.count == 0 || called == count) {
            return called;
        }
    }
}

/* The line that a member stands in; NULL: none that a lock guards. Where the member is gone by
 * now, the object may be gone as well, and what is read here be anything. */
static const struct kin__line *line_at(uint32_t index)
{
    const struct kin__entry *entry = index == 0 ? NULL : kin__entry_at(index);
    bool is_one = entry != NULL && atomic_load(&entry->state) == KIN__ENTRY_LIVE &&
                  entry->type == KIN__TYPE_CONDITION && kin__block_capacity(entry->block) != 0;
    return is_one ? kin__entry_object(entry) : NULL;
}

void kin__line_call_orphans(uint32_t lock)
{
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        uint32_t index = line_index(atomic_load(&kin__member_at(slot)->line));
        const struct kin__line *line = line_at(index);
        if (line != NULL && line->lock == lock) {
            call(slot, index);
        }
    }
}

/* --- the dead --- */

/* May call one too many, if the reaper dies in the middle and the next does it again; never one
 * too few. */
void kin__line_repair(uint32_t index, void *at, uint32_t dead)
{
    _Atomic uint64_t *word = &kin__member_of(dead)->line;
    uint64_t waiting = line_word(index, LINE_WAITING);
    if (!atomic_compare_exchange_strong(word, &waiting, 0) &&
        waiting == line_word(index, LINE_CALLED)) {
        kin__line_call(at, index, 1);
        atomic_store(word, 0);
    }
}

/* --- the verifier --- */

static bool is_holding(const struct kin__member *member, uint32_t index)
{
    bool is_noted = atomic_load(&member->holding_overflow) != 0;
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        is_noted |= atomic_load(&member->holdings[i]) == index;
    }
    return is_noted;
}

void kin__line_verify(struct kin__verifier *verifier, uint32_t index, const void *at)
{
    const struct kin__line *line = at;
    const struct kin__region *members = &kin__memory_shared(&verifier->memory)->members;
    uint64_t tickets = atomic_load(&line->tickets);
    uint64_t quiet = atomic_load(&line->quiet);
    uint32_t used = atomic_load(&members->used);
    if (quiet > tickets) {
        kin__verify_fail(verifier, "line %" PRIu32 ": quiet before a ticket not given", index);
    }
    for (uint32_t slot = 1; slot < used; slot++) {
        const struct kin__member *member = kin__region_at(&verifier->memory, members, slot);
        uint64_t word = atomic_load(&member->line);
        uint64_t ticket = atomic_load(&member->line_ticket);
        if (line_index(word) != index) {
            continue;
        }
        if (word != line_word(index, LINE_WAITING) && word != line_word(index, LINE_CALLED)) {
            kin__verify_fail(verifier, "line %" PRIu32 ": member %" PRIu32 " in no state", index,
                             slot);
        }
        if (!is_holding(member, index)) {
            kin__verify_fail(verifier,
                             "line %" PRIu32 ": member %" PRIu32 " does not say that it "
                             "stands in it",
                             index, slot);
        }
        if (ticket != TICKET_NONE && ticket >= tickets) {
            kin__verify_fail(verifier,
                             "line %" PRIu32 ": member %" PRIu32 " has a ticket that was "
                             "not given",
                             index, slot);
        }
        if (word == line_word(index, LINE_WAITING) && ticket < quiet) {
            kin__verify_fail(verifier,
                             "line %" PRIu32 ": member %" PRIu32 " waits, unknown to "
                             "those who call",
                             index, slot);
        }
    }
}
