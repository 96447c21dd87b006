/* Handles, references, the directory, and what forks and deaths do to them. */
#include "fake.h"
#include "family/death.h"
#include "family/lock.h"

#include <errno.h>
#include <kin/error.h>
#include <stdlib.h>

static uint64_t references_of(kin_handle handle)
{
    const struct kin__entry *entry = kin__directory_find(handle);
    return entry == NULL ? 0 : entry->references;
}

static struct fake *attach(kin_handle handle)
{
    struct fake *fake = NULL;
    REQUIRE(kin__object_attach(FAKE_TYPE, sizeof *fake, handle, &fake) == 0);
    return fake;
}

static int try_to_attach(kin_handle handle)
{
    struct fake *fake = NULL;
    int r = kin__object_attach(FAKE_TYPE, sizeof *fake, handle, &fake);
    CHECK(fake == NULL);
    return r;
}

TEST(a_new_object_is_zeroed_aligned_and_has_one_reference)
{
    begin();
    for (int i = 0; i < 5; i++) {
        uint64_t dirty = 0;
        REQUIRE(kin__block_create(150, 0, KIN__BLOCK_BYTES, &dirty) == 0);
        memset(kin__at(dirty), 0xff, 150);
        kin__block_free(dirty, kin__block_owner(dirty));
        struct fake *fake = fake_create();
        static const struct fake_shared zero;
        CHECK_BYTES(fake_shared(fake), &zero, sizeof zero);
        CHECK_EQUAL(kin__offset_of(fake_shared(fake)) % 64, 0);
        CHECK_EQUAL(references_of(fake->object.handle), 1);
        CHECK_EQUAL(fake->object.handle.family, kin__shared()->family);
        kin__object_free(&fake->object);
    }
    CHECK_SOUND();
}

TEST(the_last_one_to_let_go_frees_the_object)
{
    begin();
    struct fake *fake = fake_create();
    kin_handle handle = fake->object.handle;
    struct fake *second = attach(handle);
    CHECK(fake_shared(second) == fake_shared(fake));
    CHECK_EQUAL(references_of(handle), 2);
    kin__object_free(&fake->object);
    CHECK_EQUAL(references_of(handle), 1);
    kin__object_free(&second->object);
    CHECK_EQUAL(references_of(handle), 0);
    CHECK_EQUAL(try_to_attach(handle), -ESTALE);
    kin__object_free(NULL);
    CHECK_SOUND();
}

TEST(handles_that_name_nothing_are_stale)
{
    begin();
    struct fake *fake = fake_create();
    kin_handle handle = fake->object.handle;
    kin_handle wrong[6];
    for (int i = 0; i < 6; i++) {
        wrong[i] = handle;
    }
    wrong[0].counter++;
    wrong[1].family ^= 2;
    wrong[2].index++;
    wrong[3].index = UINT32_MAX;
    wrong[4].index = 0;
    wrong[5] = (kin_handle){0};
    for (int i = 0; i < 6; i++) {
        CHECK_EQUAL(try_to_attach(wrong[i]), -ESTALE);
    }
    CHECK_EQUAL(references_of(handle), 1);
    kin__object_free(&fake->object);
}

TEST(a_handle_of_another_type_is_refused)
{
    begin();
    struct fake *fake = fake_create();
    void *none = NULL;
    CHECK_EQUAL(kin__object_attach(FAKE_TYPE + 1, sizeof *fake, fake->object.handle, &none),
                -EINVAL);
    CHECK(none == NULL);
    CHECK_EQUAL(references_of(fake->object.handle), 1);
    kin__object_free(&fake->object);
}

TEST(counters_are_never_used_again)
{
    begin();
    uint64_t last = 0;
    uint32_t index = 0;
    for (int i = 0; i < 1000; i++) {
        struct fake *fake = fake_create();
        CHECK(fake->object.handle.counter > last);
        last = fake->object.handle.counter;
        CHECK(index == 0 || index == fake->object.handle.index); /* places are */
        index = fake->object.handle.index;
        kin__object_free(&fake->object);
    }
}

TEST(freeing_an_object_frees_all_its_blocks)
{
    begin();
    struct fake *fake = fake_create();
    uint64_t extra = 0;
    REQUIRE(kin__block_create(1000, 0, KIN__BLOCK_OBJECT, &extra) == 0);
    uint64_t owner = kin__block_of_object(fake->object.handle.index, fake->object.handle.counter);
    atomic_store(&fake_shared(fake)->extra, extra);
    CHECK(kin__block_give(extra, kin__block_owner(extra), owner));
    CHECK_EQUAL(block_count_of(owner), 2);
    kin__object_free(&fake->object);
    CHECK_EQUAL(block_count_of(owner), 0);
    CHECK_SOUND();
}

