/*
 * Forced interleavings: a producer or consumer stopped at the worst place. What it has done up to
 * there is done by hand (queues.h).
 */
#include "unit/queue/queues.h"

TEST(a_stopped_producer_holds_nobody_up)
{
    kin_queue *queue = new_queue(NULL);
    struct slot *stopped = reserve_by_hand(queue, 8, 0);
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), 0);
    CHECK_EQUAL(put_number(queue, 3, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 2);
    commit_by_hand(queue, stopped, 1);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1); /* the oldest */
    CHECK_EQUAL(get_number(queue, KIN_NOW), 3);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    kin_queue_free(queue);
}

TEST(a_producer_that_goes_on_keeps_its_order)
{
    kin_queue *queue = new_queue(NULL);
    struct slot *stopped = reserve_by_hand(queue, 8, 0);
    CHECK_EQUAL(put_number(queue, 100, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 100);
    commit_by_hand(queue, stopped, 1);
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 2);
    kin_queue_free(queue);
}

TEST(several_stopped_producers_come_out_in_the_order_of_their_places)
{
    kin_queue *queue = new_queue(NULL);
    struct slot *stopped[5];
    for (uint64_t i = 0; i < 5; i++) {
        stopped[i] = reserve_by_hand(queue, 8, 0);
        CHECK_EQUAL(put_number(queue, 100 + i, KIN_NOW), 0);
    }
    CHECK_EQUAL(get_number(queue, KIN_NOW), 100);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 101);
    commit_by_hand(queue, stopped[3], 3); /* behind the head */
    commit_by_hand(queue, stopped[1], 1); /* passed */
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 102);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 3);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 103);
    commit_by_hand(queue, stopped[4], 4);
    commit_by_hand(queue, stopped[0], 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 4);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 104);
    commit_by_hand(queue, stopped[2], 2);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 2);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    kin_queue_free(queue);
}

TEST(any_number_of_stopped_producers_is_passed)
{
    kin_queue *queue = new_queue(NULL);
    struct slot *stopped[20];
    for (int i = 0; i < 20; i++) {
        stopped[i] = reserve_by_hand(queue, 8, 0);
    }
    CHECK_EQUAL(put_number(queue, 100, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 100);
    commit_by_hand(queue, stopped[19], 19);
    CHECK_EQUAL(put_number(queue, 101, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 19);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 101);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_queue_item_count(queue), 19);
    for (int i = 18; i >= 0; i--) {
        commit_by_hand(queue, stopped[i], (uint64_t)i);
        CHECK_EQUAL(get_number(queue, KIN_NOW), i);
    }
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    kin_queue_free(queue);
}

TEST(one_of_nine_stopped_producers_goes_on)
{
    kin_queue *queue = new_queue(NULL);
    struct slot *stopped[9];
    for (int i = 0; i < 9; i++) {
        stopped[i] = reserve_by_hand(queue, 8, 0);
    }
    CHECK_EQUAL(put_number(queue, 100, KIN_NOW), 0);
    commit_by_hand(queue, stopped[2], 2);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 2);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 100);
    CHECK_EQUAL(kin_queue_item_count(queue), 8);
    kin_queue_free(queue);
}

static void *get_one(void *user)
{
    atomic_store(&numbers[1], (uint64_t)get_number(user, KIN_FOREVER));
    return NULL;
}

TEST(a_consumer_asleep_is_woken_by_a_passed_producer_that_goes_on)
{
    kin_queue *queue = new_queue(NULL);
    struct slot *stopped = reserve_by_hand(queue, 8, 0);
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 2);
    pthread_t consumer = thread_start(get_one, queue);
    await_sleepers(getpid(), 1);
    commit_by_hand(queue, stopped, 1);
    thread_join(consumer);
    CHECK_EQUAL(atomic_load(&numbers[1]), 1);
    kin_queue_free(queue);
}

TEST(a_stopped_producer_over_many_segments_keeps_only_its_own)
{
    kin_queue *queue = new_queue(NULL);
    struct slot *stopped = reserve_by_hand(queue, 8, 0);
    for (uint64_t i = 0; i < 5000; i++) {
        CHECK_EQUAL(put_number(queue, i, KIN_NOW), 0);
        CHECK_EQUAL(get_number(queue, KIN_NOW), i);
    }
    commit_by_hand(queue, stopped, 77);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 77);
    for (int i = 0; i < 20; i++) { /* each look takes one segment out */
        CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    }
    CHECK_EQUAL(blocks_of_queue(queue), 2);
    kin_queue_free(queue);
}

/* --- closing --- */

TEST(a_queue_closed_beside_a_stopped_producer_is_not_empty)
{
    kin_queue *queue = new_queue(NULL);
    struct slot *stopped = reserve_by_hand(queue, 8, 0);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(get_number(queue, kin_within_ms(3)), -ETIMEDOUT);
    commit_by_hand(queue, stopped, 1);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    CHECK_EQUAL(get_number(queue, KIN_FOREVER), -EPIPE);
    kin_queue_free(queue);
}

