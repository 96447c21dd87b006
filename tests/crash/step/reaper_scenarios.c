/*
 * The reaper: a process takes back what a dead one had, is killed at it itself, and the next one
 * goes on. What the dead had at hand is as varied as what can be cut short.
 */
#include "step/messages.h"

#include "family/death.h"
#include "family/directory.h"
#include "family/family.h"
#include "family/heap.h"
#include "family/member.h"
#include "os/process.h"

#include <kin/error.h>
#include <string.h>

#define GIVE (void (*)(void)) kin__block_give

static void reap(void)
{
    kin__death_reap(scene.board->prey);
}

/* --- what the dead was at --- */

static void own_many_things(void)
{
    uint64_t block = 0;
    CRASH_CHECK(kin_lock_acquire(scene.lock, KIN_FOREVER) == 0);
    for (int i = 0; i < 3; i++) {
        CRASH_CHECK(kin__block_create(200, 2, KIN__BLOCK_BYTES, &block) == 0);
        kin_handle *handles = kin__at(block);
        CRASH_CHECK(kin__reference_add(&handles[1], kin_event_handle(scene.event)) == 0);
    }
    CRASH_CHECK(kin__block_create(200000, 1, KIN__BLOCK_BYTES, &block) == 0);
    CRASH_CHECK(kin__reference_add(kin__at(block), kin_event_handle(scene.event)) == 0);
    /* A span of the dead in which somebody else has a block. */
    uint32_t parent = kin__family.member->parent;
    CRASH_CHECK(kin__block_create(200, 0, KIN__BLOCK_BYTES, &block) == 0);
    CRASH_CHECK(kin__block_give(block, kin__block_of_member(kin__family.owner),
                                kin__block_of_member(parent)));
    memset(kin__at(block), 0x55, 200);
    atomic_store(&scene.board->flags[7], block);
}

static void own_queue(void)
{
    kin_queue *queue = NULL;
    unsigned char bytes[BYTES_LARGE] = {0};
    CRASH_CHECK(kin_queue_create(NULL, &queue) == 0);
    for (int i = 0; i < 70; i++) {
        size_t size = i % 8 == 0 ? sizeof bytes : 10;
        CRASH_CHECK(kin_queue_put_bytes(queue, bytes, size, KIN_NOW) == 0);
    }
    own_many_things();
}

static kin_queue *queue_to_free; /* of a process, private */

static void make_queue_to_free(void)
{
    CRASH_CHECK(kin_queue_create(NULL, &queue_to_free) == 0);
    for (int i = 0; i < 70; i++) {
        CRASH_CHECK(kin_queue_put_bytes(queue_to_free, "x", 1, KIN_NOW) == 0);
    }
}

static void free_queue(void)
{
    kin_queue_free(queue_to_free);
}

static void put_by_prey(void)
{
    messages_put(SEED_PREY);
}

static void get_by_prey(void)
{
    kin_message message;
    CRASH_CHECK(kin_queue_get_bytes(scene.queue, KIN_FOREVER, &message) == 0);
}

static void create_event(void)
{
    kin_event *event = NULL;
    CRASH_CHECK(kin_event_create(NULL, &event) == 0);
}

static void fork_child(void)
{
    uint32_t owner = 0;
    kin__family_fork("grandchild", 0, &owner);
}

/* --- the surroundings --- */

static void set_up(size_t bytes)
{
    message_bytes = bytes;
    messages_create(0);
    CRASH_CHECK(kin_lock_create(NULL, &scene.lock) == 0);
    CRASH_CHECK(kin_event_create(NULL, &scene.event) == 0);
}

static void set_up_small(void)
{
    set_up(BYTES_SMALL);
    messages_put(SEED_FIRST);
}

static void set_up_large(void)
{
    set_up(BYTES_LARGE);
    messages_put(SEED_FIRST);
}

static void set_up_segment_full(void)
{
    set_up(BYTES_SMALL);
    messages_fill_segment();
}

static void set_up_retire(void)
{
    set_up_segment_full();
    uint64_t count = kin_queue_item_count(scene.queue);
    messages_put(SEED_FIRST);
    messages_put(SEED_FIRST);
    while (count-- > 0) {
        messages_take(KIN_NOW);
    }
}

static void use_all(void)
{
    int r = kin_lock_acquire(scene.lock, KIN_FOREVER);
    CRASH_CHECK(r == 0 || r == KIN_OWNER_DIED);
    if (r == KIN_OWNER_DIED) {
        CRASH_CHECK(kin_lock_mark_consistent(scene.lock) == 0);
    }
    CRASH_CHECK(kin_lock_release(scene.lock) == 0);
    messages_put(SEED_SURVIVOR);
    CRASH_CHECK(messages_take(KIN_FOREVER) != 0);
    kin_event *event = NULL;
    CRASH_CHECK(kin_event_attach(kin_event_handle(scene.event), &event) == 0);
    kin_event_free(event);
}

static void finish(void)
{
    uint64_t given = atomic_load(&scene.board->flags[7]);
    crash_await_reaped(scene.board->prey);
    crash_await_reaped(scene.board->victim);
    if (given != 0) {
        const unsigned char *bytes = kin__at(given);
        CRASH_CHECK(kin__block_owner(given) == kin__block_of_member(kin__family.owner));
        CRASH_CHECK(bytes[0] == 0x55 && bytes[199] == 0x55);
        kin__block_free(given, kin__block_of_member(kin__family.owner));
        CRASH_CHECK(kin__block_owner(given) == 0);
    }
    messages_finish();
    scene.lock = kin_lock_free(scene.lock);
    scene.event = kin_event_free(scene.event);
}

#define REAPER(text, set_up_function, ...)                                                  \
    {                                                                                       \
        .name = "reaper", .context = text, .setup = set_up_function, .prey = {__VA_ARGS__}, \
        .victim = reap, .survivor = use_all, .finish = finish                               \
    }

const struct scenario reaper_scenarios[] = {
    REAPER("of one who owned much", set_up_small, own_many_things, NULL, false, NULL),
    REAPER("of one who owned a queue", set_up_small, own_queue, NULL, false, NULL),
    REAPER("of one who was creating an object", set_up_small, create_event, GIVE, false, NULL),
    REAPER("of one who was freeing a queue", set_up_small, free_queue, GIVE, true,
           make_queue_to_free),
    REAPER("of one who was putting", set_up_large, put_by_prey, GIVE, false, NULL),
    REAPER("of one who had put a block", set_up_large, put_by_prey, GIVE, true, NULL),
    REAPER("of one who was getting", set_up_large, get_by_prey, GIVE, false, NULL),
    REAPER("of one who had got a block", set_up_large, get_by_prey, GIVE, true, NULL),
    REAPER("of one who was adding a segment", set_up_segment_full, put_by_prey, GIVE, false, NULL),
    REAPER("of one who had added a segment", set_up_segment_full, put_by_prey, GIVE, true, NULL),
    REAPER("of one who was retiring a segment", set_up_retire, get_by_prey, GIVE, false, NULL),
    REAPER("of one who had retired a segment", set_up_retire, get_by_prey, GIVE, true, NULL),
    REAPER("of one who was starting a child", set_up_small, fork_child,
           (void (*)(void))kin__os_fork, false, NULL),
    {0},
};