TEST(what_was_open_when_the_family_was_left_is_gone_in_the_next_one)
{
    struct fake_shared *shared = NULL;
    struct kin__thread *self = NULL;
    begin();
    struct fake *fake = fake_create();
    kin_fini();
    CHECK_EQUAL(kin__object_enter(fake, &shared, &self), KIN_EFAMILY);
    REQUIRE(kin_init(NULL, NULL) == 0);
    CHECK_EQUAL(kin__object_enter(fake, &shared, &self), -ESTALE);
    struct fake *other = fake_create();
    CHECK_EQUAL(kin__object_enter(other, &shared, &self), 0);
    kin__object_free(fake);
    kin__object_free(other);
    CHECK_SOUND();
}

TEST(a_process_can_have_thousands_of_objects_open)
{
    enum { COUNT = 3000 };
    static struct fake *fakes[COUNT];
    begin();
    for (int i = 0; i < COUNT; i++) {
        fakes[i] = fake_create();
    }
    CHECK_EQUAL(kin__references.block_count, (COUNT + 255) / 256);
    for (int i = 0; i < COUNT; i += 2) {
        kin__object_free(&fakes[i]->object);
    }
    for (int i = 0; i < COUNT; i += 2) {
        fakes[i] = fake_create();
    }
    CHECK(kin__references.block_count <= (COUNT + 255) / 256 + 1); /* places are used again */
    CHECK_SOUND();
    for (int i = 0; i < COUNT; i++) {
        kin__object_free(&fakes[i]->object);
    }
    CHECK_SOUND();
}

TEST(a_full_directory_is_no_memory)
{
    begin_small();
    uint32_t capacity = kin__shared()->directory.capacity;
    struct fake **fakes = calloc(capacity, sizeof *fakes);
    REQUIRE(fakes != NULL);
    uint32_t count = 0;
    while (count < capacity && fake_try(4, &fakes[count]) == 0) {
        count++;
    }
    CHECK_EQUAL(count, capacity - 1); /* entry 0 is never used */
    struct fake *none = NULL;
    CHECK_EQUAL(fake_try(4, &none), -ENOMEM);
    kin__object_free(&fakes[17]->object);
    fakes[17] = fake_create();
    for (uint32_t i = 0; i < count; i++) {
        kin__object_free(&fakes[i]->object);
    }
    free(fakes);
    CHECK_SOUND();
}

/* --- forks --- */

static void check_two_references(void *user)
{
    struct fake *fake = user;
    CHECK_EQUAL(references_of(fake->object.handle), 2);
    kin__object_free(&fake->object);
}

TEST_OF_PROCESSES(a_child_has_a_reference_of_its_own)
{
    begin();
    struct fake *fake = fake_create();
    kin_handle handle = fake->object.handle;
    child_join(child_start(check_two_references, fake));
    CHECK_EQUAL(references_of(handle), 1);
    kin__object_free(&fake->object);
    CHECK_SOUND();
}

static void leave_open(void *user)
{
    (void)user;
    attach(((struct fake *)user)->object.handle);
}

TEST_OF_PROCESSES(what_a_process_left_open_is_closed_when_it_leaves)
{
    begin();
    struct fake *fake = fake_create();
    child_join(child_start(leave_open, fake));
    CHECK_EQUAL(references_of(fake->object.handle), 1);
    kin__object_free(&fake->object);
    CHECK_SOUND();
}

static void keep_open_alone(void *user)
{
    struct fake *fake = user;
    await_number(0, 1);
    CHECK_EQUAL(references_of(fake->object.handle), 1);
    struct fake *second = attach(fake->object.handle);
    kin__object_free(&fake->object);
    kin__object_free(&second->object);
}

TEST_OF_PROCESSES(an_object_outlives_its_creator_in_a_child)
{
    begin();
    struct fake *fake = fake_create();
    kin_handle handle = fake->object.handle;
    pid_t pid = child_start(keep_open_alone, fake);
    kin__object_free(&fake->object);
    CHECK_EQUAL(references_of(handle), 1);
    atomic_store(&numbers[0], 1);
    child_join(pid);
    CHECK_EQUAL(references_of(handle), 0);
    CHECK_SOUND();
}

