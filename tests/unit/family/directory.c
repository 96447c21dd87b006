/* Handles in blocks that are replaced, and the names of objects. */
#include "family/directory.h"

#include "fake.h"
#include "family/lock.h"

#include <errno.h>

static uint64_t references_of(const struct fake *fake)
{
    const struct kin__entry *entry = kin__directory_find(fake->object.handle);
    return entry == NULL ? 0 : entry->references;
}

static struct fake *create_holder(void)
{
    struct kin__object_plan plan = {.type = FAKE_TYPE,
                                    .handle_count = 1,
                                    .size = sizeof(struct fake),
                                    .bytes = sizeof(struct fake_shared)};
    struct fake *fake = NULL;
    REQUIRE(kin__object_create(&plan, &fake) == 0);
    return fake;
}

static kin_handle *place_of(const struct fake *holder)
{
    return kin__object_handles(&holder->object);
}

static const kin_handle nothing;

/* --- replacing --- */

TEST(a_replaced_handle_drops_the_one_object_and_keeps_the_other)
{
    begin();
    struct fake *holder = create_holder();
    struct fake *first = fake_create();
    struct fake *second = fake_create();
    kin_handle *place = place_of(holder);
    CHECK_EQUAL(kin__reference_replace(place, first->object.handle), 0);
    CHECK_EQUAL(references_of(first), 2);
    CHECK_EQUAL(kin__reference_replace(place, second->object.handle), 0);
    CHECK_EQUAL(references_of(first), 1);
    CHECK_EQUAL(references_of(second), 2);
    CHECK_EQUAL(kin__reference_replace(place, second->object.handle), 0);
    CHECK_EQUAL(references_of(second), 2);
    CHECK_EQUAL(kin__reference_read(place).index, second->object.handle.index);
    CHECK_SOUND();
    CHECK_EQUAL(kin__reference_replace(place, nothing), 0);
    CHECK_EQUAL(references_of(second), 1);
    CHECK_EQUAL(kin__reference_read(place).counter, 0);
    CHECK_SOUND();
    kin__object_free(first);
    kin__object_free(second);
    kin__object_free(holder);
}

TEST(replacing_the_last_handle_frees_the_object)
{
    begin();
    struct fake *holder = create_holder();
    struct fake *first = fake_create();
    kin_handle handle = first->object.handle;
    REQUIRE(kin__reference_replace(place_of(holder), handle) == 0);
    kin__object_free(first);
    CHECK(kin__directory_find(handle) != NULL);
    CHECK_EQUAL(kin__reference_replace(place_of(holder), nothing), 0);
    CHECK(kin__directory_find(handle) == NULL);
    CHECK_SOUND();
    kin__object_free(holder);
}

TEST(a_stale_handle_replaces_nothing)
{
    begin();
    struct fake *holder = create_holder();
    struct fake *first = fake_create();
    kin_handle stale = first->object.handle;
    stale.counter += 9;
    REQUIRE(kin__reference_replace(place_of(holder), first->object.handle) == 0);
    CHECK_EQUAL(kin__reference_replace(place_of(holder), stale), -ESTALE);
    CHECK_EQUAL(references_of(first), 2);
    kin__object_free(first);
    kin__object_free(holder);
    CHECK_SOUND();
}

static struct fake *pair[2];

static void *replace_for_long(void *user)
{
    for (int i = 0; i < 2000; i++) {
        CHECK_EQUAL(kin__reference_replace(user, i % 3 == 2 ? nothing : pair[i % 3]->object.handle),
                    0);
        uint32_t index = kin__reference_read(user).index;
        CHECK(index == 0 || index == pair[0]->object.handle.index ||
              index == pair[1]->object.handle.index);
    }
    return NULL;
}

TEST(threads_replace_one_handle_side_by_side)
{
    begin();
    struct fake *holder = create_holder();
    pair[0] = fake_create();
    pair[1] = fake_create();
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        threads[i] = thread_start(replace_for_long, place_of(holder));
    }
    for (int i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    CHECK_SOUND();
    kin__object_free(holder);
    CHECK_EQUAL(references_of(pair[0]), 1);
    CHECK_EQUAL(references_of(pair[1]), 1);
    kin__object_free(pair[0]);
    kin__object_free(pair[1]);
}

/* --- deaths --- */

static struct fake *replaced_holder;

/* As kin__reference_replace does it, up to the middle of the write. */
static void die_replacing(void *user)
{
    struct kin__family_shared *shared = kin__shared();
    kin_handle *place = place_of(replaced_holder);
    (void)user;
    REQUIRE(kin__lock_acquire(&shared->directory_lock, kin__self()) == 0);
    shared->directory_current = pair[1]->object.handle.index;
    shared->directory_former = place->index;
    shared->directory_handle = pair[1]->object.handle;
    shared->directory_place = kin__offset_of(place);
    place->counter = 0;
    place->index = pair[1]->object.handle.index;
    for (;;) {
        kill(getpid(), SIGKILL);
    }
}

