/* Messages that are written in place. */
#include "unit/queue/queues.h"

static int reserve_number(kin_queue *queue, uint64_t number, kin_reservation *reservation)
{
    int r = kin_queue_reserve(queue, sizeof number, KIN_NOW, reservation);
    if (r == 0) {
        CHECK_EQUAL(reservation->size, sizeof number);
        memcpy(reservation->data, &number, sizeof number);
    }
    return r;
}

TEST(what_was_written_in_place_is_got)
{
    kin_queue *queue = new_queue(NULL);
    static const size_t sizes[] = {0, 1, 104, 105, 5000, 200000};
    uint64_t mine = blocks_of_process();
    for (size_t i = 0; i < 6; i++) {
        kin_reservation reservation;
        REQUIRE(kin_queue_reserve(queue, sizes[i], KIN_NOW, &reservation) == 0);
        CHECK_EQUAL((uintptr_t)reservation.data % 8, 0);
        CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
        memset(reservation.data, (int)i, sizes[i]);
        CHECK_EQUAL(kin_queue_commit(queue, &reservation), 0);
        kin_message message;
        REQUIRE(kin_queue_get_bytes(queue, KIN_NOW, &message) == 0);
        kin_bytes bytes = kin_message_bytes(&message);
        CHECK_EQUAL(bytes.size, sizes[i]);
        for (size_t at = 0; at < bytes.size; at += 97) {
            REQUIRE(((const unsigned char *)bytes.data)[at] == i);
        }
        kin_message_free(&message);
    }
    CHECK_EQUAL(blocks_of_process(), mine);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

TEST(many_reservations_hold_nobody_up)
{
    kin_queue *queue = new_queue(NULL);
    kin_reservation open[100];
    for (uint64_t i = 0; i < 100; i++) {
        CHECK_EQUAL(reserve_number(queue, i, &open[i]), 0);
        CHECK_EQUAL(put_number(queue, 1000 + i, KIN_NOW), 0);
    }
    for (uint64_t i = 0; i < 100; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), 1000 + i);
    }
    CHECK_IS_WHOLE();
    for (uint64_t i = 0; i < 100; i += 2) {
        CHECK_EQUAL(kin_queue_commit(queue, &open[i]), 0);
    }
    for (uint64_t i = 0; i < 100; i += 2) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), i);
    }
    for (uint64_t i = 1; i < 100; i += 2) {
        CHECK_EQUAL(kin_queue_abandon(queue, &open[i]), 0);
    }
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

TEST(a_reservation_takes_space_and_gives_it_back)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 1));
    kin_reservation reservation;
    CHECK_EQUAL(reserve_number(queue, 1, &reservation), 0);
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), -EAGAIN);
    kin_reservation second;
    CHECK_EQUAL(kin_queue_reserve(queue, 8, kin_within_ms(2), &second), -ETIMEDOUT);
    CHECK_EQUAL(kin_queue_abandon(queue, &reservation), 0);
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 2);
    kin_queue_free(queue);
}

static void *put_two(void *user)
{
    CHECK_EQUAL(put_number(user, 2, KIN_FOREVER), 0);
    return NULL;
}

TEST(a_producer_that_waits_is_woken_when_a_reservation_is_abandoned)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 1));
    kin_reservation reservation;
    CHECK_EQUAL(reserve_number(queue, 1, &reservation), 0);
    pthread_t producer = thread_start(put_two, queue);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(kin_queue_abandon(queue, &reservation), 0);
    thread_join(producer);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 2);
    kin_queue_free(queue);
}