TEST_OF_PROCESSES(the_child_of_a_plain_fork_joins_with_its_first_call)
{
    begin();
    struct fake *fake = fake_create();
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQUAL(references_of(fake->object.handle), 1);
        CHECK(kin__self() != NULL);
        CHECK_EQUAL(references_of(fake->object.handle), 2);
        CHECK_EQUAL(member_count(), 4);
        CHECK_EQUAL(kin__family.member->parent, kin__family.parent);
        CHECK_STRING(kin__family.member->name, "fork");
        kin__object_free(&fake->object);
        kin_fini();
        _exit(0);
    }
    child_join(pid);
    CHECK_EQUAL(references_of(fake->object.handle), 1);
    CHECK_EQUAL(member_count(), 2);
    kin__object_free(&fake->object);
    CHECK_SOUND();
}

TEST_OF_PROCESSES(the_child_of_a_plain_fork_that_never_uses_kin_is_no_member)
{
    begin();
    struct fake *fake = fake_create();
    pid_t pid = fork();
    if (pid == 0) {
        exit(0); /* with all exit handlers */
    }
    child_join(pid);
    CHECK_EQUAL(references_of(fake->object.handle), 1);
    CHECK_EQUAL(member_count(), 2);
    kin__object_free(&fake->object);
    CHECK_SOUND();
}

static void fork_plainly(void *user)
{
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(kin__self() != NULL);
        check_two_references(user);
        kin_fini();
        _exit(0);
    }
    atomic_store(&numbers[0], (uint64_t)pid);
}

TEST_OF_PROCESSES(a_plain_fork_of_a_plain_fork_is_a_member_too)
{
    begin();
    struct fake *fake = fake_create();
    pid_t pid = fork();
    if (pid == 0) {
        fork_plainly(fake); /* has not used kin itself */
        child_join((pid_t)atomic_load(&numbers[0]));
        _exit(0);
    }
    child_join(pid);
    CHECK_EQUAL(references_of(fake->object.handle), 1);
    kin__object_free(&fake->object);
    CHECK_SOUND();
}

#ifndef __SANITIZE_ADDRESS__ /* which does not give its own locks back in a forked child */

static void *fork_many(void *user)
{
    for (int i = 0; i < 10; i++) {
        child_join(child_start(do_nothing, user));
    }
    return NULL;
}

TEST_OF_PROCESSES(threads_fork_side_by_side_and_no_reference_is_lost)
{
    begin();
    struct fake *fake = fake_create();
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        threads[i] = thread_start(fork_many, NULL);
    }
    for (int i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(references_of(fake->object.handle), 1);
    kin__object_free(&fake->object);
    CHECK_SOUND();
}

#endif

static void *open_and_close(void *user)
{
    struct fake *fake = user;
    for (int i = 0; i < 2000; i++) {
        struct fake *second = attach(fake->object.handle);
        kin__object_free(&second->object);
    }
    return NULL;
}

TEST(threads_open_and_close_side_by_side)
{
    begin();
    struct fake *fake = fake_create();
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        threads[i] = thread_start(open_and_close, fake);
    }
    for (int i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(references_of(fake->object.handle), 1);
    kin__object_free(&fake->object);
    CHECK_SOUND();
}

static void open_and_close_in_child(void *user)
{
    open_and_close(user);
}

TEST_OF_PROCESSES(threads_and_processes_open_and_close_side_by_side)
{
    begin();
    struct fake *fake = fake_create();
    pid_t pids[2];
    for (int i = 0; i < 2; i++) {
        pids[i] = child_start(open_and_close_in_child, fake);
    }
    pthread_t thread = thread_start(open_and_close, fake);
    open_and_close(fake);
    thread_join(thread);
    child_join(pids[0]);
    child_join(pids[1]);
    CHECK_EQUAL(references_of(fake->object.handle), 1);
    kin__object_free(&fake->object);
    CHECK_SOUND();
}

static void use_what_is_another_processs(void *user)
{
    struct fake *fake = user;
    struct fake_shared *shared = NULL;
    struct kin__thread *self = NULL;
    CHECK_EQUAL(kin__object_enter(fake, &shared, &self), -ESTALE);
    CHECK_EQUAL(try_to_attach(fake->object.handle), -EACCES);
    kin__object_free(fake);
}

