/*
 * Values and arrays: what is written in one step, what is written under the lock, and handles that
 * are stored. Blocks with names. Lists.
 */
#include "step/scenario.h"
#include "step/tracer.h"

#include "shared/items.h"
#include "shared/list_layout.h"

#include <errno.h>
#include <kin/array.h>
#include <kin/error.h>
#include <kin/shared_memory.h>
#include <kin/value.h>
#include <stddef.h>
#include <string.h>

static kin_value *value; /* of the founder's, inherited by all */
static kin_array *array;
static kin_shared_list *list;

static const kin_slice all = {0, INT64_MAX, 1};

enum { FLAG_WAITING, FLAG_DONE };

/* --- numbers --- */

static void set_up_integer(void)
{
    CRASH_CHECK(kin_value_create('q', NULL, &value) == 0);
}

static void set_up_double(void)
{
    CRASH_CHECK(kin_value_create('d', NULL, &value) == 0);
}

static void finish_value(void)
{
    value = kin_value_free(value);
}

static void set_number(void)
{
    CRASH_CHECK(kin_value_set_int(value, 7) == 0);
}

/* Acquires the lock and says that all is in order. */
static void mend(void)
{
    int r = kin_value_acquire(value, KIN_FOREVER);
    CRASH_CHECK(r == 0 || r == KIN_OWNER_DIED);
    CRASH_CHECK(kin_value_mark_consistent(value) == 0);
    CRASH_CHECK(kin_value_release(value) == 0);
}

static void look_and_set_number(void)
{
    int64_t number = -1;
    int r = kin_value_get_int(value, &number);
    CRASH_CHECK(r == 0 || r == KIN_OWNER_DIED);
    CRASH_CHECK(number == 7 || (number == 0 && !scene.board->is_done));
    mend();
    set_number();
    CRASH_CHECK(kin_value_get_int(value, &number) == 0 && number == 7);
}

/* One who waits for the lock that the victim holds. */
static void wait_to_get(void)
{
    int64_t number = -1;
    crash_set_flag(FLAG_WAITING, 1);
    int r = kin_value_get_int(value, &number);
    CRASH_CHECK((r == 0 && number == 7) || (r == KIN_OWNER_DIED && (number == 0 || number == 7)));
    crash_set_flag(FLAG_DONE, 1);
}

static void start_waiter(void)
{
    pid_t pid = crash_start(wait_to_get, NULL);
    crash_await_flag(FLAG_WAITING, 1);
    crash_await_sleep(pid);
}

static void set_number_watched(void)
{
    CRASH_CHECK(kin_value_acquire(value, KIN_FOREVER) == 0);
    trace_interlude();
    set_number();
    CRASH_CHECK(kin_value_release(value) == 0);
}

static void add_one(void)
{
    CRASH_CHECK(kin_value_add_int(value, 1, NULL) == 0);
}

static void look_and_add_one(void)
{
    int64_t old = -1;
    CRASH_CHECK(kin_value_add_int(value, 1, &old) == 0);
    CRASH_CHECK(old == 1 || (old == 0 && !scene.board->is_done));
}

static void add_half(void)
{
    CRASH_CHECK(kin_value_add_float(value, 0.5, NULL) == 0);
}

static void look_and_add_half(void)
{
    double old = -1;
    CRASH_CHECK(kin_value_add_float(value, 0.5, &old) == 0);
    CRASH_CHECK(old == 0.5 || (old == 0 && !scene.board->is_done));
}

static void swap_once(void)
{
    CRASH_CHECK(kin_value_compare_exchange_int(value, 0, 3, NULL) == 0);
}

static void look_and_swap(void)
{
    int64_t old = -1;
    int r = kin_value_compare_exchange_int(value, 0, 3, &old);
    CRASH_CHECK((r == 0 && old == 0 && !scene.board->is_done) || (r == -EAGAIN && old == 3));
}

/* --- handles --- */

static void set_up_handle(void)
{
    CRASH_CHECK(kin_value_create(KIN_ITEM_HANDLE, NULL, &value) == 0);
    CRASH_CHECK(kin_event_create(NULL, &scene.event) == 0);
    CRASH_CHECK(kin_queue_create(NULL, &scene.queue) == 0);
    CRASH_CHECK(kin_value_set_handle(value, kin_event_handle(scene.event)) == 0);
}

/* What the value names is kept alive by it alone. */
static void set_up_only_handle(void)
{
    set_up_handle();
    scene.event = kin_event_free(scene.event);
}

