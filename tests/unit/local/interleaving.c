/*
 * Forced interleavings of kin_local_queue: a thread stopped at the worst place. What it has done up
 * to there is done by hand.
 */
#include "local/chain.h"
#include "unit/local/queues.h"

#include "base/allocate.h"

static void *put_five(void *user)
{
    CHECK_EQUAL(put_item(user, 5, KIN_FOREVER), 0);
    return NULL;
}

static void *get_five(void *user)
{
    CHECK_EQUAL(get_item(user, KIN_FOREVER), 5);
    return NULL;
}

TEST(a_put_between_look_and_sleep_is_not_slept_through)
{
    kin_local_queue *queue = new_local_queue(NULL);
    uint32_t key = kin__count_prepare(&queue->items);
    CHECK_EQUAL(get_item(queue, KIN_NOW), -EAGAIN);
    thread_join(thread_start(put_five, queue));
    CHECK_EQUAL(kin__sleep(&queue->items, key, KIN_FOREVER), 0);
    CHECK_EQUAL(get_item(queue, KIN_NOW), 5);
    kin_local_queue_free(queue);
}

TEST(a_get_between_look_and_sleep_is_not_slept_through)
{
    kin_local_queue *queue = new_local_queue(
        KIN_OPTIONS(kin_local_queue_options, .order = KIN_LOCAL_PRIORITY, .item_count_max = 1));
    CHECK_EQUAL(put_item(queue, 5, KIN_NOW), 0);
    uint32_t key = kin__count_prepare(&queue->space);
    CHECK_EQUAL(put_item(queue, 6, KIN_NOW), -EAGAIN);
    thread_join(thread_start(get_five, queue));
    CHECK_EQUAL(kin__sleep(&queue->space, key, KIN_FOREVER), 0);
    CHECK_EQUAL(put_item(queue, 6, KIN_NOW), 0);
    kin_local_queue_free(queue);
}

