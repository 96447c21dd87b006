#include "family/heap.h"

#include "base/allocate.h"
#include "family/directory.h"
#include "family/keeper.h"
#include "family/member.h"
#include "family/sleep.h"

#include <errno.h>
#include <string.h>

#define HEADER_BYTES ((uint32_t)sizeof(struct kin__block_header))
#define CLASS_BYTES_MAX 32768u
#define TRIM_SPANS_MIN 64u     /* from there on a process is told when others free its blocks */
#define RENEWED_CHUNKS_MIN 16u /* 1 MiB: from there on new pages cost less than writing zeros */

/* Bytes of a block with its header. Powers of two and a little, since what programs send
 * often has a size that is a power of two. All are multiples of 64. */
static const uint16_t class_bytes[KIN__SIZE_CLASS_COUNT] = {
    64, 128, 192, 320, 576, 1088, 2112, 4160, 8192, 10880, 16384, 21824, CLASS_BYTES_MAX};

static uint32_t blocks_of(uint32_t size_class)
{
    return (uint32_t)KIN__CHUNK_BYTES / class_bytes[size_class];
}

static uint32_t class_of(uint64_t bytes)
{
    uint32_t size_class = 0;
    while (class_bytes[size_class] < bytes + HEADER_BYTES) {
        size_class++;
    }
    return size_class;
}

static struct kin__block_header *span_header(uint32_t chunk, uint32_t size_class, uint32_t block)
{
    return kin__at(kin__chunk_offset(chunk) + (uint64_t)block * class_bytes[size_class]);
}

static uint64_t own_span_word(uint32_t size_class)
{
    return kin__chunk_word(KIN__CHUNK_SPAN, size_class, kin__family.owner);
}

static uint64_t self_owner(void)
{
    return kin__block_of_member(kin__family.owner);
}

struct kin__block_header *kin__block_header_at(uint64_t offset)
{
    uint32_t index = kin__chunk_of(offset);
    struct kin__chunk *chunk = index == UINT32_MAX ? NULL : kin__chunk_at(index);
    if (chunk == NULL) {
        return NULL;
    }
    uint64_t word = atomic_load(&chunk->word);
    uint64_t inside = offset - kin__chunk_offset(index);
    if (kin__chunk_state(word) == KIN__CHUNK_EXTENT) {
        return inside == 0 ? &chunk->header : NULL;
    }
    uint32_t size_class = kin__chunk_class(word);
    if (kin__chunk_state(word) != KIN__CHUNK_SPAN || size_class >= KIN__SIZE_CLASS_COUNT ||
        inside % class_bytes[size_class] != HEADER_BYTES) {
        return NULL;
    }
    return kin__at(offset - HEADER_BYTES);
}

uint64_t kin__block_capacity(uint64_t offset)
{
    const struct kin__block_header *header = kin__block_header_at(offset);
    if (header == NULL || atomic_load(&header->owner) == 0) {
        return 0;
    }
    const struct kin__chunk *chunk = kin__chunk_at(kin__chunk_of(offset));
    uint64_t word = atomic_load(&chunk->word);
    return kin__chunk_state(word) == KIN__CHUNK_EXTENT
               ? chunk->count * KIN__CHUNK_BYTES
               : class_bytes[kin__chunk_class(word)] - HEADER_BYTES;
}

uint64_t kin__block_owner(uint64_t offset)
{
    struct kin__block_header *header = kin__block_header_at(offset);
    return header == NULL ? 0 : atomic_load(&header->owner);
}

bool kin__block_give(uint64_t offset, uint64_t from, uint64_t to)
{
    struct kin__block_header *header = kin__block_header_at(offset);
    return header != NULL && atomic_compare_exchange_strong(&header->owner, &from, to);
}

/* --- allocating from spans --- */