static void set_handle(void)
{
    CRASH_CHECK(kin_value_set_handle(value, kin_queue_handle(scene.queue)) == 0);
}

static void look_and_set_handle(void)
{
    kin_handle handle = {0};
    int r = kin_value_get_handle(value, &handle);
    CRASH_CHECK(r == 0 || r == KIN_OWNER_DIED);
    CRASH_CHECK(kin__directory_find(handle) != NULL);
    CRASH_CHECK(!scene.board->is_done || handle.counter == kin_queue_handle(scene.queue).counter);
    mend();
    set_handle();
}

/* As kin__reference_replace does it, up to the middle of the write. */
static void half_set_handle(void)
{
    struct kin__family_shared *shared = kin__shared();
    kin_handle *place = kin__object_handles((struct kin__object *)(void *)value) + 1;
    kin_handle handle = kin_queue_handle(scene.queue);
    CRASH_CHECK(kin__lock_acquire(&shared->directory_lock, kin__self()) == 0);
    shared->directory_current = handle.index;
    shared->directory_former = place->index;
    shared->directory_handle = handle;
    shared->directory_place = kin__offset_of(place);
    place->counter = 0;
    place->index = handle.index;
}

static void finish_handle(void)
{
    scene.event = kin_event_free(scene.event);
    scene.queue = kin_queue_free(scene.queue);
    finish_value();
}

static void set_up_event(void)
{
    CRASH_CHECK(kin_event_create(NULL, &scene.event) == 0);
}

static void create_and_free(void)
{
    kin_handle handle = kin_event_handle(scene.event);
    kin_value *own = NULL;
    CRASH_CHECK(kin_value_create('&', KIN_OPTIONS(kin_value_options, .initial = &handle), &own) ==
                0);
    kin_value *second = NULL;
    CRASH_CHECK(kin_value_attach(kin_value_handle(own), &second) == 0);
    kin_value_free(own);
    kin_value_free(second);
}

static void finish_event(void)
{
    scene.event = kin_event_free(scene.event);
}

/* --- slices --- */

static void set_up_array(void)
{
    CRASH_CHECK(kin_array_create('i', 4, NULL, &array) == 0);
}

static void set_slice(void)
{
    static const int items[4] = {1, 2, 3, 4};
    CRASH_CHECK(kin_array_set_slice(array, all, items, 4) == 0);
}

/* All old or all new, or one is told. */
static void look_and_set_slice(void)
{
    int items[4] = {0};
    int r = kin_array_get_slice(array, all, items, 4, NULL);
    CRASH_CHECK(r == KIN_OWNER_DIED || (r == 0 && (items[0] == 1) == (items[3] == 4)));
    CRASH_CHECK(!scene.board->is_done || items[3] == 4);
    CRASH_CHECK(kin_array_acquire(array, KIN_FOREVER) >= 0);
    CRASH_CHECK(kin_array_mark_consistent(array) == 0);
    CRASH_CHECK(kin_array_release(array) == 0);
    set_slice();
}

static void finish_array(void)
{
    array = kin_array_free(array);
}

/* --- blocks with names --- */

enum { LARGE = 2 << 20 };

static kin_shared_memory *own_memory; /* of a process */

static void create_memory(void)
{
    int r = kin_shared_memory_create("board", 100, NULL, &own_memory);
    CRASH_CHECK(r == 0);
}

static void free_memory(void)
{
    own_memory = kin_shared_memory_free(own_memory);
}

static void create_open_and_free(void)
{
    kin_shared_memory *second = NULL;
    create_memory();
    CRASH_CHECK(kin_shared_memory_open("board", &second) == 0);
    kin_shared_memory_free(second);
    free_memory();
}

static void create_large_and_free(void)
{
    CRASH_CHECK(kin_shared_memory_create(NULL, LARGE, NULL, &own_memory) == 0);
    free_memory();
}

/* The name is free once the victim is reaped, not before. */
static void await_name(void)
{
    kin_shared_memory *second = NULL;
    crash_await_reaped(scene.board->victim);
    CRASH_CHECK(kin_shared_memory_open("board", &second) == -ENOENT);
    create_open_and_free();
}

/* --- lists --- */

static const kin_shared_item texts[2] = {
    {.kind = KIN_SHARED_STRING, .bytes = {"some words", 10}},
    {.kind = KIN_SHARED_STRING, .bytes = {"others", 6}},
};

static void set_up_list(void)
{
    CRASH_CHECK(kin_shared_list_create(texts, 1, NULL, &list) == 0);
}

