#include "harness/test.h"

#include "base/fault.h"

#include <errno.h>
#include <kin/reference.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

/* What happened, in order, as letters. */
static char events[64];

static void note(char event)
{
    size_t count = strlen(events);
    REQUIRE(count + 1 < sizeof events);
    events[count] = event;
}

static void note_free(void *object)
{
    note(*(const char *)object);
}

static kin_reference *new_reference(const char *name)
{
    kin_reference *reference = NULL;
    REQUIRE(kin_reference_create((void *)(uintptr_t)name, note_free, &reference) == 0);
    return reference;
}

static kin_weak *new_weak(kin_reference *reference, const kin_weak_options *options)
{
    kin_weak *weak = NULL;
    REQUIRE(kin_weak_create(reference, options, &weak) == 0);
    return weak;
}

TEST(a_thing_goes_with_its_last_reference)
{
    kin_reference *reference = new_reference("a");
    CHECK_STRING(kin_reference_object(reference), "a");
    CHECK(kin_reference_ref(reference) == reference);
    CHECK(kin_reference_free(reference) == NULL);
    CHECK_STRING(events, "");
    CHECK(kin_reference_free(reference) == NULL);
    CHECK_STRING(events, "a");
}

TEST(a_thing_without_a_function_to_free_it_is_let_go)
{
    kin_reference *reference = NULL;
    REQUIRE(kin_reference_create(events, NULL, &reference) == 0);
    CHECK(kin_reference_object(reference) == events);
    kin_reference_free(reference);
}

TEST(null_is_no_reference)
{
    kin_reference *reference = NULL;
    kin_weak *weak = NULL;
    CHECK(kin_reference_ref(NULL) == NULL);
    CHECK(kin_reference_free(NULL) == NULL);
    CHECK(kin_reference_object(NULL) == NULL);
    CHECK(kin_weak_get(NULL) == NULL);
    CHECK(kin_weak_free(NULL) == NULL);
    CHECK_EQUAL(kin_reference_create(NULL, note_free, &reference), -EINVAL);
    CHECK_EQUAL(kin_reference_create(events, note_free, NULL), -EINVAL);
    CHECK_EQUAL(kin_weak_create(NULL, NULL, &weak), -EINVAL);
    reference = new_reference("a");
    CHECK_EQUAL(kin_weak_create(reference, NULL, NULL), -EINVAL);
    kin_weak_options options = {.size = 1};
    CHECK_EQUAL(kin_weak_create(reference, &options, &weak), -EINVAL);
    options = (kin_weak_options){.size = sizeof options, .free_user = note_free};
    CHECK_EQUAL(kin_weak_create(reference, &options, &weak), -EINVAL);
    CHECK(weak == NULL);
    kin_reference_free(reference);
    CHECK_STRING(events, "a");
}

TEST(what_a_weak_reference_gives_keeps_the_thing)
{
    kin_reference *reference = new_reference("a");
    kin_weak *weak = new_weak(reference, NULL);
    kin_reference *used = kin_weak_get(weak);
    CHECK(used == reference);
    kin_reference_free(reference);
    CHECK_STRING(events, "");
    kin_reference *again = kin_weak_get(weak);
    CHECK_STRING(kin_reference_object(again), "a");
    kin_reference_free(again);
    kin_reference_free(used);
    CHECK_STRING(events, "a");
    CHECK(kin_weak_get(weak) == NULL);
    CHECK(kin_weak_free(weak) == NULL);
}

TEST(weak_references_keep_nothing)
{
    kin_reference *reference = new_reference("a");
    kin_weak *first = new_weak(reference, NULL);
    kin_weak *second = new_weak(reference, NULL);
    kin_weak_free(first);
    kin_reference_free(reference);
    CHECK_STRING(events, "a");
    CHECK(kin_weak_get(second) == NULL);
    kin_weak_free(second);
}

/* --- callbacks --- */

