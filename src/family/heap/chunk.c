#include "family/heap/chunk.h"

#include "family/runtime.h"
#include "os/memory.h"

#include <errno.h>

/* Idle chunks that may keep their pages: 16 MiB, and an eighth of what is in use. */
#define IDLE_CHUNKS_KEPT 256

/* So many more than that are given back at a time when less is in use than was. */
#define TRIM_LEAST 64

struct kin__chunk *kin__chunk_at(uint32_t index)
{
    return kin__region_at(&kin__family.memory, &kin__shared()->chunks, index);
}

uint64_t kin__chunk_offset(uint32_t index)
{
    return kin__shared()->heap_offset + index * KIN__CHUNK_BYTES;
}

uint32_t kin__chunk_of(uint64_t offset)
{
    const struct kin__family_shared *shared = kin__shared();
    uint64_t index = (offset - shared->heap_offset) / KIN__CHUNK_BYTES;
    return offset < shared->heap_offset || index >= shared->chunks.capacity ? UINT32_MAX
                                                                            : (uint32_t)index;
}

/* Makes chunks up to `end` usable. 0, or -ENOMEM: beyond the end of the memory, or no pages. */
static int extend(uint32_t end)
{
    struct kin__region *chunks = &kin__shared()->chunks;
    if (end > chunks->capacity || kin__region_commit(chunks, end) < 0) {
        return -ENOMEM;
    }
    kin__region_use(chunks, end);
    return 0;
}

/* Turns chunks that this process has CLAIMED into IDLE ones. */
static void put_back(uint32_t first, uint32_t count, uint64_t committed)
{
    struct kin__family_shared *shared = kin__shared();
    for (uint32_t i = first; i < first + count; i++) {
        atomic_store(&kin__chunk_at(i)->word, KIN__CHUNK_IDLE | committed);
    }
    uint32_t search = atomic_load(&shared->chunk_search);
    while (first < search && !atomic_compare_exchange_weak(&shared->chunk_search, &search, first)) {
    }
}

/* Gives CLAIMED chunks new pages, in place of those that they may have. Killed in between, a reaper
 * does not count on the pages of what the dead had claimed. */
static int renew(uint32_t first, uint32_t count)
{
    uint64_t offset = kin__chunk_offset(first);
    int r = kin__os_memory_decommit(kin__family.fd, offset, count * KIN__CHUNK_BYTES);
    return r < 0 ? r : kin__os_memory_commit(kin__family.fd, offset, count * KIN__CHUNK_BYTES);
}

/* Claims chunk by chunk from `first` on, giving pages to those that have none, or to all. Number
 * claimed: less than `count` if somebody else has the next; or -ENOMEM, and nothing is claimed. */
static int claim_run(uint32_t first, uint32_t count, bool is_renewed)
{
    struct kin__family_shared *shared = kin__shared();
    uint64_t claimed = kin__chunk_word(KIN__CHUNK_CLAIMED, 0, kin__family.owner);
    uint32_t bare = UINT32_MAX; /* first claimed chunk of a run without pages */
    uint32_t i = first;
    int r = 0;
    for (; i < first + count && r == 0; i++) {
        uint64_t word = atomic_load(&kin__chunk_at(i)->word);
        if (kin__chunk_state(word) != KIN__CHUNK_IDLE ||
            !atomic_compare_exchange_strong(&kin__chunk_at(i)->word, &word, claimed)) {
            break;
        }
        if (word & KIN__CHUNK_COMMITTED) {
            atomic_fetch_sub(&shared->idle_chunk_count, 1);
        } else if (bare == UINT32_MAX && !is_renewed) {
            bare = i;
        }
        bool run_ends = i + 1 == first + count || word & KIN__CHUNK_COMMITTED;
        if (bare != UINT32_MAX && run_ends) {
            uint32_t end = word & KIN__CHUNK_COMMITTED ? i : i + 1;
            r = kin__os_memory_commit(kin__family.fd, kin__chunk_offset(bare),
                                      (end - bare) * KIN__CHUNK_BYTES);
            bare = UINT32_MAX;
        }
    }
    if (r == 0 && i - first == count && is_renewed) {
        r = renew(first, count);
    }
    if (r == 0 && i - first == count) {
        return (int)count;
    }
    put_back(first, i - first, 0); /* those that had pages are counted again when used */
    return r < 0 ? r : (int)(i - first);
}