static int add_span(struct kin__heap_class *class, uint32_t chunk)
{
    if (class->span_count == class->span_capacity) {
        uint32_t capacity = class->span_capacity == 0 ? 8 : class->span_capacity * 2;
        uint32_t *spans = kin__reallocate(class->spans, capacity * sizeof *spans);
        if (spans == NULL) {
            return -ENOMEM;
        }
        class->spans = spans;
        class->span_capacity = capacity;
    }
    class->span_next = class->span_count; /* look there first */
    class->block_next = 0;
    class->spans[class->span_count++] = chunk;
    atomic_fetch_add(&kin__family.member->span_count, 1);
    return 0;
}

static void remove_span(struct kin__heap_class *class, uint32_t position)
{
    class->spans[position] = class->spans[--class->span_count];
    class->block_next = 0;
    atomic_fetch_sub(&kin__family.member->span_count, 1);
}

/* The next free block within two spans' worth of looking; 0: none. */
static uint64_t take_block(uint32_t size_class)
{
    struct kin__heap_class *class = &kin__heap.classes[size_class];
    uint32_t blocks = blocks_of(size_class);
    for (uint32_t budget = 2 * blocks; budget > 0 && class->span_count > 0; budget--) {
        if (class->block_next >= blocks) {
            class->block_next = 0;
            class->span_next++;
        }
        if (class->span_next >= class->span_count) {
            class->span_next = 0;
        }
        uint32_t chunk = class->spans[class->span_next];
        struct kin__block_header *header = span_header(chunk, size_class, class->block_next++);
        uint64_t free_owner = 0;
        if (atomic_load_explicit(&header->owner, memory_order_acquire) == 0 &&
            atomic_compare_exchange_strong(&header->owner, &free_owner, self_owner())) {
            return kin__offset_of(header) + HEADER_BYTES;
        }
    }
    return 0;
}

/* A span that a dead process left, or UINT32_MAX. */
static uint32_t adopt_span(uint32_t size_class)
{
    uint32_t used = atomic_load(&kin__shared()->chunks.used);
    uint64_t orphan = kin__chunk_word(KIN__CHUNK_SPAN, size_class, 0);
    for (uint32_t i = 0; i < used; i++) {
        uint64_t word = orphan;
        if (atomic_load_explicit(&kin__chunk_at(i)->word, memory_order_relaxed) == orphan &&
            atomic_compare_exchange_strong(&kin__chunk_at(i)->word, &word,
                                           own_span_word(size_class))) {
            atomic_fetch_sub(&kin__shared()->orphan_span_count, 1);
            return i;
        }
    }
    return UINT32_MAX;
}

/* Gets this process one more span of a class. 0, or -ENOMEM. */
static int grow(uint32_t size_class)
{
    uint32_t chunk = UINT32_MAX;
    if (atomic_load(&kin__shared()->orphan_span_count) != 0) {
        chunk = adopt_span(size_class);
    }
    if (chunk == UINT32_MAX) {
        int r = kin__chunk_claim(1, false, &chunk);
        if (r < 0) {
            return r;
        }
        for (uint32_t block = 0; block < blocks_of(size_class); block++) {
            struct kin__block_header *header = span_header(chunk, size_class, block);
            header->handle_count = 0;
            atomic_store(&header->owner, 0);
        }
        atomic_store(&kin__chunk_at(chunk)->word, own_span_word(size_class));
    }
    int r = add_span(&kin__heap.classes[size_class], chunk);
    if (r < 0) { /* not in our books: leave it to whoever needs it */
        atomic_fetch_add(&kin__shared()->orphan_span_count, 1);
        atomic_store(&kin__chunk_at(chunk)->word, kin__chunk_word(KIN__CHUNK_SPAN, size_class, 0));
    }
    return r;
}

static int create_small(uint64_t bytes, uint64_t *ret_offset)
{
    uint32_t size_class = class_of(bytes);
    int r = 0;
    bool has_many = false;
    mtx_lock(&kin__heap.lock);
    uint64_t offset = take_block(size_class);
    if (offset == 0) { /* what the dead have is to be had */
        mtx_unlock(&kin__heap.lock);
        kin__keeper_look_if_unwatched();
        mtx_lock(&kin__heap.lock);
        offset = take_block(size_class);
    }
    while (r == 0 && offset == 0) { /* more than once: a span that was adopted may be full */
        r = grow(size_class);
        offset = r == 0 ? take_block(size_class) : 0;
        has_many = atomic_load(&kin__family.member->span_count) >= TRIM_SPANS_MIN;
    }
    mtx_unlock(&kin__heap.lock);
    if (has_many) {
        kin__keeper_need(); /* which trims; without one it keeps what it has */
    }
    *ret_offset = offset;
    return r;
}

