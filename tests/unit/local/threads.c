/* kin_local_queue between threads: waits and what ends them, races, threads that end. */
#include "unit/local/queues.h"

static void *get_one(void *user)
{
    atomic_store(&numbers[0], (uint64_t)get_item(user, KIN_FOREVER));
    return NULL;
}

static void *put_seven(void *user)
{
    CHECK_EQUAL(put_item(user, 7, KIN_FOREVER), 0);
    return NULL;
}

TEST(a_put_wakes_who_waits_for_an_item)
{
    kin_local_queue *queue = new_local_queue(NULL);
    pthread_t thread = thread_start(get_one, queue);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(put_item(queue, 5, KIN_NOW), 0);
    thread_join(thread);
    CHECK_EQUAL(atomic_load(&numbers[0]), 5);
    kin_local_queue_free(queue);
}

TEST(a_get_wakes_who_waits_for_space)
{
    kin_local_queue *queue = new_local_queue(
        KIN_OPTIONS(kin_local_queue_options, .order = KIN_LOCAL_LIFO, .item_count_max = 1));
    CHECK_EQUAL(put_item(queue, 6, KIN_NOW), 0);
    pthread_t thread = thread_start(put_seven, queue);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(get_item(queue, KIN_NOW), 6);
    thread_join(thread);
    CHECK_EQUAL(get_item(queue, KIN_NOW), 7);
    kin_local_queue_free(queue);
}

static void *get_one_of_many(void *user)
{
    atomic_fetch_add(&numbers[0], (uint64_t)get_item(user, KIN_FOREVER));
    return NULL;
}

TEST(a_batch_wakes_as_many_as_it_has_items)
{
    kin_local_queue *queue = new_local_queue(NULL);
    void *items[4] = {item_of(1), item_of(2), item_of(3), item_of(4)};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        threads[i] = thread_start(get_one_of_many, queue);
    }
    await_sleepers(getpid(), 4);
    CHECK_EQUAL(kin_local_queue_put_array(queue, items, 4, KIN_NOW), 4);
    for (int i = 0; i < 4; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[0]), 10);
    kin_local_queue_free(queue);
}

TEST(a_batch_waits_for_space_until_all_of_it_is_put)
{
    kin_local_queue *queue = new_local_queue(
        KIN_OPTIONS(kin_local_queue_options, .item_count_max = 2));
    void *items[8];
    pthread_t threads[6];
    for (uint64_t i = 0; i < 8; i++) {
        items[i] = item_of(1);
    }
    for (int i = 0; i < 6; i++) {
        threads[i] = thread_start(get_one_of_many, queue);
    }
    CHECK_EQUAL(kin_local_queue_put_array(queue, items, 8, KIN_FOREVER), 8);
    for (int i = 0; i < 6; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[0]), 6);
    CHECK_EQUAL(kin_local_queue_item_count(queue), 2);
    CHECK_EQUAL(kin_local_queue_put_array(queue, items, 3, kin_within_ms(2)), -ETIMEDOUT);
    CHECK_EQUAL(get_item(queue, KIN_NOW), 1);
    CHECK_EQUAL(kin_local_queue_put_array(queue, items, 3, kin_within_ms(2)), 1);
    kin_local_queue_free(queue);
}

/* --- what ends a wait --- */

TEST(deadlines_end_waits)
{
    kin_local_queue *queue = new_local_queue(
        KIN_OPTIONS(kin_local_queue_options, .item_count_max = 1));
    CHECK_EQUAL(get_item(queue, kin_within_ms(2)), -ETIMEDOUT);
    CHECK_EQUAL(put_item(queue, 1, kin_within_ms(0)), 0);
    CHECK_EQUAL(put_item(queue, 2, kin_within_ms(2)), -ETIMEDOUT);
    CHECK_EQUAL(kin_local_queue_join(queue, kin_within_ms(2)), -ETIMEDOUT);
    CHECK_EQUAL(kin_local_queue_item_count(queue), 1);
    kin_local_queue_free(queue);
}