/* Where a search for chunks in a row stands. */
struct search {
    uint32_t start; /* it began here, by the hint */
    uint32_t first; /* the run under the eye */
    uint32_t length;
    bool has_gap;      /* a run that was too short was passed */
    bool is_restarted; /* from 0: the hint may have been too high */
};

/* What to do at the end of the chunks in use: look once more from the start if there are idle
 * ones that the hint hides, else use one more. 0, or -ENOMEM. */
static int pass_end(struct search *search, uint32_t *i)
{
    bool may_hide = atomic_load(&kin__shared()->idle_chunk_count) != 0;
    if ((!may_hide || search->is_restarted || search->start == 0) && extend(*i + 1) == 0) {
        return 0;
    }
    if (search->is_restarted || search->start == 0) {
        return -ENOMEM;
    }
    *search = (struct search){.is_restarted = true};
    *i = 0;
    return 0;
}

/* First-fit: low chunks are used again and again and keep their pages. */
int kin__chunk_claim(uint32_t count, bool is_renewed, uint32_t *ret_first)
{
    struct kin__family_shared *shared = kin__shared();
    struct search search = {.start = atomic_load(&shared->chunk_search)};
    for (uint32_t i = search.start;; i++) {
        if (i >= atomic_load(&shared->chunks.used) && pass_end(&search, &i) < 0) {
            return -ENOMEM;
        }
        if (kin__chunk_state(atomic_load(&kin__chunk_at(i)->word)) != KIN__CHUNK_IDLE) {
            search.has_gap |= search.length > 0;
            search.length = 0;
            continue;
        }
        search.first = search.length++ == 0 ? i : search.first;
        if (search.length < count) {
            continue;
        }
        int r = claim_run(search.first, count, is_renewed);
        if (r < 0) {
            return r;
        }
        if ((uint32_t)r == count) {
            break;
        }
        i = search.first + (uint32_t)r; /* somebody was faster: go on behind what is taken */
        search.has_gap |= r > 0;
        search.length = 0;
    }
    if (!search.has_gap) {
        atomic_compare_exchange_strong(&shared->chunk_search, &search.start, search.first + count);
    }
    atomic_fetch_add(&shared->busy_chunk_count, count);
    *ret_first = search.first;
    return 0;
}

#define TURN_CHUNKS 64 /* what may lie idle for the sake of turns */
#define TURN_LOOKS 256 /* how many chunks to look at */

int kin__chunk_claim_in_turn(uint32_t count, _Atomic uint32_t *turn, uint32_t *ret_first)
{
    struct kin__family_shared *shared = kin__shared();
    int32_t busy = (int32_t)atomic_load(&shared->busy_chunk_count);
    uint64_t window = (uint64_t)(busy > 0 ? busy : 0) + TURN_CHUNKS + count;
    uint32_t first = atomic_load_explicit(turn, memory_order_relaxed);
    uint32_t length = 0;
    if (window > shared->chunks.capacity || extend((uint32_t)window) < 0) {
        return kin__chunk_claim(count, false, ret_first);
    }
    for (uint32_t looks = 0; looks < TURN_LOOKS + count; looks++) {
        if (first + count > window) {
            first = length = 0;
        }
        uint64_t word = atomic_load(&kin__chunk_at(first + length)->word);
        if (kin__chunk_state(word) != KIN__CHUNK_IDLE) {
            first += length + 1;
            length = 0;
        } else if (++length == count) {
            int r = claim_run(first, count, false);
            if (r < 0) {
                return r;
            }
            if ((uint32_t)r == count) {
                atomic_store_explicit(turn, first + count, memory_order_relaxed);
                atomic_fetch_add(&shared->busy_chunk_count, count);
                *ret_first = first;
                return 0;
            }
            first += (uint32_t)r + 1; /* somebody was faster */
            length = 0;
        }
    }
    return kin__chunk_claim(count, false, ret_first);
}