static int create_extent(uint64_t bytes, bool is_zeroed, uint64_t *ret_offset)
{
    uint64_t count = (bytes + KIN__CHUNK_BYTES - 1) / KIN__CHUNK_BYTES;
    uint32_t first = 0;
    if (count > kin__shared()->chunks.capacity) {
        return -ENOMEM;
    }
    kin__keeper_look_if_unwatched(); /* what the dead have is to be had */
    bool is_renewed = is_zeroed && count >= RENEWED_CHUNKS_MIN;
    int r = is_zeroed ? kin__chunk_claim((uint32_t)count, is_renewed, &first)
                      : kin__chunk_claim_in_turn((uint32_t)count, &kin__heap.extent_turn, &first);
    if (r < 0) {
        return r;
    }
    if (is_zeroed && !is_renewed) {
        memset(kin__at(kin__chunk_offset(first)), 0, bytes);
    }
    struct kin__chunk *chunk = kin__chunk_at(first);
    chunk->count = (uint32_t)count;
    chunk->header.handle_count = 0;
    atomic_store(&chunk->header.owner, self_owner());
    atomic_store(&chunk->word, kin__chunk_word(KIN__CHUNK_EXTENT, 0, kin__family.owner));
    *ret_offset = kin__chunk_offset(first);
    return 0;
}

static int create(uint64_t bytes, bool is_zeroed, uint64_t *ret_offset)
{
    kin__keeper_break_silence();
    if (bytes > kin__family.memory.bytes) {
        return -ENOMEM;
    }
    if (bytes + HEADER_BYTES > CLASS_BYTES_MAX) {
        return create_extent(bytes, is_zeroed, ret_offset);
    }
    uint64_t offset = 0;
    int r = create_small(bytes, &offset);
    if (r < 0) {
        return r;
    }
    if (is_zeroed) {
        memset(kin__at(offset), 0, bytes);
    }
    *ret_offset = offset;
    return 0;
}

/* Says what a new block is, and zeroes its handles. A free block's handle_count is 0: killed here,
 * its old contents are not taken for handles. */
static void label(uint64_t offset, uint32_t handle_count, enum kin__block_type type)
{
    struct kin__block_header *header = kin__block_header_at(offset);
    kin_handle *handles = kin__at(offset);
    header->type = (uint16_t)type;
    for (uint32_t i = 0; i < handle_count; i++) {
        handles[i] = (kin_handle){0};
    }
    atomic_signal_fence(memory_order_seq_cst);
    header->handle_count = (uint16_t)handle_count;
}

int kin__block_create(uint64_t bytes, uint32_t handle_count, enum kin__block_type type,
                      uint64_t *ret_offset)
{
    KIN_ASSERT(handle_count <= UINT16_MAX && bytes >= handle_count * sizeof(kin_handle));
    int r = create(bytes, false, ret_offset);
    if (r == 0) {
        label(*ret_offset, handle_count, type);
    }
    return r;
}

int kin__block_create_zeroed(uint64_t bytes, uint32_t handle_count, enum kin__block_type type,
                             uint64_t *ret_offset)
{
    KIN_ASSERT(handle_count <= UINT16_MAX && bytes >= handle_count * sizeof(kin_handle));
    int r = create(bytes, true, ret_offset);
    if (r == 0) {
        label(*ret_offset, handle_count, type);
    }
    return r;
}

/* --- freeing --- */

/* Frees an extent whose header says that this process has it. The rest of the extent is CLAIMED
 * by this process before the first chunk stops being the head, so that a reaper finds either
 * the whole extent or single chunks. */
