/* Joinable queues, shutting down, and handles in messages. */
#include "unit/queue/queues.h"

#include <kin/event.h>

static const kin_queue_options joinable = {.size = sizeof joinable, .is_joinable = true};

TEST(a_join_waits_for_all_that_was_put)
{
    kin_queue *queue = new_queue(&joinable);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), 0);
    CHECK_EQUAL(kin_queue_task_done(queue), -EOVERFLOW);
    for (uint64_t i = 0; i < 3; i++) {
        CHECK_EQUAL(put_number(queue, i, KIN_NOW), 0);
    }
    CHECK_EQUAL(kin_queue_task_done(queue), -EOVERFLOW); /* nothing was taken yet */
    for (uint64_t i = 0; i < 3; i++) {
        CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), -EAGAIN);
        CHECK_EQUAL(get_number(queue, KIN_NOW), i);
        CHECK_IS_WHOLE();
        CHECK_EQUAL(kin_queue_join(queue, kin_within_ms(1)), -ETIMEDOUT);
        CHECK_EQUAL(kin_queue_task_done(queue), 0);
    }
    CHECK_EQUAL(kin_queue_join(queue, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_queue_task_done(queue), -EOVERFLOW);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

TEST(tasks_that_are_done_keep_no_segments)
{
    kin_queue *queue = new_queue(&joinable);
    for (uint64_t i = 0; i < 5000; i++) {
        REQUIRE(put_number(queue, i, KIN_NOW) == 0);
    }
    for (uint64_t i = 0; i < 5000; i++) {
        REQUIRE(get_number(queue, KIN_NOW) == (int64_t)i);
    }
    for (uint64_t i = 0; i < 5000; i++) {
        REQUIRE(kin_queue_task_done(queue) == 0);
    }
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), 0);
    CHECK(blocks_of_queue(queue) <= 3);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

static void *join_it(void *user)
{
    CHECK_EQUAL(kin_queue_join(user, KIN_FOREVER), 0);
    return NULL;
}

static void *take_and_do_one(void *user)
{
    CHECK(get_number(user, KIN_NOW) >= 0);
    CHECK_EQUAL(kin_queue_task_done(user), 0);
    return NULL;
}

TEST(those_who_join_are_woken_by_the_last_task)
{
    kin_queue *queue = new_queue(&joinable);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), 0);
    pthread_t threads[2] = {thread_start(join_it, queue), thread_start(join_it, queue)};
    await_sleepers(getpid(), 2);
    thread_join(thread_start(take_and_do_one, queue));
    kin_claim claim;
    REQUIRE(kin_queue_claim(queue, KIN_NOW, &claim) == 0);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_queue_acknowledge(queue, &claim), 0);
    thread_join(threads[0]);
    thread_join(threads[1]);
    kin_queue_free(queue);
}

TEST(another_may_say_that_a_task_is_done)
{
    kin_queue *queue = new_queue(&joinable);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    thread_join(thread_start(take_and_do_one, queue)); /* its own: ours is left */
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_queue_task_done(queue), 0);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), 0);
    kin_queue_free(queue);
}

TEST(a_cancelled_join_returns)
{
    kin_queue *queue = new_queue(&joinable);
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    CHECK_EQUAL(kin_queue_join(queue, kin_by(INT64_MAX, cancel)), -ECANCELED);
    kin_cancel_free(cancel);
    kin_queue_free(queue);
}

TEST(a_queue_that_is_not_joinable_is_not_joined)
{
    kin_queue *queue = new_queue(NULL);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_queue_task_done(queue), -EINVAL);
    CHECK_EQUAL(kin_queue_join(NULL, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_queue_task_done(NULL), -EINVAL);
    kin_queue_free(queue);
}