/* How many idle chunks have pages beyond those that may keep them. The counts are hints: a recount
 * beside a claim can leave them a little below zero. */
static int32_t count_excess(void)
{
    const struct kin__family_shared *shared = kin__shared();
    int32_t busy = (int32_t)atomic_load(&shared->busy_chunk_count);
    return (int32_t)atomic_load(&shared->idle_chunk_count) - IDLE_CHUNKS_KEPT -
           (busy > 0 ? busy / 8 : 0);
}

/* Takes the pages of idle chunks that might keep them when more was in use. High ones first: low
 * ones are used again. Many at a time, since it looks at them all; killed in between, a reaper
 * gives back what was CLAIMED. */
static void trim(int32_t excess)
{
    struct kin__family_shared *shared = kin__shared();
    uint64_t claimed = kin__chunk_word(KIN__CHUNK_CLAIMED, 0, kin__family.owner);
    for (uint32_t i = atomic_load(&shared->chunks.used); i-- > 0 && excess > 0;) {
        uint64_t word = atomic_load(&kin__chunk_at(i)->word);
        if (kin__chunk_state(word) != KIN__CHUNK_IDLE || !(word & KIN__CHUNK_COMMITTED) ||
            !atomic_compare_exchange_strong(&kin__chunk_at(i)->word, &word, claimed)) {
            continue;
        }
        if (kin__os_memory_decommit(kin__family.fd, kin__chunk_offset(i), KIN__CHUNK_BYTES) < 0) {
            put_back(i, 1, KIN__CHUNK_COMMITTED);
            return;
        }
        atomic_fetch_sub(&shared->idle_chunk_count, 1);
        put_back(i, 1, 0);
        excess--;
    }
    if (excess > 0) { /* there are less than the hint says, which would make each release look */
        kin__chunk_recount();
    }
}

void kin__chunk_release(uint32_t first, uint32_t count)
{
    struct kin__family_shared *shared = kin__shared();
    atomic_fetch_sub(&shared->busy_chunk_count, count);
    atomic_fetch_add(&shared->idle_chunk_count, count);
    if (count_excess() > 0 && kin__os_memory_decommit(kin__family.fd, kin__chunk_offset(first),
                                                      count * KIN__CHUNK_BYTES) == 0) {
        atomic_fetch_sub(&shared->idle_chunk_count, count);
        put_back(first, count, 0);
    } else {
        put_back(first, count, KIN__CHUNK_COMMITTED);
    }
    int32_t excess = count_excess();
    if (excess >= TRIM_LEAST) {
        trim(excess);
    }
}

void kin__chunk_reclaim(uint32_t index)
{
    int r = kin__os_memory_decommit(kin__family.fd, kin__chunk_offset(index), KIN__CHUNK_BYTES);
    (void)r; /* if it fails, pages that nobody counts stay until the chunk is used again */
    put_back(index, 1, 0);
}

void kin__chunk_recount(void)
{
    struct kin__family_shared *shared = kin__shared();
    uint32_t used = atomic_load(&shared->chunks.used);
    uint32_t idle = 0;
    uint32_t busy = 0;
    uint32_t orphans = 0;
    for (uint32_t i = 0; i < used; i++) {
        uint64_t word = atomic_load(&kin__chunk_at(i)->word);
        busy += kin__chunk_state(word) != KIN__CHUNK_IDLE;
        orphans += kin__chunk_state(word) == KIN__CHUNK_SPAN && kin__chunk_owner(word) == 0;
        idle += kin__chunk_state(word) == KIN__CHUNK_IDLE && word & KIN__CHUNK_COMMITTED;
    }
    atomic_store(&shared->idle_chunk_count, idle);
    atomic_store(&shared->busy_chunk_count, busy);
    atomic_store(&shared->orphan_span_count, orphans);
}