static void free_extent(uint32_t first)
{
    struct kin__chunk *chunk = kin__chunk_at(first);
    uint32_t count = chunk->count;
    uint64_t claimed = kin__chunk_word(KIN__CHUNK_CLAIMED, 0, kin__family.owner);
    for (uint32_t i = count; i-- > 0;) {
        atomic_store(&kin__chunk_at(first + i)->word, claimed);
    }
    atomic_store(&chunk->header.owner, 0);
    kin__chunk_release(first, count);
}

static bool span_is_free(uint32_t chunk, uint32_t size_class)
{
    for (uint32_t block = 0; block < blocks_of(size_class); block++) {
        if (atomic_load(&span_header(chunk, size_class, block)->owner) != 0) {
            return false;
        }
    }
    return true;
}

/* Tells the owner of a span that it has much to trim, when the last of its blocks is freed.
 * Only processes that have many spans are told, so a steady state is silent. */
static void hint_trim(uint32_t chunk, uint32_t size_class)
{
    enum { HINTS_MIN = 16 };
    uint32_t owner = kin__chunk_owner(atomic_load(&kin__chunk_at(chunk)->word));
    struct kin__member *member = owner == 0 ? NULL : kin__member_of(owner);
    if (member == NULL || atomic_load(&member->span_count) < TRIM_SPANS_MIN ||
        !span_is_free(chunk, size_class)) {
        return;
    }
    if (atomic_fetch_add(&member->trim_wish, 1) + 1 == HINTS_MIN) {
        kin__count_raise_slow(&member->command, 1);
    }
}

void kin__block_free(uint64_t offset, uint64_t owner)
{
    struct kin__block_header *header = kin__block_header_at(offset);
    if (header == NULL || owner == 0) {
        return;
    }
    bool is_ours = owner == self_owner();
    if (!is_ours && !atomic_compare_exchange_strong(&header->owner, &owner, self_owner())) {
        return;
    }
    if (atomic_load(&header->owner) != self_owner()) {
        return;
    }
    kin_handle *handles = kin__at(offset);
    for (uint32_t i = 0; i < header->handle_count; i++) {
        kin__reference_drop(&handles[i]);
    }
    header->handle_count = 0;
    uint32_t chunk = kin__chunk_of(offset);
    uint64_t word = atomic_load(&kin__chunk_at(chunk)->word);
    if (kin__chunk_state(word) == KIN__CHUNK_EXTENT) {
        free_extent(chunk);
        return;
    }
    uint32_t size_class = kin__chunk_class(word);
    atomic_store_explicit(&header->owner, 0, memory_order_release);
    if (header == span_header(chunk, size_class, blocks_of(size_class) - 1)) {
        hint_trim(chunk, size_class);
    }
}

/* --- giving chunks back --- */

void kin__heap_trim(void)
{
    enum { FREE_SPANS_KEPT = 8 };
    mtx_lock(&kin__heap.lock);
    atomic_store(&kin__family.member->trim_wish, 0);
    for (uint32_t size_class = 0; size_class < KIN__SIZE_CLASS_COUNT; size_class++) {
        struct kin__heap_class *class = &kin__heap.classes[size_class];
        uint32_t kept = 0;
        for (uint32_t i = class->span_count; i-- > 0;) {
            uint32_t chunk = class->spans[i];
            if (!span_is_free(chunk, size_class) || kept++ < FREE_SPANS_KEPT) {
                continue;
            }
            atomic_store(&kin__chunk_at(chunk)->word,
                         kin__chunk_word(KIN__CHUNK_CLAIMED, 0, kin__family.owner));
            remove_span(class, i);
            kin__chunk_release(chunk, 1);
        }
    }
    mtx_unlock(&kin__heap.lock);
}