struct waiter {
    kin_local_queue *queue;
    kin_cancel *cancel;
    int code; /* expected */
};

static void *wait_for_item(void *user)
{
    struct waiter *waiter = user;
    CHECK_EQUAL(get_item(waiter->queue, kin_by(INT64_MAX, waiter->cancel)), waiter->code);
    return NULL;
}

static void *wait_for_space(void *user)
{
    struct waiter *waiter = user;
    CHECK_EQUAL(put_item(waiter->queue, 9, kin_by(INT64_MAX, waiter->cancel)), waiter->code);
    return NULL;
}

static void *wait_for_all(void *user)
{
    struct waiter *waiter = user;
    CHECK_EQUAL(kin_local_queue_join(waiter->queue, kin_by(INT64_MAX, waiter->cancel)),
                waiter->code);
    return NULL;
}

TEST(a_token_ends_the_waits_of_get_put_and_join)
{
    kin_local_queue *full = new_local_queue(
        KIN_OPTIONS(kin_local_queue_options, .item_count_max = 1));
    kin_local_queue *empty = NULL;
    kin_cancel *cancel = NULL;
    REQUIRE(kin_local_queue_create(NULL, &empty) == 0);
    REQUIRE(kin_cancel_create(&cancel) == 0);
    CHECK_EQUAL(put_item(full, 1, KIN_NOW), 0);
    struct waiter at_full = {full, cancel, -ECANCELED};
    struct waiter at_empty = {empty, cancel, -ECANCELED};
    pthread_t threads[] = {thread_start(wait_for_space, &at_full),
                           thread_start(wait_for_all, &at_full),
                           thread_start(wait_for_item, &at_empty)};
    await_sleepers(getpid(), 3);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    for (int i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(get_item(full, kin_by(INT64_MAX, cancel)), 1); /* what is there wins */
    CHECK_EQUAL(get_item(full, kin_by(INT64_MAX, cancel)), -ECANCELED);
    kin_cancel_free(cancel);
    kin_local_queue_free(full);
    kin_local_queue_free(empty);
}

TEST(close_ends_all_waits_for_items_and_space)
{
    kin_local_queue *full = new_local_queue(
        KIN_OPTIONS(kin_local_queue_options, .item_count_max = 1));
    kin_local_queue *empty = NULL;
    pthread_t threads[6];
    REQUIRE(kin_local_queue_create(NULL, &empty) == 0);
    CHECK_EQUAL(put_item(full, 1, KIN_NOW), 0);
    struct waiter at_full = {full, NULL, -EPIPE};
    struct waiter at_empty = {empty, NULL, -EPIPE};
    for (int i = 0; i < 6; i++) {
        threads[i] = i % 2 == 0 ? thread_start(wait_for_space, &at_full)
                                : thread_start(wait_for_item, &at_empty);
    }
    await_sleepers(getpid(), 6);
    CHECK_EQUAL(kin_local_queue_close(full), 0);
    CHECK_EQUAL(kin_local_queue_close(empty), 0);
    for (int i = 0; i < 6; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(get_item(full, KIN_NOW), 1);
    kin_local_queue_free(full);
    kin_local_queue_free(empty);
}

TEST(shutdown_ends_the_waits_of_join_when_nothing_is_in_hand)
{
    kin_local_queue *queue = new_local_queue(NULL);
    struct waiter waiter = {queue, NULL, 0};
    CHECK_EQUAL(put_item(queue, 1, KIN_NOW), 0);
    CHECK_EQUAL(put_item(queue, 2, KIN_NOW), 0);
    pthread_t threads[] = {thread_start(wait_for_all, &waiter),
                           thread_start(wait_for_all, &waiter)};
    await_sleepers(getpid(), 2);
    CHECK_EQUAL(kin_local_queue_shutdown(queue), 0);
    thread_join(threads[0]);
    thread_join(threads[1]);
    kin_local_queue_free(queue);
}

TEST(the_last_task_done_ends_all_joins)
{
    kin_local_queue *queue = new_local_queue(NULL);
    struct waiter waiter = {queue, NULL, 0};
    CHECK_EQUAL(put_item(queue, 1, KIN_NOW), 0);
    pthread_t threads[] = {thread_start(wait_for_all, &waiter),
                           thread_start(wait_for_all, &waiter)};
    await_sleepers(getpid(), 2);
    CHECK_EQUAL(get_item(queue, KIN_NOW), 1);
    CHECK_EQUAL(kin_local_queue_task_done(queue), 0);
    thread_join(threads[0]);
    thread_join(threads[1]);
    kin_local_queue_free(queue);
}

/* --- threads that end --- */

static void end_thread(void *item)
{
    count_freed(item);
    pthread_exit(NULL);
}

static void *shut_down(void *user)
{
    kin_local_queue_shutdown(user);
    CHECK(false); /* free_item does not come back */
    return NULL;
}

TEST(a_thread_that_ends_in_free_item_leaves_the_queue_in_order)
{
    kin_local_queue *queue = new_local_queue(
        KIN_OPTIONS(kin_local_queue_options, .free_item = end_thread));
    for (uint64_t i = 0; i < 3; i++) {
        CHECK_EQUAL(put_item(queue, i, KIN_NOW), 0);
    }
    thread_join(thread_start(shut_down, queue));
    CHECK_EQUAL(kin_local_queue_item_count(queue), 2);
    CHECK_EQUAL(kin_local_queue_join(queue, KIN_FOREVER), 0);
    CHECK_EQUAL(get_item(queue, KIN_FOREVER), -EPIPE);
    thread_join(thread_start(shut_down, queue));
    thread_join(thread_start(shut_down, queue));
    CHECK_EQUAL(kin_local_queue_item_count(queue), 0);
    kin_local_queue_free(queue);
    CHECK_EQUAL(atomic_load(&numbers[FREED_COUNT]), 3);
}

/* --- many threads --- */

enum { PRODUCERS = 3, CONSUMERS = 3, EACH = 4000 };

struct crowd {
    kin_local_queue *queue;
    size_t batch;
    bool is_ordered;           /* items of one producer come in their order */
    _Atomic uint32_t produced; /* producers that have a number */
};

static void *produce(void *user)
{
    struct crowd *crowd = user;
    uint64_t producer = atomic_fetch_add(&crowd->produced, 1);
    void *items[16];
    for (uint64_t at = 0; at < EACH;) {
        size_t count = crowd->batch < EACH - at ? crowd->batch : EACH - at;
        for (size_t i = 0; i < count; i++) {
            items[i] = item_of(producer * EACH + at + i);
        }
        if (count == 1) {
            CHECK_EQUAL(kin_local_queue_put(crowd->queue, items[0], KIN_FOREVER), 0);
        } else {
            CHECK_EQUAL(kin_local_queue_put_array(crowd->queue, items, count, KIN_FOREVER), count);
        }
        at += count;
    }
    return NULL;
}

static void *consume(void *user)
{
    struct crowd *crowd = user;
    uint64_t next[PRODUCERS] = {0};
    void *items[16];
    int r = 0;
    while ((r = kin_local_queue_get_array(crowd->queue, crowd->batch, KIN_FOREVER, items)) > 0) {
        for (int i = 0; i < r; i++) {
            uint64_t number = (uint64_t)(uintptr_t)items[i];
            uint64_t at = number % EACH;
            CHECK(!crowd->is_ordered || at >= next[number / EACH]);
            next[number / EACH] = at + 1;
            atomic_fetch_add(&numbers[0], 1);
            atomic_fetch_add(&numbers[1], number);
            CHECK_EQUAL(kin_local_queue_task_done(crowd->queue), 0);
        }
    }
    CHECK_EQUAL(r, -EPIPE);
    return NULL;
}

static void run_crowd(const kin_local_queue_options *options, size_t batch)
{
    pthread_t producers[PRODUCERS];
    pthread_t consumers[CONSUMERS];
    uint64_t total = PRODUCERS * EACH;
    struct crowd crowd = {.batch = batch, .is_ordered = options->order == KIN_LOCAL_FIFO};
    atomic_store(&numbers[0], 0);
    atomic_store(&numbers[1], 0);
    REQUIRE(kin_local_queue_create(options, &crowd.queue) == 0);
    for (int i = 0; i < CONSUMERS; i++) {
        consumers[i] = thread_start(consume, &crowd);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = thread_start(produce, &crowd);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        thread_join(producers[i]);
    }
    CHECK_EQUAL(kin_local_queue_join(crowd.queue, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_local_queue_item_count(crowd.queue), 0);
    CHECK_EQUAL(kin_local_queue_close(crowd.queue), 0);
    for (int i = 0; i < CONSUMERS; i++) {
        thread_join(consumers[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[0]), total);
    CHECK_EQUAL(atomic_load(&numbers[1]), total * (total - 1) / 2);
    kin_local_queue_free(crowd.queue);
}

TEST(many_threads_lose_and_double_nothing_in_any_order)
{
    begin();
    for (int order = KIN_LOCAL_FIFO; order <= KIN_LOCAL_PRIORITY; order++) {
        kin_local_queue_options options = {.size = sizeof options, .order = (kin_local_order)order};
        run_crowd(&options, 1);
        run_crowd(&options, 16);
    }
}

TEST(many_threads_at_a_bound_of_few_lose_and_double_nothing)
{
    begin();
    for (int order = KIN_LOCAL_FIFO; order <= KIN_LOCAL_PRIORITY; order++) {
        kin_local_queue_options options = {
            .size = sizeof options, .order = (kin_local_order)order, .item_count_max = 3};
        run_crowd(&options, 1);
        run_crowd(&options, 7);
    }
}

/* Puts until the queue is shut down; numbers[2] counts what is in. */
static void *put_until_the_end(void *user)
{
    int r = 0;
    while ((r = put_item(user, 1, KIN_FOREVER)) == 0) {
        atomic_fetch_add(&numbers[2], 1);
    }
    CHECK_EQUAL(r, -EPIPE);
    return NULL;
}

static void *get_until_the_end(void *user)
{
    int64_t got = 0;
    while ((got = get_item(user, KIN_FOREVER)) == 1) {
        if (atomic_fetch_add(&numbers[3], 1) == 500) {
            CHECK_EQUAL(kin_local_queue_shutdown(user), 0);
        }
    }
    CHECK_EQUAL(got, -EPIPE);
    return NULL;
}

TEST(at_a_shutdown_each_item_was_taken_or_given_back)
{
    begin();
    for (int order = KIN_LOCAL_FIFO; order <= KIN_LOCAL_PRIORITY; order++) {
        kin_local_queue *queue = NULL;
        pthread_t threads[4];
        atomic_store(&numbers[2], 0);
        atomic_store(&numbers[3], 0);
        atomic_store(&numbers[FREED_COUNT], 0);
        kin_local_queue_options options = {.size = sizeof options,
                                           .order = (kin_local_order)order,
                                           .item_count_max = 100,
                                           .free_item = count_freed};
        REQUIRE(kin_local_queue_create(&options, &queue) == 0);
        for (int i = 0; i < 4; i++) {
            threads[i] = thread_start(i < 2 ? put_until_the_end : get_until_the_end, queue);
        }
        for (int i = 0; i < 4; i++) {
            thread_join(threads[i]);
        }
        kin_local_queue_free(queue);
        CHECK_EQUAL(atomic_load(&numbers[2]),
                    atomic_load(&numbers[3]) + atomic_load(&numbers[FREED_COUNT]));
    }
}
