/* kin_local_queue where memory is out, in a forked child, and around kin_init and kin_fini. */
#include "base/fault.h"
#include "os/fault.h"
#include "unit/local/queues.h"

TEST(outside_of_a_family_a_local_queue_is_refused)
{
    kin_local_queue *queue = NULL;
    void *item = NULL;
    CHECK_EQUAL(kin_local_queue_create(NULL, &queue), KIN_EFAMILY);
    queue = new_local_queue(KIN_OPTIONS(kin_local_queue_options, .free_item = count_freed));
    CHECK_EQUAL(put_item(queue, 1, KIN_NOW), 0);
    kin_fini();
    CHECK_EQUAL(kin_local_queue_put(queue, NULL, KIN_NOW), KIN_EFAMILY);
    CHECK_EQUAL(kin_local_queue_get(queue, KIN_NOW, &item), KIN_EFAMILY);
    CHECK_EQUAL(kin_local_queue_join(queue, KIN_NOW), KIN_EFAMILY);
    CHECK(kin_local_queue_is_closed(queue));
    CHECK_EQUAL(kin_local_queue_item_count(queue), 0);
    kin_local_queue_free(queue); /* all the same */
    CHECK_EQUAL(atomic_load(&numbers[FREED_COUNT]), 1);
}

TEST(a_local_queue_of_a_family_that_was_left_is_stale_in_the_next)
{
    kin_local_queue *queue = new_local_queue(NULL);
    kin_fini();
    REQUIRE(kin_init(NULL, NULL) == 0);
    CHECK_EQUAL(put_item(queue, 1, KIN_NOW), -ESTALE);
    CHECK_EQUAL(kin_local_queue_close(queue), -ESTALE);
    kin_local_queue_free(queue);
}

static void use_and_free(void *user)
{
    kin_local_queue *queue = user;
    CHECK_EQUAL(put_item(queue, 1, KIN_NOW), -ESTALE);
    CHECK_EQUAL(get_item(queue, KIN_NOW), -ESTALE);
    CHECK_EQUAL(kin_local_queue_task_done(queue), -ESTALE);
    CHECK_EQUAL(kin_local_queue_join(queue, KIN_NOW), -ESTALE);
    CHECK_EQUAL(kin_local_queue_close(queue), -ESTALE);
    CHECK_EQUAL(kin_local_queue_shutdown(queue), -ESTALE);
    CHECK(kin_local_queue_is_closed(queue));
    CHECK_EQUAL(kin_local_queue_item_count(queue), 0);
    kin_local_queue_free(queue);
    CHECK_EQUAL(atomic_load(&numbers[FREED_COUNT]), 0); /* shared: the items are the parent's */
}

TEST_OF_PROCESSES(a_forked_child_has_no_part_in_a_local_queue)
{
    kin_local_queue *queue = new_local_queue(
        KIN_OPTIONS(kin_local_queue_options, .free_item = count_freed));
    for (uint64_t i = 0; i < 2000; i++) {
        CHECK_EQUAL(put_item(queue, i, KIN_NOW), 0);
    }
    child_join(child_start(use_and_free, queue));
    pid_t pid = fork(); /* without kin's help */
    if (pid == 0) {
        use_and_free(queue);
        kin_fini();
        _exit(0);
    }
    child_join(pid);
    for (int64_t i = 0; i < 2000; i++) {
        CHECK_EQUAL(get_item(queue, KIN_NOW), i);
    }
    kin_local_queue_free(queue);
}

static void nothing(void *user)
{
    (void)user;
}

static void *get_one(void *user)
{
    atomic_store(&numbers[0], (uint64_t)get_item(user, KIN_FOREVER));
    return NULL;
}

TEST_OF_PROCESSES(the_death_of_a_process_does_not_end_the_waits_of_threads)
{
    kin_local_queue *queue = new_local_queue(NULL);
    pthread_t thread = thread_start(get_one, queue);
    await_sleepers(getpid(), 1);
    pid_t child = child_start(nothing, NULL);
    child_join(child);
    kin__sleep_wake_all(); /* as a reaper does */
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(put_item(queue, 3, KIN_NOW), 0);
    thread_join(thread);
    CHECK_EQUAL(atomic_load(&numbers[0]), 3);
    kin_local_queue_free(queue);
}

#ifdef KIN_FAULTS

/* A queue from its making to its end. The first code that was not 0, and what came out of it. */
static int use_queue(kin_local_order order, uint64_t *ret_got)
{
    kin_local_queue *queue = NULL;
    uint64_t put = 0;
    uint64_t got = 0;
    int first = kin_local_queue_create(KIN_OPTIONS(kin_local_queue_options, .order = order),
                                       &queue);
    CHECK((first == 0) == (queue != NULL));
    if (first < 0) {
        return first;
    }
    for (uint64_t i = 0; i < 2000; i++) {
        int r = put_item(queue, i, KIN_FOREVER);
        first = first < 0 ? first : r;
        put += r == 0;
        CHECK_EQUAL(kin_local_queue_item_count(queue), put);
    }
    while (get_item(queue, KIN_NOW) >= 0) {
        got++;
    }
    CHECK_EQUAL(got, put);
    kin_local_queue_free(queue);
    *ret_got = got;
    return first;
}

TEST(each_failing_allocation_of_a_local_queue_is_enomem_and_loses_nothing)
{
    begin();
    for (int order = KIN_LOCAL_FIFO; order <= KIN_LOCAL_PRIORITY; order++) {
        int r = -1;
        for (uint64_t n = 1; r < 0 && n < 100; n++) {
            uint64_t got = 0;
            kin__allocation_fail_at(n);
            r = use_queue((kin_local_order)order, &got);
            kin__allocation_fail_at(0);
            CHECK(r == 0 || r == -ENOMEM);
            CHECK(r < 0 || got == 2000);
        }
        CHECK_EQUAL(r, 0);
    }
}

TEST(a_full_fifo_that_stays_full_allocates_nothing)
{
    kin_local_queue *queue = new_local_queue(
        KIN_OPTIONS(kin_local_queue_options, .item_count_max = 1024));
    uint64_t allocations = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        if (i == 5000) {
            allocations = kin__allocation_count();
        }
        CHECK_EQUAL(put_item(queue, i, KIN_NOW), 0);
        if (i >= 1023) {
            CHECK_EQUAL(get_item(queue, KIN_NOW), i - 1023);
        }
    }
    CHECK_EQUAL(kin__allocation_count(), allocations);
    kin_local_queue_free(queue);
}

TEST(where_the_kernel_cannot_wait_on_two_words_local_waits_end_all_the_same)
{
    kin_local_queue *queue = new_local_queue(NULL);
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    kin__os_fail_at(1);
    CHECK_EQUAL(get_item(queue, kin_by(kin_now_ns() + 2000000, cancel)), -ETIMEDOUT);
    kin__os_fail_at(0);
    kin_cancel_free(cancel);
    kin_local_queue_free(queue);
}

#endif