/* Frees the dead process's blocks of a span, and the span itself if nothing is left in it. */
static void reap_span(uint32_t chunk, uint64_t word, uint32_t dead)
{
    uint32_t size_class = kin__chunk_class(word);
    for (uint32_t block = 0; block < blocks_of(size_class); block++) {
        struct kin__block_header *header = span_header(chunk, size_class, block);
        if (atomic_load(&header->owner) == kin__block_of_member(dead)) {
            kin__block_free(kin__offset_of(header) + HEADER_BYTES, kin__block_of_member(dead));
        }
    }
    uint32_t owner = kin__chunk_owner(word);
    if (owner != dead && owner != 0) {
        return;
    }
    /* It stays a span while blocks in it are in use: their owners go on finding their headers.
     * Once it is ours nobody allocates in it. */
    uint64_t ours = own_span_word(size_class);
    if (!atomic_compare_exchange_strong(&kin__chunk_at(chunk)->word, &word, ours)) {
        return;
    }
    if (span_is_free(chunk, size_class)) {
        atomic_store(&kin__chunk_at(chunk)->word,
                     kin__chunk_word(KIN__CHUNK_CLAIMED, 0, kin__family.owner));
        kin__chunk_release(chunk, 1);
    } else {
        atomic_store(&kin__chunk_at(chunk)->word, kin__chunk_word(KIN__CHUNK_SPAN, size_class, 0));
    }
}

void kin__heap_reap(uint32_t dead)
{
    uint32_t used = atomic_load(&kin__shared()->chunks.used);
    for (uint32_t i = 0; i < used; i++) {
        struct kin__chunk *chunk = kin__chunk_at(i);
        uint64_t word = atomic_load(&chunk->word);
        uint32_t state = kin__chunk_state(word);
        uint32_t count = chunk->count;
        if (atomic_load(&chunk->word) != word) {
            i--; /* it changed under our eyes: look again, or we step over the wrong number */
        } else if (state == KIN__CHUNK_SPAN) {
            reap_span(i, word, dead);
        } else if (state == KIN__CHUNK_EXTENT) {
            kin__block_free(kin__chunk_offset(i), kin__block_of_member(dead));
            i += count > 0 ? count - 1 : 0;
        } else if (state == KIN__CHUNK_CLAIMED && kin__chunk_owner(word) == dead) {
            uint64_t claimed = kin__chunk_word(KIN__CHUNK_CLAIMED, 0, kin__family.owner);
            if (atomic_compare_exchange_strong(&chunk->word, &word, claimed)) {
                kin__chunk_reclaim(i);
            }
        }
    }
    kin__chunk_recount();
}

void kin__heap_each(const struct kin__memory *memory, kin__heap_visit *visit, void *user)
{
    const struct kin__family_shared *shared = kin__memory_shared(memory);
    uint32_t used = atomic_load(&shared->chunks.used);
    for (uint32_t i = 0; i < used; i++) {
        struct kin__chunk *chunk = kin__region_at(memory, &shared->chunks, i);
        uint64_t word = atomic_load(&chunk->word);
        uint64_t offset = shared->heap_offset + i * KIN__CHUNK_BYTES;
        uint32_t size_class = kin__chunk_class(word);
        if (kin__chunk_state(word) == KIN__CHUNK_EXTENT && chunk->count > 0 &&
            chunk->count <= used - i) {
            visit(user, &chunk->header, offset, chunk->count * KIN__CHUNK_BYTES);
            i += chunk->count - 1;
        } else if (kin__chunk_state(word) == KIN__CHUNK_SPAN &&
                   size_class < KIN__SIZE_CLASS_COUNT) {
            uint32_t bytes = class_bytes[size_class];
            for (uint32_t block = 0; block < blocks_of(size_class); block++) {
                struct kin__block_header *header = kin__memory_at(memory,
                                                                  offset + (uint64_t)block * bytes);
                visit(user, header, offset + (uint64_t)block * bytes + HEADER_BYTES,
                      bytes - HEADER_BYTES);
            }
        }
    }
}

void kin__heap_forget(void)
{
    for (uint32_t i = 0; i < KIN__SIZE_CLASS_COUNT; i++) {
        struct kin__heap_class *class = &kin__heap.classes[i];
        *class = (struct kin__heap_class){.spans = class->spans,
                                          .span_capacity = class->span_capacity};
    }
}