TEST(dead_letters_and_what_is_abandoned_need_not_be_done)
{
    kin_queue *queue = new_queue(
        KIN_OPTIONS(kin_queue_options, .is_joinable = true, .delivery_count_max = 1));
    kin_reservation reservation;
    kin_claim claim;
    REQUIRE(kin_queue_reserve(queue, 8, KIN_NOW, &reservation) == 0);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_queue_abandon(queue, &reservation), 0);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), 0);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    REQUIRE(kin_queue_claim(queue, KIN_NOW, &claim) == 0);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_queue_refuse(queue, &claim), 0);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), 0);
    REQUIRE(kin_queue_claim_dead_letter(queue, &claim) == 0);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), 0);
    CHECK_IS_WHOLE();
    CHECK_EQUAL(kin_queue_acknowledge(queue, &claim), 0);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), 0);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

static void take_and_stay(void *user)
{
    CHECK(get_number(user, KIN_NOW) >= 0);
    stay_in(user);
}

static void *join_after_a_death(void *user)
{
    CHECK_EQUAL(kin_queue_join(user, KIN_FOREVER), KIN_OWNER_DIED);
    return NULL;
}

TEST_OF_PROCESSES(a_task_that_a_killed_process_had_taken_counts_as_done)
{
    kin_queue *queue = new_queue(&joinable);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    pid_t taker = start_staying(take_and_stay, queue);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), -EAGAIN);
    pthread_t joiner = thread_start(join_after_a_death, queue);
    await_sleepers(getpid(), 1);
    child_kill(taker);
    thread_join(joiner);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), 0); /* said once */
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

/* --- shutting down --- */

static void *get_from_shut(void *user)
{
    CHECK_EQUAL(get_number(user, KIN_FOREVER), -EPIPE);
    return NULL;
}

TEST(a_queue_that_is_shut_down_gives_and_takes_nothing)
{
    kin_queue *queue = new_queue(&joinable);
    pthread_t consumer = thread_start(get_from_shut, queue);
    await_sleepers(getpid(), 1);
    struct slot *stopped = reserve_by_hand(queue, 8, 0);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_queue_shutdown(queue), 0);
    thread_join(consumer);
    commit_by_hand(queue, stopped, 1);
    CHECK(kin_queue_is_closed(queue));
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EPIPE);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), -EPIPE);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), 0);
    CHECK_EQUAL(kin_queue_close(queue), 0); /* it stays shut down */
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EPIPE);
    CHECK_EQUAL(kin_queue_shutdown(NULL), -EINVAL);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

TEST(a_claim_ends_also_in_a_queue_that_was_shut_down)
{
    kin_queue *queue = new_queue(NULL);
    kin_claim claims[2];
    for (int i = 0; i < 2; i++) {
        CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
        REQUIRE(kin_queue_claim(queue, KIN_NOW, &claims[i]) == 0);
    }
    CHECK_EQUAL(kin_queue_shutdown(queue), 0);
    CHECK_EQUAL(kin_queue_acknowledge(queue, &claims[0]), 0);
    CHECK_EQUAL(kin_queue_refuse(queue, &claims[1]), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EPIPE);
    kin_queue_free(queue);
}

/* --- handles --- */