TEST_OF_PROCESSES(an_object_of_one_process_is_no_other_ones)
{
    begin();
    struct kin__object_plan plan = {.type = FAKE_TYPE,
                                    .scope = KIN_SCOPE_PROCESS,
                                    .size = sizeof(struct fake),
                                    .bytes = sizeof(struct fake_shared)};
    struct fake *fake = NULL;
    REQUIRE(kin__object_create(&plan, &fake) == 0);
    child_join(child_start(use_what_is_another_processs, fake));
    struct fake *second = attach(fake->object.handle);
    CHECK_EQUAL(references_of(fake->object.handle), 2);
    kin__object_free(second);
    kin__object_free(fake);
    plan.scope = (kin_scope)2;
    CHECK_EQUAL(kin__object_create(&plan, &fake), -EINVAL);
    CHECK_SOUND();
}

TEST(an_object_can_have_counted_references_in_front)
{
    begin();
    struct fake *named = fake_create();
    kin_handle handle = named->object.handle;
    struct kin__object_plan plan = {.type = FAKE_TYPE,
                                    .handle_count = 9,
                                    .size = sizeof(struct fake),
                                    .bytes = sizeof(struct fake_shared)};
    struct fake *fake = NULL;
    REQUIRE(kin__object_create(&plan, &fake) == 0);
    kin_handle *handles = kin__object_handles(&fake->object);
    REQUIRE(kin__reference_add(&handles[8], handle) == 0);
    CHECK((unsigned char *)&handles[9] <= (unsigned char *)fake->object.shared);
    CHECK_EQUAL(kin__offset_of(fake->object.shared) % KIN__OBJECT_ALIGNMENT, 0);
    kin__object_free(named);
    CHECK_EQUAL(references_of(handle), 1);
    CHECK_SOUND();
    kin__object_free(fake);
    CHECK_EQUAL(references_of(handle), 0);
    CHECK_SOUND();
}

/* --- deaths --- */