TEST(a_place_that_is_given_up_is_free_at_once_also_behind_one_that_was_passed)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 3));
    kin_reservation open[3];
    CHECK_EQUAL(reserve_number(queue, 0, &open[0]), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN); /* passes it */
    CHECK_EQUAL(reserve_number(queue, 1, &open[1]), 0);
    CHECK_EQUAL(reserve_number(queue, 2, &open[2]), 0);
    CHECK_EQUAL(kin_queue_commit(queue, &open[0]), 0);
    CHECK_EQUAL(kin_queue_abandon(queue, &open[1]), 0);
    CHECK_EQUAL(kin_queue_item_count(queue), 2);
    CHECK_EQUAL(put_number(queue, 3, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 3);
    CHECK_EQUAL(kin_queue_commit(queue, &open[2]), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 2);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

static void *end_anothers(void *user)
{
    kin_reservation *reservation = user;
    kin_queue *queue = NULL;
    memcpy(&queue, &numbers[1], sizeof(void *));
    CHECK_EQUAL(kin_queue_commit(queue, reservation), -EPERM);
    CHECK_EQUAL(kin_queue_abandon(queue, reservation), -EPERM);
    return NULL;
}

TEST(a_reservation_ends_once_and_in_its_thread)
{
    kin_queue *queue = new_queue(NULL);
    kin_reservation reservation;
    CHECK_EQUAL(reserve_number(queue, 1, &reservation), 0);
    kin_reservation copy = reservation;
    memcpy((void *)&numbers[1], (void *)&queue, sizeof(void *));
    thread_join(thread_start(end_anothers, &reservation));
    CHECK_EQUAL(kin_queue_commit(queue, &reservation), 0);
    CHECK_EQUAL(kin_queue_commit(queue, &reservation), -EINVAL); /* it is zeroed */
    CHECK_EQUAL(kin_queue_commit(queue, &copy), -EPERM);
    CHECK_EQUAL(kin_queue_abandon(queue, &copy), -EPERM);
    CHECK_EQUAL(kin_queue_commit(queue, NULL), -EINVAL);
    CHECK_EQUAL(kin_queue_reserve(queue, 8, KIN_NOW, NULL), -EINVAL);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    kin_queue_free(queue);
}

TEST(a_reservation_ends_in_its_queue)
{
    kin_queue *queue = new_queue(NULL);
    kin_queue *other = NULL;
    kin_reservation reservation;
    REQUIRE(kin_queue_create(NULL, &other) == 0);
    for (size_t bytes = 8; bytes <= 8000; bytes += 7992) {
        CHECK_EQUAL(kin_queue_reserve(queue, bytes, KIN_NOW, &reservation), 0);
        CHECK_EQUAL(kin_queue_commit(other, &reservation), -EPERM);
        CHECK_EQUAL(kin_queue_abandon(other, &reservation), -EPERM);
        CHECK_EQUAL(kin_queue_item_count(queue), 1);
        CHECK_EQUAL(kin_queue_item_count(other), 0);
        CHECK_IS_WHOLE();
        CHECK_EQUAL(kin_queue_abandon(queue, &reservation), 0);
    }
    kin_queue_free(other);
    kin_queue_free(queue);
}

TEST(a_closed_queue_has_not_ended_while_a_reservation_is_open)
{
    kin_queue *queue = new_queue(NULL);
    kin_reservation first;
    kin_reservation second;
    CHECK_EQUAL(reserve_number(queue, 1, &first), 0);
    CHECK_EQUAL(reserve_number(queue, 2, &second), 0);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    kin_reservation third;
    CHECK_EQUAL(kin_queue_reserve(queue, 8, KIN_FOREVER, &third), -EPIPE);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_queue_commit(queue, &first), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_queue_abandon(queue, &second), 0);
    CHECK_EQUAL(get_number(queue, KIN_FOREVER), -EPIPE);
    kin_queue_free(queue);
}

static void *reserve_and_end(void *user)
{
    kin_reservation reservation;
    CHECK_EQUAL(kin_queue_reserve(user, 5000, KIN_NOW, &reservation), 0);
    return NULL;
}

TEST(the_reservation_of_a_thread_that_ends_is_abandoned)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 1));
    uint64_t mine = blocks_of_process();
    thread_join(thread_start(reserve_and_end, queue));
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    CHECK_EQUAL(blocks_of_process(), mine);
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 2);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

static void reserve_and_stay(void *user)
{
    kin_reservation reservation;
    for (uint64_t i = 0; i < 40; i++) { /* more than a member can list */
        reserve_number(user, i, &reservation);
    }
    stay_in(user);
}

TEST_OF_PROCESSES(the_reservations_of_a_killed_process_are_abandoned)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 40));
    pid_t producer = start_staying(reserve_and_stay, queue);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), -EAGAIN);
    child_kill(producer);
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

TEST(a_message_too_large_is_refused_before_it_is_written)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .message_bytes_max = 100));
    kin_reservation reservation;
    CHECK_EQUAL(kin_queue_reserve(queue, 101, KIN_NOW, &reservation), -EMSGSIZE);
    CHECK_EQUAL(kin_queue_reserve(queue, SIZE_MAX, KIN_NOW, &reservation), -EMSGSIZE);
    CHECK_EQUAL(kin_queue_reserve(queue, 100, KIN_NOW, &reservation), 0);
    CHECK_EQUAL(kin_queue_abandon(queue, &reservation), 0);
    kin_queue_free(queue);
}

TEST(a_commit_to_a_queue_that_was_shut_down_says_so)
{
    kin_queue *queue = new_queue(NULL);
    kin_reservation reservation;
    uint64_t mine = blocks_of_process();
    REQUIRE(kin_queue_reserve(queue, 500, KIN_NOW, &reservation) == 0);
    CHECK_EQUAL(kin_queue_shutdown(queue), 0);
    CHECK_EQUAL(kin_queue_commit(queue, &reservation), -EPIPE);
    CHECK_EQUAL(blocks_of_process(), mine);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}
