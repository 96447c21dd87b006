/*
 * The heap: blocks of spans and extents, with and without references in them, on fresh pages, on
 * pages that are full of what was there before, and in a span that a dead process left.
 */
#include "step/scenario.h"

#include "family/directory.h"
#include "family/heap.h"
#include "family/member.h"

#include <string.h>

#define SMALL_BYTES 100u
#define EXTENT_BYTES 150000u
#define SPAN_HALF_BYTES 30000u
#define CANARY_BYTES (2u << 20)
#define CANARY_SEED 5

enum { FLAG_BLOCK };

static uint64_t self(void)
{
    return kin__block_of_member(kin__family.owner);
}

static uint64_t create(uint64_t bytes, uint32_t handle_count)
{
    uint64_t block = 0;
    int r = kin__block_create(bytes, handle_count, KIN__BLOCK_BYTES, &block);
    if (r != 0) {
        crash_fail("no block of %lu bytes: %d", (unsigned long)bytes, r);
    }
    return block;
}

static void fill(uint64_t block, uint64_t bytes, uint32_t handle_count)
{
    uint64_t used = handle_count * sizeof(kin_handle);
    memset((unsigned char *)kin__at(block) + used, 0x77, bytes - used);
}

/* Puts a reference to the event into each handle of a block. */
static void refer(uint64_t block, uint32_t handle_count)
{
    kin_handle *handles = kin__at(block);
    for (uint32_t i = 0; i < handle_count; i++) {
        CRASH_CHECK(kin__reference_add(&handles[i], kin_event_handle(scene.event)) == 0);
    }
}

static void use_blocks(uint64_t bytes, uint32_t handle_count)
{
    uint64_t first = create(bytes, handle_count);
    refer(first, handle_count);
    fill(first, bytes, handle_count);
    uint64_t second = create(bytes, handle_count);
    refer(second, handle_count);
    CRASH_CHECK(first != second);
    CRASH_CHECK(kin__block_capacity(first) >= bytes);
    kin__block_free(first, self());
    kin__block_free(second, self());
}

static void use_small(void)
{
    use_blocks(SMALL_BYTES, 0);
}

static void use_small_with_handles(void)
{
    use_blocks(SMALL_BYTES, 2);
}

static void use_extents(void)
{
    use_blocks(EXTENT_BYTES, 0);
}

static void use_extents_with_handles(void)
{
    use_blocks(EXTENT_BYTES, 2);
}

/* Away to the process in which the scenario runs. */
static void give_away(void)
{
    uint64_t parent = kin__block_of_member(kin__family.member->parent);
    uint64_t block = create(SMALL_BYTES, 2);
    refer(block, 2);
    crash_set_flag(FLAG_BLOCK, block);
    CRASH_CHECK(kin__block_give(block, self(), parent));
    CRASH_CHECK(!kin__block_give(block, self(), parent));
    kin__block_free(block, self()); /* does nothing */
}

/* Frees it in the name of that process, as one that reaps would. */
static void give_away_and_free(void)
{
    uint64_t parent = kin__block_of_member(kin__family.member->parent);
    uint64_t given = atomic_load(&scene.board->flags[FLAG_BLOCK]);
    if (given != 0 && kin__block_owner(given) == parent) {
        kin__block_free(given, parent);
        kin__block_free(given, parent); /* once is enough */
    }
    give_away();
}

static void make_free_spans(void)
{
    uint64_t blocks[26];
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        blocks[i] = create(SPAN_HALF_BYTES, 0);
    }
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        kin__block_free(blocks[i], self());
    }
}

static void trim(void)
{
    kin__heap_trim();
}

static void use_and_trim(void)
{
    make_free_spans();
    kin__heap_trim();
}

static void set_up(void)
{
    CRASH_CHECK(kin_event_create(NULL, &scene.event) == 0);
}

static void finish(void)
{
    scene.event = kin_event_free(scene.event);
}

/* What was in the pages looks like a header that has many handles, and handles that are not
   zero. Behind it lies somebody else's block. */
static void set_up_dirty(void)
{
    set_up();
    uint64_t dirty = create(CANARY_BYTES, 0);
    memset(kin__at(dirty), 0x77, CANARY_BYTES);
    scene.block = create(CANARY_BYTES, 0);
    crash_fill(kin__at(scene.block), CANARY_BYTES, CANARY_SEED);
    kin__block_free(dirty, self());
}