static void *get_all(void *user)
{
    int64_t got = 0;
    while ((got = get_number(user, KIN_FOREVER)) >= 0) {
        atomic_fetch_add(&numbers[1], 1);
    }
    CHECK_EQUAL(got, -EPIPE);
    return NULL;
}

TEST(the_last_message_of_a_closed_queue_ends_the_waits_of_all)
{
    kin_queue *queue = new_queue(NULL);
    pthread_t threads[4];
    struct slot *stopped = reserve_by_hand(queue, 8, 0);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    for (int i = 0; i < 4; i++) {
        threads[i] = thread_start(get_all, queue);
    }
    await_sleepers(getpid(), 4);
    commit_by_hand(queue, stopped, 1); /* wakes one */
    for (int i = 0; i < 4; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[1]), 1);
    kin_queue_free(queue);
}

TEST(the_last_message_taken_by_another_ends_the_waits_of_all)
{
    kin_queue *queue = new_queue(NULL);
    pthread_t threads[3];
    struct slot *stopped = reserve_by_hand(queue, 8, 0);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    for (int i = 0; i < 3; i++) {
        threads[i] = thread_start(get_all, queue);
    }
    await_sleepers(getpid(), 3);
    uint64_t ticket = atomic_load(&stopped->state) & 0xfffffff;
    atomic_exchange(&stopped->state, kin__slot_word(ticket, SLOT_READY, 0));
    CHECK(get_number(queue, KIN_NOW) >= 0); /* before the producer has woken anybody */
    kin__count_raise(&inside(queue)->items, 1);
    for (int i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[1]), 0);
    kin_queue_free(queue);
}

TEST(a_closed_queue_has_not_ended_while_a_consumer_has_a_message_in_hand)
{
    kin_queue *queue = new_queue(NULL);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    struct slot *slot = lease_by_hand(queue);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(get_number(queue, kin_within_ms(3)), -ETIMEDOUT);
    pthread_t consumer = thread_start(get_all, queue);
    await_sleepers(getpid(), 1);
    atomic_store(&slot->state, kin__slot_word(0, SLOT_DONE, 0));
    thread_join(consumer);
    CHECK_EQUAL(atomic_load(&numbers[1]), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EPIPE);
    kin_queue_free(queue);
}

/* --- aborted --- */

TEST(an_aborted_slot_is_stepped_over_and_gives_its_space_back)
{
    kin_queue *queue = new_queue(
        KIN_OPTIONS(kin_queue_options, .item_count_max = 2, .message_bytes_max = 16));
    struct slot *stopped = reserve_by_hand(queue, 8, 0);
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), 0);
    CHECK_EQUAL(put_number(queue, 3, KIN_NOW), -EAGAIN);
    atomic_store(&stopped->state, kin__slot_word(0, SLOT_ABORTED, 0));
    CHECK_EQUAL(get_number(queue, KIN_NOW), 2);
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    CHECK_EQUAL(put_number(queue, 3, KIN_NOW), 0);
    CHECK_EQUAL(put_number(queue, 4, KIN_NOW), 0);
    CHECK_EQUAL(put_number(queue, 5, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 3);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 4);
    kin_queue_free(queue);
}

TEST(a_passed_slot_that_is_aborted_is_forgotten)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 2));
    struct slot *stopped = reserve_by_hand(queue, 8, 0);
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 2);
    atomic_store(&stopped->state, kin__slot_word(0, SLOT_ABORTED, 0));
    CHECK_EQUAL(kin_queue_close(queue), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EPIPE);
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    kin_queue_free(queue);
}

/* --- segments --- */

TEST(a_segment_that_producers_are_leaving_is_not_retired)
{
    /* A producer that is stopped after it has linked a new segment and before it has moved to it:
     * whoever finds it dead starts from the old one. */
    kin_queue *queue = new_queue(NULL);
    struct queue_shared *shared = inside(queue);
    uint64_t owner = kin__queue_owner(kin__object_index(&queue->object));
    uint64_t first = atomic_load(&shared->tail_segment);
    uint64_t second = 0;
    for (uint64_t i = 0; i < 62; i++) {
        CHECK_EQUAL(put_number(queue, i, KIN_NOW), 0);
    }
    REQUIRE(kin__segment_create(SEGMENT_BYTES, &second) == 0);
    kin__segment_at(second)->base = 62;
    kin__segment_at(second)->bytes_base = shared->bytes_put;
    atomic_store(&kin__segment_at(first)->next, second);
    for (uint64_t i = 0; i < 62; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), i);
    }
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    }
    CHECK(kin__block_owner(first) == owner);
    kin__block_give(second, kin__block_of_member(kin__family.owner), owner);
    atomic_store(&shared->tail_segment, second);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK(kin__block_owner(first) != owner);
    CHECK_EQUAL(put_number(queue, 62, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 62);
    kin_queue_free(queue);
}