TEST(what_a_message_names_lives_with_it)
{
    kin_queue *queue = new_queue(NULL);
    kin_event *event = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_handle handle = kin_event_handle(event);
    CHECK_EQUAL(kin_queue_put_with_handles(queue, (kin_bytes){"hello", 5}, &handle, 1, KIN_NOW), 0);
    kin_event_free(event);
    CHECK_IS_WHOLE();
    kin_message message;
    uint32_t count = 7;
    REQUIRE(kin_queue_get_bytes(queue, KIN_NOW, &message) == 0);
    CHECK_BYTES(kin_message_bytes(&message).data, "hello", 5);
    const kin_handle *handles = kin_message_handles(&message, &count);
    CHECK_EQUAL(count, 1);
    REQUIRE(kin_event_attach(handles[0], &event) == 0);
    kin_event_free(event);
    REQUIRE(kin_event_attach(handles[0], &event) == 0); /* the message still names it */
    kin_message_free(&message);
    CHECK(kin_message_handles(&message, &count) == NULL);
    CHECK_EQUAL(count, 0);
    kin_event_free(event);
    CHECK_EQUAL(kin_event_attach(handle, &event), -ESTALE);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

TEST(what_is_left_in_a_queue_lets_go_of_what_it_names)
{
    kin_queue *queue = new_queue(NULL);
    kin_queue *inner = NULL;
    REQUIRE(kin_queue_create(NULL, &inner) == 0);
    kin_handle handle = kin_queue_handle(inner);
    CHECK_EQUAL(put_number(inner, 5, KIN_NOW), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(kin_queue_put_with_handles(queue, (kin_bytes){0}, &handle, 1, KIN_NOW), 0);
    }
    kin_queue_free(inner);
    kin_claim claim;
    REQUIRE(kin_queue_claim(queue, KIN_NOW, &claim) == 0);
    CHECK_EQUAL(claim.handle_count, 1);
    REQUIRE(kin_queue_attach(claim.handles[0], &inner) == 0);
    CHECK_EQUAL(kin_queue_acknowledge(queue, &claim), 0);
    CHECK_EQUAL(get_number(inner, KIN_NOW), 5);
    kin_queue_free(inner);
    kin_queue_free(queue);
    CHECK_EQUAL(kin_queue_attach(handle, &inner), -ESTALE);
    CHECK_IS_WHOLE();
}

static void put_own_event_and_exit(void *user)
{
    kin_event *event = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    CHECK_EQUAL(kin_event_set(event), 0);
    kin_handle handle = kin_event_handle(event);
    CHECK_EQUAL(kin_queue_put_with_handles(user, (kin_bytes){0}, &handle, 1, KIN_NOW), 0);
}

TEST_OF_PROCESSES(what_a_message_names_survives_its_giver)
{
    kin_queue *queue = new_queue(NULL);
    kin_event *event = NULL;
    child_join(child_start(put_own_event_and_exit, queue));
    kin_message message;
    REQUIRE(kin_queue_get_bytes(queue, KIN_NOW, &message) == 0);
    REQUIRE(kin_event_attach(kin_message_handles(&message, NULL)[0], &event) == 0);
    kin_message_free(&message);
    CHECK(kin_event_is_set(event));
    kin_event_free(event);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

TEST(bad_handles_are_refused)
{
    kin_queue *queue = new_queue(NULL);
    kin_event *event = NULL;
    static kin_handle many[256];
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_handle handles[2] = {kin_event_handle(event), {0}};
    uint64_t mine = blocks_of_process();
    CHECK_EQUAL(kin_queue_put_with_handles(queue, (kin_bytes){0}, handles, 2, KIN_NOW), -ESTALE);
    CHECK_EQUAL(kin_queue_put_with_handles(queue, (kin_bytes){0}, many, 256, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_queue_put_with_handles(queue, (kin_bytes){0}, NULL, 1, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    CHECK_EQUAL(blocks_of_process(), mine);
    kin_event_free(event);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

TEST(a_task_is_found_far_behind_a_message_that_came_back)
{
    enum { COUNT = 200 };
    kin_queue *queue = new_queue(&joinable);
    kin_claim claim;
    for (uint64_t i = 0; i < COUNT; i++) {
        CHECK_EQUAL(put_number(queue, i, KIN_NOW), 0);
    }
    REQUIRE(kin_queue_claim(queue, KIN_NOW, &claim) == 0);
    for (uint64_t i = 1; i < COUNT; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), i);
    }
    CHECK_EQUAL(kin_queue_refuse(queue, &claim), 0);
    for (uint64_t i = 1; i < COUNT; i++) {
        CHECK_EQUAL(kin_queue_task_done(queue), 0);
    }
    CHECK_EQUAL(kin_queue_task_done(queue), -EOVERFLOW);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 0);
    CHECK_EQUAL(kin_queue_task_done(queue), 0);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), 0);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}