static void finish_dirty(void)
{
    CRASH_CHECK(crash_is_filled(kin__at(scene.block), CANARY_BYTES, CANARY_SEED));
    kin__block_free(scene.block, self());
    finish();
}

/* A dead process leaves a span with a block in it that it had given away. */
static void leave_block(void)
{
    uint64_t block = create(SMALL_BYTES, 0);
    crash_fill(kin__at(block), SMALL_BYTES, CANARY_SEED);
    uint32_t parent = kin__family.member->parent;
    CRASH_CHECK(kin__block_give(block, self(), kin__block_of_member(parent)));
    crash_set_flag(FLAG_BLOCK, block);
}

static void set_up_orphan(void)
{
    uint32_t owner = 0;
    set_up();
    crash_kill_prey(crash_start_prey(&(struct prey){.run = leave_block}, &owner));
    crash_await_reaped(owner);
    scene.block = atomic_load(&scene.board->flags[FLAG_BLOCK]);
    CRASH_CHECK(kin__block_owner(scene.block) == self());
}

static void finish_orphan(void)
{
    CRASH_CHECK(kin__block_owner(scene.block) == self());
    CRASH_CHECK(crash_is_filled(kin__at(scene.block), SMALL_BYTES, CANARY_SEED));
    kin__block_free(scene.block, self());
    CRASH_CHECK(kin__block_owner(scene.block) == 0);
    finish();
}

static void finish_given(void)
{
    kin__block_free(atomic_load(&scene.board->flags[FLAG_BLOCK]), self());
    finish();
}

/* So much is in use that others, which are idle, may keep their pages; when it is freed, they give
 * them back. */
enum { IDLE_BLOCKS = 400, CHUNK_BYTES = 60000 };

static uint64_t block_to_free; /* the victim's */

static void use_much(void)
{
    uint64_t idle[IDLE_BLOCKS];
    block_to_free = create(1300u * 65536u, 0);
    for (int i = 0; i < IDLE_BLOCKS; i++) {
        idle[i] = create(CHUNK_BYTES, 0);
    }
    for (int i = 0; i < IDLE_BLOCKS; i++) {
        kin__block_free(idle[i], self());
    }
}

static void free_much(void)
{
    kin__block_free(block_to_free, self());
}

const struct scenario heap_scenarios[] = {
    {.name = "heap",
     .context = "small blocks",
     .setup = set_up,
     .victim = use_small,
     .survivor = use_small,
     .finish = finish},
    {.name = "heap",
     .context = "much is freed, and pages go back",
     .setup = set_up,
     .prepare = use_much,
     .victim = free_much,
     .survivor = use_extents,
     .finish = finish},
    {.name = "heap",
     .context = "small blocks with references",
     .setup = set_up,
     .victim = use_small_with_handles,
     .survivor = use_small_with_handles,
     .finish = finish},
    {.name = "heap",
     .context = "extents",
     .setup = set_up,
     .victim = use_extents,
     .survivor = use_extents,
     .finish = finish},
    {.name = "heap",
     .context = "extents with references",
     .setup = set_up,
     .victim = use_extents_with_handles,
     .survivor = use_extents_with_handles,
     .finish = finish},
    {.name = "heap",
     .context = "small blocks on used pages",
     .setup = set_up_dirty,
     .victim = use_small_with_handles,
     .survivor = use_small_with_handles,
     .finish = finish_dirty},
    {.name = "heap",
     .context = "extents on used pages",
     .setup = set_up_dirty,
     .victim = use_extents_with_handles,
     .survivor = use_extents_with_handles,
     .finish = finish_dirty},
    {.name = "heap",
     .context = "in the span of a dead process",
     .setup = set_up_orphan,
     .victim = use_small,
     .survivor = use_small,
     .finish = finish_orphan},
    {.name = "heap",
     .context = "give away",
     .setup = set_up,
     .victim = give_away,
     .survivor = give_away_and_free,
     .finish = finish_given},
    {.name = "heap",
     .context = "free what was given",
     .setup = set_up,
     .prepare = give_away,
     .victim = give_away_and_free,
     .survivor = give_away_and_free,
     .finish = finish_given},
    {.name = "heap",
     .context = "trim",
     .setup = set_up,
     .prepare = make_free_spans,
     .victim = trim,
     .survivor = use_and_trim,
     .finish = finish},
    {0},
};