static void open_and_wait(void *user)
{
    struct fake *fake = user;
    attach(fake->object.handle);
    struct fake *own = fake_create();
    atomic_store(&numbers[1], own->object.handle.index);
    atomic_store(&numbers[2], own->object.handle.counter);
    atomic_store(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

static void kill_and_settle(pid_t pid)
{
    child_kill(pid);
    while (member_count() != 2) {
        pause_a_moment();
    }
}

TEST_OF_PROCESSES(references_of_a_killed_process_are_dropped_and_its_own_objects_freed)
{
    begin();
    struct fake *fake = fake_create();
    pid_t pid = child_start(open_and_wait, fake);
    await_number(0, 1);
    CHECK_EQUAL(references_of(fake->object.handle), 3);
    kin_handle own = {.index = (uint32_t)atomic_load(&numbers[1]),
                      .family = kin__shared()->family,
                      .counter = atomic_load(&numbers[2])};
    CHECK_EQUAL(references_of(own), 1);
    kill_and_settle(pid);
    CHECK_EQUAL(references_of(fake->object.handle), 1);
    CHECK_EQUAL(references_of(own), 0);
    kin__object_free(&fake->object);
    CHECK_SOUND();
}

static void lock_directory(uint32_t current)
{
    struct kin__family_shared *shared = kin__shared();
    REQUIRE(kin__lock_acquire(&shared->directory_lock, kin__self()) == 0);
    shared->directory_current = current;
}

static _Noreturn void die(void)
{
    for (;;) {
        kill(getpid(), SIGKILL);
    }
}

static void die_counting(void *user)
{
    struct fake *fake = user;
    lock_directory(fake->object.handle.index);
    kin__entry_at(fake->object.handle.index)->references += 5;
    die();
}

static void await_only_us(pid_t pid)
{
    waitpid(pid, NULL, 0);
    while (member_count() != 2) {
        pause_a_moment();
    }
}

TEST_OF_PROCESSES(a_count_left_wrong_by_a_dead_holder_of_the_lock_is_counted_again)
{
    begin();
    struct fake *fake = fake_create();
    await_only_us(child_start(die_counting, fake));
    CHECK_EQUAL(references_of(fake->object.handle), 1);
    CHECK_SOUND();
    kin__object_free(&fake->object);
    CHECK_SOUND();
}

static void die_with_the_last_reference(void *user)
{
    struct fake *fake = user;
    lock_directory(fake->object.handle.index);
    fake->object.reference->counter = 0; /* dropped, but not yet counted */
    die();
}

TEST_OF_PROCESSES(an_object_whose_last_reference_was_dropped_by_the_dead_is_freed)
{
    begin();
    struct fake *fake = fake_create();
    kin_handle handle = fake->object.handle;
    pid_t pid = fork(); /* has no reference before it joins */
    if (pid == 0) {
        kin__self();
        await_number(0, 1);
        die_with_the_last_reference(fake);
    }
    while (references_of(handle) != 2) {
        pause_a_moment();
    }
    kin__object_free(&fake->object);
    atomic_store(&numbers[0], 1);
    await_only_us(pid);
    CHECK_EQUAL(references_of(handle), 0);
    CHECK_EQUAL(atomic_load(&kin__entry_at(handle.index)->state), KIN__ENTRY_FREE);
    CHECK_SOUND();
}

/* As kin__directory_enter does it, killed before the block is the object's. */
static void die_creating(void *user)
{
    (void)user;
    uint64_t block = 0;
    REQUIRE(kin__block_create(100, 0, KIN__BLOCK_OBJECT, &block) == 0);
    struct fake *place = fake_create(); /* for a handle in a reference block */
    kin_handle *reference = place->object.reference + 1;
    uint32_t index = place->object.handle.index + 1;
    lock_directory(index);
    kin__region_use(&kin__shared()->directory, index + 1);
    struct kin__entry *entry = kin__entry_at(index);
    entry->type = FAKE_TYPE;
    entry->counter = ++kin__shared()->directory_counter;
    entry->block = block;
    entry->references = 1;
    *reference = (kin_handle){
        .index = index, .family = kin__shared()->family, .counter = entry->counter};
    atomic_store(&entry->state, KIN__ENTRY_LIVE);
    atomic_store(&numbers[1], index);
    atomic_store(&numbers[2], block);
    die();
}

TEST_OF_PROCESSES(an_object_that_the_dead_was_about_to_create_is_freed_once)
{
    begin();
    await_only_us(child_start(die_creating, NULL));
    uint32_t index = (uint32_t)atomic_load(&numbers[1]);
    CHECK_EQUAL(atomic_load(&kin__entry_at(index)->state), KIN__ENTRY_FREE);
    CHECK_EQUAL(kin__block_owner(atomic_load(&numbers[2])), 0);
    CHECK_SOUND();
}

static void die_freeing(void *user)
{
    struct fake *fake = user;
    struct kin__entry *entry = kin__entry_at(fake->object.handle.index);
    lock_directory(fake->object.handle.index);
    fake->object.reference->counter = 0;
    entry->references = 0;
    atomic_store(&entry->freer, kin__family.owner);
    atomic_store(&entry->state, KIN__ENTRY_DYING);
    kin__lock_release(&kin__shared()->directory_lock, kin__self());
    die();
}

TEST_OF_PROCESSES(an_object_that_the_dead_was_about_to_free_is_freed)
{
    begin();
    struct fake *fake = fake_create();
    kin_handle handle = fake->object.handle;
    pid_t pid = fork();
    if (pid == 0) {
        kin__self();
        await_number(0, 1);
        die_freeing(fake);
    }
    while (references_of(handle) != 2) {
        pause_a_moment();
    }
    kin__object_free(&fake->object);
    atomic_store(&numbers[0], 1);
    await_only_us(pid);
    CHECK_EQUAL(atomic_load(&kin__entry_at(handle.index)->state), KIN__ENTRY_FREE);
    CHECK_SOUND();
}

static void open_for_ever(void *user)
{
    atomic_fetch_add(&numbers[0], 1);
    for (;;) {
        open_and_close(user);
        struct fake *own = fake_create();
        kin__object_free(&own->object);
    }
}

TEST_OF_PROCESSES(processes_killed_while_they_open_and_close_leave_right_counts)
{
    begin();
    struct fake *fake = fake_create();
    for (int round = 0; round < 12; round++) {
        pid_t pids[2];
        atomic_store(&numbers[0], 0);
        for (int i = 0; i < 2; i++) {
            pids[i] = child_start(open_for_ever, fake);
        }
        await_number(0, 2);
        usleep((useconds_t)(round * 200));
        for (int i = 0; i < 2; i++) {
            kill(pids[i], SIGKILL);
        }
        await_only_us(pids[0]);
        await_only_us(pids[1]);
        CHECK_EQUAL(references_of(fake->object.handle), 1);
        CHECK_SOUND();
    }
    kin__object_free(&fake->object);
}
