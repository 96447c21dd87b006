/* kin_local_queue: orders, bounds, batches, closing, joining; nobody waits here. */
#include "unit/local/queues.h"

#include <limits.h>

static const kin_local_order orders[] = {KIN_LOCAL_FIFO, KIN_LOCAL_LIFO, KIN_LOCAL_PRIORITY};

TEST(local_queue_functions_refuse_null_and_forgotten_timeouts)
{
    kin_local_queue *queue = new_local_queue(NULL);
    void *items[2] = {NULL, NULL};
    kin_timeout forgotten = {0};
    CHECK_EQUAL(kin_local_queue_create(NULL, NULL), -EINVAL);
    CHECK(kin_local_queue_free(NULL) == NULL);
    CHECK_EQUAL(kin_local_queue_put(NULL, NULL, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_local_queue_put(queue, NULL, forgotten), -EINVAL);
    CHECK_EQUAL(kin_local_queue_put_priority(NULL, NULL, 1, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_local_queue_put_array(NULL, items, 1, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_local_queue_put_array(queue, NULL, 1, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_local_queue_put_array(queue, items, (size_t)INT_MAX + 1, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_local_queue_put_array(queue, items, 1, forgotten), -EINVAL);
    CHECK_EQUAL(kin_local_queue_get(NULL, KIN_NOW, items), -EINVAL);
    CHECK_EQUAL(kin_local_queue_get(queue, KIN_NOW, NULL), -EINVAL);
    CHECK_EQUAL(kin_local_queue_get(queue, forgotten, items), -EINVAL);
    CHECK_EQUAL(kin_local_queue_get_array(NULL, 1, KIN_NOW, items), -EINVAL);
    CHECK_EQUAL(kin_local_queue_get_array(queue, 0, KIN_NOW, items), -EINVAL);
    CHECK_EQUAL(kin_local_queue_get_array(queue, (size_t)INT_MAX + 1, KIN_NOW, items), -EINVAL);
    CHECK_EQUAL(kin_local_queue_get_array(queue, 1, KIN_NOW, NULL), -EINVAL);
    CHECK_EQUAL(kin_local_queue_task_done(NULL), -EINVAL);
    CHECK_EQUAL(kin_local_queue_join(NULL, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_local_queue_join(queue, forgotten), -EINVAL);
    CHECK_EQUAL(kin_local_queue_close(NULL), -EINVAL);
    CHECK_EQUAL(kin_local_queue_shutdown(NULL), -EINVAL);
    CHECK(kin_local_queue_is_closed(NULL));
    CHECK_EQUAL(kin_local_queue_item_count(NULL), 0);
    CHECK_EQUAL(kin_local_queue_item_count(queue), 0);
    kin_local_queue_free(queue);
}

TEST(local_queue_options_are_checked)
{
    kin_local_queue *queue = NULL;
    kin_local_queue_options options = {.size = sizeof options - 1};
    begin();
    CHECK_EQUAL(kin_local_queue_create(&options, &queue), -EINVAL);
    options.size = sizeof options;
    options.order = (kin_local_order)3;
    CHECK_EQUAL(kin_local_queue_create(&options, &queue), -EINVAL);
    options.order = (kin_local_order)-1;
    CHECK_EQUAL(kin_local_queue_create(&options, &queue), -EINVAL);
    CHECK(queue == NULL);
}

/* --- orders --- */

TEST(fifo_gives_the_oldest_over_many_segments)
{
    kin_local_queue *queue = new_local_queue(NULL);
    uint64_t put = 0;
    uint64_t got = 0;
    for (int round = 0; round < 20; round++) { /* more and more stay in it */
        for (int i = 0; i < 700; i++) {
            CHECK_EQUAL(put_item(queue, put++, KIN_NOW), 0);
        }
        for (int i = 0; i < 650; i++) {
            CHECK_EQUAL(get_item(queue, KIN_NOW), got++);
        }
        CHECK_EQUAL(kin_local_queue_item_count(queue), put - got);
    }
    while (got < put) {
        CHECK_EQUAL(get_item(queue, KIN_NOW), got++);
    }
    CHECK_EQUAL(get_item(queue, KIN_NOW), -EAGAIN);
    kin_local_queue_free(queue);
}

TEST(lifo_gives_the_youngest)
{
    kin_local_queue *queue = new_local_queue(
        KIN_OPTIONS(kin_local_queue_options, .order = KIN_LOCAL_LIFO));
    for (uint64_t i = 0; i < 3000; i++) { /* grows a few times */
        CHECK_EQUAL(put_item(queue, i, KIN_NOW), 0);
    }
    CHECK_EQUAL(get_item(queue, KIN_NOW), 2999);
    CHECK_EQUAL(put_item(queue, 7, KIN_NOW), 0);
    CHECK_EQUAL(get_item(queue, KIN_NOW), 7);
    for (uint64_t i = 2999; i-- > 0;) {
        CHECK_EQUAL(get_item(queue, KIN_NOW), i);
    }
    CHECK_EQUAL(get_item(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(put_item(queue, 8, KIN_NOW), 0); /* after it gave its memory back */
    CHECK_EQUAL(get_item(queue, KIN_NOW), 8);
    kin_local_queue_free(queue);
}

TEST(priority_gives_the_smallest_and_equal_ones_in_their_order)
{
    enum { COUNT = 3000, PRIORITIES = 17 };
    kin_local_queue *queue = new_local_queue(
        KIN_OPTIONS(kin_local_queue_options, .order = KIN_LOCAL_PRIORITY));
    uint64_t random = 1;
    for (uint64_t i = 0; i < COUNT; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        int64_t priority = (int64_t)(random >> 33) % PRIORITIES - PRIORITIES / 2;
        uint64_t item = (uint64_t)(priority + 100) * COUNT + i;
        CHECK_EQUAL(kin_local_queue_put_priority(queue, item_of(item), priority, KIN_NOW), 0);
    }
    int64_t last = -1;
    for (uint64_t i = 0; i < COUNT; i++) { /* the items rise as priority and place do */
        int64_t item = get_item(queue, KIN_NOW);
        CHECK(item > last);
        last = item;
    }
    CHECK_EQUAL(get_item(queue, KIN_NOW), -EAGAIN);
    kin_local_queue_free(queue);
}

TEST(priority_without_one_is_zero_and_reaches_both_ends)
{
    kin_local_queue *queue = new_local_queue(
        KIN_OPTIONS(kin_local_queue_options, .order = KIN_LOCAL_PRIORITY));
    CHECK_EQUAL(kin_local_queue_put_priority(queue, item_of(5), INT64_MAX, KIN_NOW), 0);
    CHECK_EQUAL(kin_local_queue_put_priority(queue, item_of(4), 1, KIN_NOW), 0);
    CHECK_EQUAL(put_item(queue, 3, KIN_NOW), 0);
    CHECK_EQUAL(kin_local_queue_put_priority(queue, item_of(2), -1, KIN_NOW), 0);
    CHECK_EQUAL(kin_local_queue_put_priority(queue, item_of(1), INT64_MIN, KIN_NOW), 0);
    for (int64_t i = 1; i <= 5; i++) {
        CHECK_EQUAL(get_item(queue, KIN_NOW), i);
    }
    kin_local_queue_free(queue);
}

TEST(only_a_queue_with_priorities_takes_one)
{
    kin_local_queue *queue = new_local_queue(NULL);
    CHECK_EQUAL(kin_local_queue_put_priority(queue, NULL, 1, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_local_queue_item_count(queue), 0);
    kin_local_queue_free(queue);
}

TEST(null_is_an_item_in_every_order)
{
    begin();
    for (int i = 0; i < 3; i++) {
        kin_local_queue *queue = NULL;
        REQUIRE(kin_local_queue_create(KIN_OPTIONS(kin_local_queue_options, .order = orders[i]),
                                       &queue) == 0);
        CHECK_EQUAL(kin_local_queue_put(queue, NULL, KIN_NOW), 0);
        CHECK_EQUAL(kin_local_queue_item_count(queue), 1);
        CHECK_EQUAL(get_item(queue, KIN_NOW), 0);
        kin_local_queue_free(queue);
    }
}

/* --- bounds and batches --- */

TEST(a_full_queue_refuses_in_every_order_until_one_is_taken)
{
    begin();
    for (int i = 0; i < 3; i++) {
        kin_local_queue *queue = NULL;
        REQUIRE(kin_local_queue_create(
                    KIN_OPTIONS(kin_local_queue_options, .order = orders[i], .item_count_max = 2),
                    &queue) == 0);
        for (int round = 0; round < 1000; round++) {
            CHECK_EQUAL(put_item(queue, 1, KIN_NOW), 0);
            CHECK_EQUAL(put_item(queue, 1, KIN_NOW), 0);
            CHECK_EQUAL(put_item(queue, 1, KIN_NOW), -EAGAIN);
            CHECK_EQUAL(kin_local_queue_item_count(queue), 2);
            CHECK_EQUAL(get_item(queue, KIN_NOW), 1);
            CHECK_EQUAL(put_item(queue, 1, KIN_NOW), 0);
            CHECK_EQUAL(put_item(queue, 1, KIN_NOW), -EAGAIN);
            CHECK_EQUAL(get_item(queue, KIN_NOW), 1);
            CHECK_EQUAL(get_item(queue, KIN_NOW), 1);
            CHECK_EQUAL(get_item(queue, KIN_NOW), -EAGAIN);
        }
        kin_local_queue_free(queue);
    }
}

/* Puts 0 .. count - 1. */
static int put_batch(kin_local_queue *queue, size_t count)
{
    static void *items[5000];
    for (size_t i = 0; i < count; i++) {
        items[i] = item_of(i);
    }
    return kin_local_queue_put_array(queue, items, count, KIN_NOW);
}

TEST(a_batch_over_many_segments_keeps_its_order)
{
    kin_local_queue *queue = new_local_queue(NULL);
    static void *items[5000];
    CHECK_EQUAL(put_batch(queue, 0), 0);
    CHECK_EQUAL(put_batch(queue, 1), 1);
    CHECK_EQUAL(get_item(queue, KIN_NOW), 0);
    CHECK_EQUAL(put_batch(queue, 5000), 5000);
    for (size_t got = 0; got < 5000;) {
        int r = kin_local_queue_get_array(queue, 5000, KIN_NOW, items);
        REQUIRE(r > 0);
        for (size_t i = 0; i < (size_t)r; i++) {
            CHECK(items[i] == item_of(got + i));
        }
        got += (size_t)r;
    }
    CHECK_EQUAL(kin_local_queue_get_array(queue, 5000, KIN_NOW, items), -EAGAIN);
    kin_local_queue_free(queue);
}

TEST(a_batch_out_of_a_heap_comes_in_its_order)
{
    void *items[4] = {NULL};
    begin();
    for (int i = 1; i < 3; i++) {
        kin_local_queue *queue = NULL;
        REQUIRE(kin_local_queue_create(KIN_OPTIONS(kin_local_queue_options, .order = orders[i]),
                                       &queue) == 0);
        CHECK_EQUAL(put_batch(queue, 100), 100);
        CHECK_EQUAL(kin_local_queue_get_array(queue, 4, KIN_NOW, items), 4);
        CHECK(items[0] == item_of(orders[i] == KIN_LOCAL_LIFO ? 99 : 0));
        CHECK(items[3] == item_of(orders[i] == KIN_LOCAL_LIFO ? 96 : 3));
        CHECK_EQUAL(kin_local_queue_item_count(queue), 96);
        kin_local_queue_free(queue);
    }
}

TEST(a_batch_that_does_not_fit_says_how_much_of_it_did)
{
    begin();
    for (int i = 0; i < 3; i++) {
        kin_local_queue *queue = NULL;
        REQUIRE(kin_local_queue_create(
                    KIN_OPTIONS(kin_local_queue_options, .order = orders[i], .item_count_max = 40),
                    &queue) == 0);
        CHECK_EQUAL(put_batch(queue, 30), 30);
        CHECK_EQUAL(put_batch(queue, 30), 10);
        CHECK_EQUAL(put_batch(queue, 30), -EAGAIN);
        CHECK_EQUAL(put_batch(queue, 0), 0);
        CHECK_EQUAL(kin_local_queue_item_count(queue), 40);
        CHECK_EQUAL(kin_local_queue_close(queue), 0);
        CHECK_EQUAL(put_batch(queue, 30), -EPIPE);
        kin_local_queue_free(queue);
    }
}

/* --- the end --- */

TEST(close_ends_puts_and_then_gets)
{
    begin();
    for (int i = 0; i < 3; i++) {
        kin_local_queue *queue = NULL;
        REQUIRE(kin_local_queue_create(KIN_OPTIONS(kin_local_queue_options, .order = orders[i]),
                                       &queue) == 0);
        CHECK_EQUAL(put_item(queue, 1, KIN_NOW), 0);
        CHECK(!kin_local_queue_is_closed(queue));
        CHECK_EQUAL(kin_local_queue_close(queue), 0);
        CHECK_EQUAL(kin_local_queue_close(queue), 0);
        CHECK(kin_local_queue_is_closed(queue));
        CHECK_EQUAL(put_item(queue, 2, KIN_FOREVER), -EPIPE);
        CHECK_EQUAL(get_item(queue, KIN_FOREVER), 1);
        CHECK_EQUAL(get_item(queue, KIN_FOREVER), -EPIPE);
        kin_local_queue_free(queue);
    }
}

TEST(shutdown_gives_back_what_is_left_and_ends_all)
{
    begin();
    for (int i = 0; i < 3; i++) {
        kin_local_queue *queue = NULL;
        atomic_store(&numbers[FREED_COUNT], 0);
        REQUIRE(kin_local_queue_create(KIN_OPTIONS(kin_local_queue_options, .order = orders[i],
                                                   .free_item = count_freed),
                                       &queue) == 0);
        CHECK_EQUAL(put_batch(queue, 2000), 2000);
        CHECK_EQUAL(kin_local_queue_shutdown(queue), 0);
        CHECK_EQUAL(atomic_load(&numbers[FREED_COUNT]), 2000);
        CHECK_EQUAL(kin_local_queue_shutdown(queue), 0);
        CHECK(kin_local_queue_is_closed(queue));
        CHECK_EQUAL(put_item(queue, 1, KIN_FOREVER), -EPIPE);
        CHECK_EQUAL(get_item(queue, KIN_FOREVER), -EPIPE);
        CHECK_EQUAL(kin_local_queue_item_count(queue), 0);
        CHECK_EQUAL(kin_local_queue_join(queue, KIN_FOREVER), 0);
        kin_local_queue_free(queue);
        CHECK_EQUAL(atomic_load(&numbers[FREED_COUNT]), 2000);
    }
}

TEST(free_gives_back_what_is_left)
{
    begin();
    for (int i = 0; i < 3; i++) {
        kin_local_queue *queue = NULL;
        atomic_store(&numbers[FREED_COUNT], 0);
        atomic_store(&numbers[FREED_SUM], 0);
        REQUIRE(kin_local_queue_create(KIN_OPTIONS(kin_local_queue_options, .order = orders[i],
                                                   .free_item = count_freed),
                                       &queue) == 0);
        CHECK_EQUAL(put_batch(queue, 2000), 2000);
        for (int got = 0; got < 700; got++) {
            CHECK(get_item(queue, KIN_NOW) >= 0);
        }
        kin_local_queue_free(queue);
        CHECK_EQUAL(atomic_load(&numbers[FREED_COUNT]), 1300);
        uint64_t first = orders[i] == KIN_LOCAL_LIFO ? 0 : 700;
        CHECK_EQUAL(atomic_load(&numbers[FREED_SUM]), 1300 * (2 * first + 1299) / 2);
    }
}

/* --- joining --- */

TEST(one_task_done_too_many_is_an_error)
{
    begin();
    for (int i = 0; i < 3; i++) {
        kin_local_queue *queue = NULL;
        REQUIRE(kin_local_queue_create(KIN_OPTIONS(kin_local_queue_options, .order = orders[i]),
                                       &queue) == 0);
        CHECK_EQUAL(kin_local_queue_task_done(queue), -EOVERFLOW);
        CHECK_EQUAL(put_item(queue, 1, KIN_NOW), 0);
        CHECK_EQUAL(kin_local_queue_task_done(queue), -EOVERFLOW); /* it was not taken yet */
        CHECK_EQUAL(get_item(queue, KIN_NOW), 1);
        CHECK_EQUAL(kin_local_queue_task_done(queue), 0);
        CHECK_EQUAL(kin_local_queue_task_done(queue), -EOVERFLOW);
        kin_local_queue_free(queue);
    }
}

TEST(join_waits_until_each_item_is_done)
{
    kin_local_queue *queue = new_local_queue(NULL);
    CHECK_EQUAL(kin_local_queue_join(queue, KIN_NOW), 0);
    CHECK_EQUAL(put_item(queue, 1, KIN_NOW), 0);
    CHECK_EQUAL(put_item(queue, 2, KIN_NOW), 0);
    CHECK_EQUAL(kin_local_queue_join(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(get_item(queue, KIN_NOW), 1);
    CHECK_EQUAL(get_item(queue, KIN_NOW), 2);
    CHECK_EQUAL(kin_local_queue_join(queue, kin_within_ms(2)), -ETIMEDOUT);
    CHECK_EQUAL(kin_local_queue_task_done(queue), 0);
    CHECK_EQUAL(kin_local_queue_join(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_local_queue_task_done(queue), 0);
    CHECK_EQUAL(kin_local_queue_join(queue, KIN_FOREVER), 0);
    kin_local_queue_free(queue);
}

TEST(join_after_a_shutdown_waits_for_what_was_taken)
{
    kin_local_queue *queue = new_local_queue(NULL);
    CHECK_EQUAL(put_batch(queue, 10), 10);
    CHECK_EQUAL(get_item(queue, KIN_NOW), 0);
    CHECK_EQUAL(kin_local_queue_shutdown(queue), 0);
    CHECK_EQUAL(kin_local_queue_join(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_local_queue_task_done(queue), 0);
    CHECK_EQUAL(kin_local_queue_join(queue, KIN_NOW), 0);
    CHECK_EQUAL(kin_local_queue_task_done(queue), -EOVERFLOW);
    kin_local_queue_free(queue);
}