static void note_gone(void *user)
{
    note(*(const char *)user);
}

static void note_freed(void *user)
{
    (void)user;
    note('.');
}

static kin_weak_options calls(const char *name)
{
    return (kin_weak_options){.size = sizeof(kin_weak_options),
                              .callback = note_gone,
                              .user = (void *)(uintptr_t)name,
                              .free_user = note_freed};
}

TEST(callbacks_come_before_the_free_the_newest_first)
{
    kin_reference *reference = new_reference("a");
    kin_weak *weak[3];
    for (int i = 0; i < 3; i++) {
        kin_weak_options options = calls(&"123"[i]);
        weak[i] = new_weak(reference, &options);
    }
    kin_reference_free(reference);
    CHECK_STRING(events, "3.2.1.a");
    for (int i = 0; i < 3; i++) {
        kin_weak_free(weak[i]);
    }
    CHECK_STRING(events, "3.2.1.a");
}

TEST(a_weak_reference_that_was_freed_calls_nobody)
{
    kin_reference *reference = new_reference("a");
    kin_weak_options options = calls("1");
    kin_weak *first = new_weak(reference, &options);
    options = calls("2");
    kin_weak *second = new_weak(reference, &options);
    kin_weak_free(second);
    CHECK_STRING(events, ".");
    kin_reference_free(reference);
    CHECK_STRING(events, ".1.a");
    kin_weak_free(first);
}

static struct {
    kin_weak *own;
    kin_weak *other;
    kin_reference *thing;
} scene;

static void free_both(void *user)
{
    note_gone(user);
    CHECK(kin_weak_get(scene.own) == NULL);
    scene.own = kin_weak_free(scene.own);
    scene.other = kin_weak_free(scene.other);
}

TEST(a_callback_may_free_its_weak_reference_and_others)
{
    kin_reference *reference = new_reference("a");
    kin_weak_options options = calls("1");
    scene.other = new_weak(reference, &options);
    options = calls("2");
    options.callback = free_both;
    scene.own = new_weak(reference, &options);
    kin_reference_free(reference);
    CHECK_STRING(events, "2..a"); /* the end of the other's user, of one's own, of the thing */
}

static void look_while_freed(void *object)
{
    note_free(object);
    CHECK(kin_weak_get(scene.own) == NULL);
}

TEST(a_thing_does_not_come_back_while_it_is_freed)
{
    kin_reference *reference = NULL;
    REQUIRE(kin_reference_create((void *)(uintptr_t) "a", look_while_freed, &reference) == 0);
    scene.own = new_weak(reference, NULL);
    kin_reference_free(reference);
    CHECK_STRING(events, "a");
    kin_weak_free(scene.own);
}

static void drop_other(void *user)
{
    note_gone(user);
    scene.thing = kin_reference_free(scene.thing);
    note('|');
}

TEST(what_goes_by_a_callback_goes_behind_the_thing_itself)
{
    kin_reference *reference = new_reference("a");
    scene.thing = new_reference("b");
    kin_weak_options options = calls("1");
    options.callback = drop_other;
    kin_weak *weak = new_weak(reference, &options);
    kin_reference_free(reference);
    CHECK_STRING(events, "1|.ab");
    kin_weak_free(weak);
}

/* A link of a chain: the next one goes with it. */
struct link {
    kin_reference *next;
};

static struct link links[1000000];
static uint64_t freed_count;

static void free_link(void *object)
{
    struct link *link = object;
    CHECK(link == &links[freed_count++]);
    kin_reference_free(link->next);
}

TEST(a_long_chain_goes_without_a_deep_stack)
{
    enum { COUNT = sizeof links / sizeof *links };
    kin_reference *next = NULL;
    for (size_t i = COUNT; i-- > 0;) {
        links[i].next = next;
        REQUIRE(kin_reference_create(&links[i], free_link, &next) == 0);
    }
    kin_reference_free(next);
    CHECK_EQUAL(freed_count, COUNT);
}