TEST(a_task_done_between_look_and_sleep_is_not_slept_through)
{
    kin_local_queue *queue = new_local_queue(NULL);
    CHECK_EQUAL(put_item(queue, 5, KIN_NOW), 0);
    thread_join(thread_start(get_five, queue));
    uint32_t key = kin__count_prepare(&queue->idle);
    CHECK_EQUAL(kin_local_queue_join(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_local_queue_task_done(queue), 0);
    CHECK_EQUAL(kin__sleep(&queue->idle, key, KIN_FOREVER), 0);
    kin_local_queue_free(queue);
}

TEST(a_wake_up_that_another_swallowed_is_passed_on)
{
    /* An item was put, and its one wake-up went to a thread whose wait had ended: it leaves with
     * an item, finds another, and wakes the next. */
    kin_local_queue *queue = new_local_queue(NULL);
    pthread_t thread = thread_start(get_five, queue);
    await_sleepers(getpid(), 1);
    void *items[2] = {item_of(4), item_of(5)};
    struct local_room room = {0};
    struct local_move move = {.queue = queue, .items = items, .count = 2};
    kin__lock_acquire(&queue->put_lock, kin__self());
    CHECK_EQUAL(kin__local_chain_append(&move, 2, &room), 2);
    kin__lock_release(&queue->put_lock, kin__self());
    atomic_fetch_and(&queue->items, ~KIN__COUNT_SLEEPERS); /* the wake-up is another's */
    CHECK_EQUAL(get_item(queue, KIN_NOW), 4);
    kin__count_pass(&queue->items); /* it leaves its wait */
    kin__count_raise(&queue->items, 1);
    thread_join(thread);
    kin_local_queue_free(queue);
}

TEST(a_thread_stopped_in_a_put_holds_up_no_get)
{
    kin_local_queue *queue = new_local_queue(NULL);
    CHECK_EQUAL(put_item(queue, 5, KIN_NOW), 0);
    kin__lock_acquire(&queue->put_lock, kin__self());
    thread_join(thread_start(get_five, queue));
    kin__lock_release(&queue->put_lock, kin__self());
    kin_local_queue_free(queue);
}

TEST(a_thread_stopped_in_a_get_holds_up_no_put)
{
    kin_local_queue *queue = new_local_queue(NULL);
    kin__lock_acquire(&queue->get_lock, kin__self());
    thread_join(thread_start(put_five, queue));
    kin__lock_release(&queue->get_lock, kin__self());
    CHECK_EQUAL(get_item(queue, KIN_NOW), 5);
    kin_local_queue_free(queue);
}

TEST(a_segment_that_another_has_made_in_between_is_used)
{
    kin_local_queue *queue = new_local_queue(NULL);
    struct local_room room = {0};
    void *item = item_of(LOCAL_SEGMENT_ITEMS);
    struct local_move move = {.queue = queue, .items = &item, .count = 1};
    for (uint64_t i = 0; i < LOCAL_SEGMENT_ITEMS; i++) {
        CHECK_EQUAL(put_item(queue, i, KIN_NOW), 0);
    }
    CHECK_EQUAL(kin__local_chain_append(&move, 1, &room), 0); /* needs one, and makes it */
    CHECK_EQUAL(kin__local_chain_expand(&room), 0);
    void *made = room.memory;
    CHECK_EQUAL(put_item(queue, LOCAL_SEGMENT_ITEMS, KIN_NOW), 0); /* meanwhile */
    item = item_of(LOCAL_SEGMENT_ITEMS + 1);
    CHECK_EQUAL(kin__local_chain_append(&move, 1, &room), 1);
    CHECK(room.memory == made); /* still ours, to be freed */
    kin__release(room.memory);
    for (uint64_t i = 0; i <= LOCAL_SEGMENT_ITEMS + 1; i++) {
        CHECK_EQUAL(get_item(queue, KIN_NOW), i);
    }
    kin_local_queue_free(queue);
}

TEST(a_put_that_the_close_did_not_see_is_found_by_the_second_look)
{
    /* The get has looked, and found nothing; then the last put, then the close; then it reads that
     * the queue is closed. */
    kin_local_queue *queue = new_local_queue(NULL);
    CHECK_EQUAL(get_item(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(put_item(queue, 5, KIN_NOW), 0);
    CHECK_EQUAL(kin_local_queue_close(queue), 0);
    CHECK_EQUAL(get_item(queue, KIN_NOW), 5);
    CHECK_EQUAL(get_item(queue, KIN_NOW), -EPIPE);
    kin_local_queue_free(queue);
}

TEST(a_shutdown_stopped_half_way_has_ended_the_queue)
{
    kin_local_queue *queue = new_local_queue(
        KIN_OPTIONS(kin_local_queue_options, .free_item = count_freed));
    CHECK_EQUAL(put_item(queue, 1, KIN_NOW), 0);
    CHECK_EQUAL(put_item(queue, 2, KIN_NOW), 0);
    CHECK_EQUAL(get_item(queue, KIN_NOW), 1);
    atomic_store(&queue->is_closed, 1);
    CHECK_EQUAL(put_item(queue, 3, KIN_NOW), -EPIPE);
    atomic_store(&queue->is_shut_down, 1);
    CHECK_EQUAL(get_item(queue, KIN_NOW), -EPIPE);
    CHECK_EQUAL(kin_local_queue_join(queue, KIN_NOW), -EAGAIN); /* for the one in hand */
    CHECK_EQUAL(kin_local_queue_task_done(queue), 0);
    CHECK_EQUAL(kin_local_queue_join(queue, KIN_NOW), 0);
    CHECK_EQUAL(kin_local_queue_shutdown(queue), 0);
    CHECK_EQUAL(atomic_load(&numbers[FREED_COUNT]), 1);
    CHECK_EQUAL(kin_local_queue_join(queue, KIN_NOW), 0);
    kin_local_queue_free(queue);
}