TEST_OF_PROCESSES(a_handle_that_the_dead_was_replacing_names_the_new_object)
{
    begin();
    replaced_holder = create_holder();
    pair[0] = fake_create();
    pair[1] = fake_create();
    kin_handle former = pair[0]->object.handle;
    REQUIRE(kin__reference_replace(place_of(replaced_holder), former) == 0);
    pid_t pid = child_start(die_replacing, NULL);
    waitpid(pid, NULL, 0);
    while (member_count() != 2) {
        pause_a_moment();
    }
    CHECK_EQUAL(kin__reference_read(place_of(replaced_holder)).counter,
                pair[1]->object.handle.counter);
    CHECK_EQUAL(references_of(pair[0]), 1);
    CHECK_EQUAL(references_of(pair[1]), 2);
    CHECK_SOUND();
    kin__object_free(pair[0]);
    CHECK(kin__directory_find(former) == NULL);
    kin__object_free(replaced_holder);
    kin__object_free(pair[1]);
    CHECK_SOUND();
}

static void replace_until_killed(void *user)
{
    atomic_fetch_add(&numbers[0], 1);
    for (;;) {
        replace_for_long(user);
    }
}

TEST_OF_PROCESSES(processes_killed_while_they_replace_leave_right_counts)
{
    begin();
    replaced_holder = create_holder();
    pair[0] = fake_create();
    pair[1] = fake_create();
    for (int round = 0; round < 12; round++) {
        pid_t pids[2];
        atomic_store(&numbers[0], 0);
        for (int i = 0; i < 2; i++) {
            pids[i] = child_start(replace_until_killed, place_of(replaced_holder));
        }
        await_number(0, 2);
        usleep((useconds_t)(round * 200));
        for (int i = 0; i < 2; i++) {
            kill(pids[i], SIGKILL);
            waitpid(pids[i], NULL, 0);
        }
        while (member_count() != 2) {
            pause_a_moment();
        }
        CHECK_SOUND();
    }
    kin__object_free(replaced_holder);
    CHECK_EQUAL(references_of(pair[0]), 1);
    CHECK_EQUAL(references_of(pair[1]), 1);
    kin__object_free(pair[0]);
    kin__object_free(pair[1]);
}

/* --- names --- */

/* A fake whose block has room for a name behind the rest. */
static struct fake *create_nameable(const char *name)
{
    struct fake *fake = NULL;
    REQUIRE(fake_try(sizeof(struct fake_shared) + KIN__OBJECT_NAME_BYTES, &fake) == 0);
    strcpy((char *)(fake_shared(fake) + 1), name);
    return fake;
}

static int give_name(const struct fake *fake)
{
    return kin__directory_name(fake->object.handle, (const char *)(fake_shared(fake) + 1));
}

TEST(a_name_is_given_once_and_is_free_again_when_its_object_is_gone)
{
    begin();
    kin_handle found = {0};
    struct fake *first = create_nameable("block");
    struct fake *second = create_nameable("block");
    struct fake *third = create_nameable("blocks");
    CHECK_EQUAL(kin__directory_look_up(FAKE_TYPE, "block", &found), -ENOENT);
    CHECK_EQUAL(give_name(first), 0);
    CHECK_EQUAL(give_name(second), -EEXIST);
    CHECK_EQUAL(give_name(third), 0);
    CHECK_EQUAL(kin__directory_look_up(FAKE_TYPE, "block", &found), 0);
    CHECK_EQUAL(found.counter, first->object.handle.counter);
    CHECK_EQUAL(kin__directory_look_up(FAKE_TYPE, "blocks", &found), 0);
    CHECK_EQUAL(found.counter, third->object.handle.counter);
    CHECK_EQUAL(kin__directory_look_up(FAKE_TYPE + 1, "block", &found), -ENOENT);
    kin__object_free(first);
    CHECK_EQUAL(kin__directory_look_up(FAKE_TYPE, "block", &found), -ENOENT);
    CHECK_EQUAL(give_name(second), 0);
    kin__object_free(second);
    kin__object_free(third);
    first = create_nameable("block");
    CHECK_EQUAL(kin__directory_look_up(FAKE_TYPE, "block", &found), -ENOENT);
    kin__object_free(first);
    CHECK_SOUND();
}

static void *take_name(void *user)
{
    for (int i = 0; i < 300; i++) {
        struct fake *fake = create_nameable("the one");
        int r = give_name(fake);
        CHECK(r == 0 || r == -EEXIST);
        if (r == 0) {
            CHECK_EQUAL(atomic_fetch_add((_Atomic uint64_t *)user, 1), 0);
            atomic_fetch_sub((_Atomic uint64_t *)user, 1);
        }
        kin__object_free(fake);
    }
    return NULL;
}

TEST(of_threads_that_want_one_name_one_gets_it)
{
    begin();
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        threads[i] = thread_start(take_name, (void *)&numbers[0]);
    }
    for (int i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    CHECK_SOUND();
}