/* --- threads --- */

enum { THREADS = 4, ROUNDS = 3000 };

/* The thing of a round, and what its threads do to it. */
struct round {
    _Atomic uint64_t is_alive;
    _Atomic uint64_t frees;
    _Atomic uint64_t calls;
    _Atomic uint64_t users;
    _Atomic uint64_t arrived;
    _Atomic(kin_reference *) reference;
    kin_weak *weak;
    kin_weak *calling[THREADS];
};

static void free_round(void *object)
{
    struct round *round = object;
    atomic_store(&round->is_alive, 0);
    atomic_fetch_add(&round->frees, 1);
}

static void count_call(void *user)
{
    atomic_fetch_add(&((struct round *)user)->calls, 1);
}

static void count_user(void *user)
{
    atomic_fetch_add(&((struct round *)user)->users, 1);
}

static void meet(struct round *round, uint64_t count)
{
    atomic_fetch_add(&round->arrived, 1);
    while (atomic_load(&round->arrived) < count) {
        sched_yield();
    }
}

static struct round rounds[ROUNDS];

/* Each thread uses what it can get, and frees its own weak reference with a callback; the first
 * gives back the one strong reference meanwhile. */
static void *play(void *user)
{
    size_t number = (size_t)(uintptr_t)user;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct round *round = &rounds[i];
        meet(round, THREADS);
        if (number == 0) {
            kin_reference_free(atomic_load(&round->reference));
        }
        kin_reference *used = kin_weak_get(round->weak);
        if (used != NULL) {
            CHECK(atomic_load(&round->is_alive));
            CHECK(kin_reference_object(used) == round);
        }
        kin_weak_free(round->calling[number]);
        kin_reference_free(used);
    }
    return NULL;
}

TEST_WITH(threads_race_to_use_and_to_end_a_thing, .limit_seconds = 60)
{
    for (size_t i = 0; i < ROUNDS; i++) {
        kin_reference *reference = NULL;
        rounds[i].is_alive = 1;
        REQUIRE(kin_reference_create(&rounds[i], free_round, &reference) == 0);
        rounds[i].weak = new_weak(reference, NULL);
        kin_weak_options options = {.size = sizeof options,
                                    .callback = count_call,
                                    .user = &rounds[i],
                                    .free_user = count_user};
        for (int k = 0; k < THREADS; k++) {
            rounds[i].calling[k] = new_weak(reference, &options);
        }
        atomic_store(&rounds[i].reference, reference);
    }
    pthread_t threads[THREADS];
    for (size_t k = 0; k < THREADS; k++) {
        REQUIRE(pthread_create(&threads[k], NULL, play, (void *)(uintptr_t)k) == 0);
    }
    for (size_t k = 0; k < THREADS; k++) {
        pthread_join(threads[k], NULL);
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        CHECK_EQUAL(rounds[i].frees, 1);
        CHECK_EQUAL(rounds[i].users, THREADS);
        CHECK(rounds[i].calls <= THREADS);
        CHECK(kin_weak_get(rounds[i].weak) == NULL);
        kin_weak_free(rounds[i].weak);
    }
}

#ifdef KIN_FAULTS

TEST(without_memory_nothing_is_made_and_nothing_called)
{
    kin_reference *reference = NULL;
    kin_weak *weak = NULL;
    kin__allocation_fail_at(1);
    CHECK_EQUAL(kin_reference_create(events, note_free, &reference), -ENOMEM);
    CHECK(reference == NULL);
    reference = new_reference("a");
    kin_weak_options options = calls("1");
    kin__allocation_fail_at(1);
    CHECK_EQUAL(kin_weak_create(reference, &options, &weak), -ENOMEM);
    CHECK(weak == NULL);
    CHECK_STRING(events, "");
    kin_reference_free(reference);
    CHECK_STRING(events, "a");
}

#endif