static void set_text(void)
{
    CRASH_CHECK(kin_shared_list_set(list, 0, &texts[1]) == 0);
}

static void look_and_set_text(void)
{
    char room[16] = "";
    CRASH_CHECK(kin_shared_list_get_string(list, 0, room, sizeof room) == 0);
    CRASH_CHECK(strcmp(room, "others") == 0 ||
                (strcmp(room, "some words") == 0 && !scene.board->is_done));
    set_text();
    CRASH_CHECK(kin_shared_list_get_string(list, 0, room, sizeof room) == 0);
    CRASH_CHECK(strcmp(room, "others") == 0);
}

/* A writer that has filled half of the side that does not count. */
static void half_set_text(void)
{
    struct kin__list_shared *shared = ((struct kin__object *)(void *)list)->shared;
    struct kin__list_place *place = &shared->places[0];
    CRASH_CHECK(kin__lock_acquire(&shared->lock, kin__self()) == 0);
    uint32_t other = 1 - place->current;
    place->sides[other].kind = KIN_SHARED_STRING;
    place->sides[other].bits = place->capacity + 1;
    kin__list_bytes(shared, place, other)[0] = '!';
}

static void get_text(void)
{
    char room[16] = "";
    CRASH_CHECK(kin_shared_list_get_string(list, 0, room, sizeof room) == 0);
}

static void finish_list(void)
{
    list = kin_shared_list_free(list);
}

const struct scenario shared_scenarios[] = {
    {.name = "value",
     .context = "set",
     .setup = set_up_integer,
     .victim = set_number,
     .survivor = look_and_set_number,
     .finish = finish_value},
    {.name = "value",
     .context = "set, one waits to get it",
     .setup = set_up_integer,
     .victim = set_number_watched,
     .interlude = start_waiter,
     .survivor = look_and_set_number,
     .finish = finish_value},
    {.name = "value",
     .context = "add",
     .setup = set_up_integer,
     .victim = add_one,
     .survivor = look_and_add_one,
     .finish = finish_value},
    {.name = "value",
     .context = "add to a double",
     .setup = set_up_double,
     .victim = add_half,
     .survivor = look_and_add_half,
     .finish = finish_value},
    {.name = "value",
     .context = "compare and exchange",
     .setup = set_up_integer,
     .victim = swap_once,
     .survivor = look_and_swap,
     .finish = finish_value},
    {.name = "value",
     .context = "set a handle",
     .setup = set_up_handle,
     .victim = set_handle,
     .survivor = look_and_set_handle,
     .finish = finish_handle},
    {.name = "value",
     .context = "set a handle in place of the last one",
     .setup = set_up_only_handle,
     .victim = set_handle,
     .survivor = look_and_set_handle,
     .finish = finish_handle},
    {.name = "value",
     .context = "set a handle, another died in it",
     .setup = set_up_handle,
     .prey = {.run = half_set_handle},
     .victim = set_handle,
     .survivor = look_and_set_handle,
     .finish = finish_handle},
    {.name = "value",
     .context = "create with a handle, open, free",
     .setup = set_up_event,
     .victim = create_and_free,
     .survivor = create_and_free,
     .finish = finish_event},
    {.name = "array",
     .context = "set a slice",
     .setup = set_up_array,
     .victim = set_slice,
     .survivor = look_and_set_slice,
     .finish = finish_array},
    {.name = "shared memory",
     .context = "create with a name, open, free",
     .victim = create_open_and_free,
     .survivor = await_name},
    {.name = "shared memory",
     .context = "create with a name",
     .victim = create_memory,
     .survivor = await_name},
    {.name = "shared memory",
     .context = "free with a name",
     .prepare = create_memory,
     .victim = free_memory,
     .survivor = await_name},
    {.name = "shared memory",
     .context = "create a large one, free",
     .victim = create_large_and_free,
     .survivor = create_large_and_free},
    {.name = "shared list",
     .context = "set",
     .setup = set_up_list,
     .victim = set_text,
     .survivor = look_and_set_text,
     .finish = finish_list},
    {.name = "shared list",
     .context = "set, another died in it",
     .setup = set_up_list,
     .prey = {.run = half_set_text},
     .victim = set_text,
     .survivor = look_and_set_text,
     .finish = finish_list},
    {.name = "shared list",
     .context = "get",
     .setup = set_up_list,
     .victim = get_text,
     .survivor = look_and_set_text,
     .finish = finish_list},
    {0},
};
