#include "explore/scenario.h"
#include "family/directory.h"
#include "family/heap.h"
#include "family/member.h"

#include <errno.h>

/* --- blocks that change hands; in the end none is in use that was not in the beginning --- */

struct heap_world {
    uint64_t before; /* bytes in use */
    uint64_t blocks[SCENARIO_ROLES_MAX];
    uint32_t has_made; /* roles, as bits */
};

static struct heap_world *heap_world(void)
{
    return scenario_world;
}

static void add_bytes(void *user, const struct kin__block_header *header, uint64_t offset,
                      uint64_t bytes)
{
    (void)offset;
    *(uint64_t *)user += atomic_load(&header->owner) != 0 ? bytes : 0;
}

static uint64_t bytes_in_use(void)
{
    uint64_t bytes = 0;
    kin__heap_each(&kin__family.memory, add_bytes, &bytes);
    return bytes;
}

static void create_nothing(void)
{
    heap_world()->before = bytes_in_use();
}

static void attach_nothing(uint32_t role)
{
    (void)role;
}

static uint64_t self_owner(void)
{
    return kin__block_of_member(kin__family.owner);
}

static void make_and_free(uint64_t bytes)
{
    uint64_t block = 0;
    SCENARIO_CHECK(kin__block_create(bytes, 0, KIN__BLOCK_BYTES, &block) == 0);
    SCENARIO_CHECK(kin__block_owner(block) == self_owner());
    kin__block_free(block, self_owner());
}

static void use_blocks(uint32_t role)
{
    (void)role;
    make_and_free(100);
    make_and_free(20000);
}

static void use_extents(uint32_t role)
{
    make_and_free(role == 0 ? 100000 : 40000);
    make_and_free(40000);
}

/* Makes a block for the role behind it, which frees it from another process. */
static void make(uint32_t role)
{
    struct heap_world *world = heap_world();
    SCENARIO_CHECK(kin__block_create(20000, 0, KIN__BLOCK_BYTES, &world->blocks[role]) == 0);
    world->has_made |= 1u << role;
}

static bool is_made(void)
{
    return heap_world()->has_made & 1u || scenario_is_dead(0);
}

static void take_and_free(uint32_t role)
{
    uint64_t block = 0;
    (void)role;
    scenario_wait(is_made);
    block = heap_world()->blocks[0];
    if (block != 0) {
        uint64_t from = kin__block_of_member(machine->processes[1].owner);
        if (kin__block_give(block, from, self_owner())) {
            kin__block_free(block, self_owner());
        }
    }
}

static void check_blocks(void)
{
    SCENARIO_CHECK(bytes_in_use() == heap_world()->before);
}

/* Blocks of members that are gone. */
static void count_strange(void *user, const struct kin__block_header *header, uint64_t offset,
                          uint64_t bytes)
{
    uint64_t owner = atomic_load(&header->owner);
    (void)offset;
    (void)bytes;
    if (owner != 0 && kin__block_is_of_member(owner) &&
        kin__member_state_of((uint32_t)owner) == KIN__MEMBER_FREE) {
        ++*(uint32_t *)user;
    }
}

static void check_owners(void)
{
    uint32_t strange = 0;
    kin__heap_each(&kin__family.memory, count_strange, &strange);
    SCENARIO_CHECK(strange == 0);
}

static void check_all_freed(void)
{
    check_owners();
    check_blocks();
}

/* If nobody has come for it, its maker still has it. */
static void check_handed_over(void)
{
    check_owners();
    if (!scenario_is_dead(1) || scenario_is_dead(0)) {
        check_blocks();
    }
}

const struct scenario heap_scenarios[] = {
    {.name = "heap, blocks",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"A", use_blocks, true, false, false}, {"B", use_blocks, true, false, false}},
     .check = check_all_freed,
     .deaths = 2},
    {.name = "heap, extents",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"A", use_extents, true, false, false}, {"B", use_extents, true, false, false}},
     .check = check_all_freed,
     .deaths = 2},
    {.name = "heap, a block changes hands",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"makes", make, true, false, false},
               {"frees", take_and_free, true, false, false},
               {"other", use_blocks, false, false, false}},
     .check = check_handed_over,
     .deaths = 2},
    {.name = "heap, reaper dies",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"A", use_extents, true, false, false}, {"B", use_blocks, false, false, false}},
     .check = check_all_freed,
     .deaths = 2,
     .has_mortal_reaper = true},
    {0},
};
