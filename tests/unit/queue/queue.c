/* kin_queue: codes, lifetime, bounds, closing, counting. */
#include "unit/queue/queues.h"

#include <kin/event.h>

static const kin_timeout no_timeout;

TEST(queue_functions_refuse_null)
{
    kin_queue *queue = new_queue(NULL);
    kin_message message;
    CHECK_EQUAL(kin_queue_create(NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_queue_attach(kin_queue_handle(queue), NULL), -EINVAL);
    CHECK_EQUAL(kin_queue_put_bytes(NULL, "a", 1, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_queue_put_bytes(queue, NULL, 1, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_queue_get_bytes(NULL, KIN_NOW, &message), -EINVAL);
    CHECK_EQUAL(kin_queue_get_bytes(queue, KIN_NOW, NULL), -EINVAL);
    CHECK_EQUAL(kin_queue_close(NULL), -EINVAL);
    CHECK(kin_queue_is_closed(NULL));
    CHECK_EQUAL(kin_queue_item_count(NULL), 0);
    CHECK_EQUAL(kin_queue_handle(NULL).counter, 0);
    CHECK_EQUAL(kin_message_bytes(NULL).size, 0);
    CHECK(kin_message_bytes(NULL).data == NULL);
    kin_message_free(NULL);
    CHECK(kin_queue_free(NULL) == NULL);
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    kin_queue_free(queue);
}

TEST(put_and_get_refuse_a_timeout_that_is_all_zero)
{
    kin_queue *queue = new_queue(NULL);
    kin_message message;
    CHECK_EQUAL(kin_queue_put_bytes(queue, "a", 1, no_timeout), -EINVAL);
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    CHECK_EQUAL(kin_queue_put_bytes(queue, "a", 1, KIN_NOW), 0);
    CHECK_EQUAL(kin_queue_get_bytes(queue, no_timeout, &message), -EINVAL);
    CHECK_EQUAL(kin_queue_item_count(queue), 1);
    kin_queue_free(queue);
}

TEST(a_queue_needs_a_family)
{
    kin_queue *queue = NULL;
    CHECK_EQUAL(kin_queue_create(NULL, &queue), KIN_EFAMILY);
    CHECK(queue == NULL);
}

TEST(create_refuses_options_of_an_unknown_size)
{
    kin_queue *queue = NULL;
    begin();
    CHECK_EQUAL(kin_queue_create(&(kin_queue_options){0}, &queue), -EINVAL);
    CHECK_EQUAL(kin_queue_create(&(kin_queue_options){.size = 8}, &queue), -EINVAL);
    CHECK_EQUAL(
        kin_queue_create(&(kin_queue_options){.size = sizeof(kin_queue_options) + 8}, &queue),
        -EINVAL);
    CHECK(queue == NULL);
    CHECK_EQUAL(kin_queue_create(KIN_OPTIONS(kin_queue_options, .item_count_max = 0), &queue), 0);
    kin_queue_free(queue);
}

TEST(queue_attach_refuses_stale_handles_and_those_of_other_types)
{
    kin_queue *queue = new_queue(NULL);
    kin_queue *other = NULL;
    kin_event *event = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_handle handle = kin_queue_handle(queue);
    CHECK_EQUAL(kin_queue_attach(kin_event_handle(event), &other), -EINVAL);
    CHECK_EQUAL(kin_queue_attach((kin_handle){0}, &other), -ESTALE);
    kin_queue_free(queue);
    CHECK_EQUAL(kin_queue_attach(handle, &other), -ESTALE);
    CHECK(other == NULL);
    kin_event_free(event);
}

TEST(two_openings_in_one_process_are_one_queue)
{
    kin_queue *queue = new_queue(NULL);
    kin_queue *other = NULL;
    REQUIRE(kin_queue_attach(kin_queue_handle(queue), &other) == 0);
    CHECK_EQUAL(put_number(queue, 7, KIN_NOW), 0);
    kin_queue_free(queue);
    CHECK_EQUAL(get_number(other, KIN_NOW), 7);
    kin_queue_free(other);
}

TEST(an_empty_queue_says_so)
{
    kin_queue *queue = new_queue(NULL);
    kin_message message = {.size = 5, .place = 77};
    CHECK_EQUAL(kin_queue_get_bytes(queue, KIN_NOW, &message), -EAGAIN);
    CHECK_EQUAL(kin_queue_get_bytes(queue, kin_within_ms(5), &message), -ETIMEDOUT);
    CHECK_EQUAL(kin_queue_get_bytes(queue, kin_by(kin_now_ns() - 1, NULL), &message), -ETIMEDOUT);
    CHECK_EQUAL(message.size, 5); /* untouched on failure */
    CHECK_EQUAL(message.place, 77);
    kin_queue_free(queue);
}

/* --- bounds --- */

TEST(a_queue_takes_exactly_as_many_items_as_it_is_bounded_to)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 3));
    uint64_t put = 0;
    uint64_t got = 0;
    for (int round = 0; round < 200; round++) { /* over the ends of segments */
        while (put < got + 3) {
            CHECK_EQUAL(put_number(queue, put++, KIN_NOW), 0);
        }
        CHECK_EQUAL(put_number(queue, 0, KIN_NOW), -EAGAIN);
        CHECK_EQUAL(kin_queue_item_count(queue), 3);
        for (int i = 0; i <= round % 3; i++) {
            CHECK_EQUAL(get_number(queue, KIN_NOW), got++);
        }
    }
    CHECK_EQUAL(put_number(queue, put++, KIN_NOW), 0);
    while (put < got + 3) {
        CHECK_EQUAL(put_number(queue, put++, KIN_NOW), 0);
    }
    CHECK_EQUAL(put_number(queue, 0, kin_within_ms(2)), -ETIMEDOUT);
    kin_queue_free(queue);
}

TEST(a_queue_takes_exactly_as_many_bytes_as_it_is_bounded_to)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .message_bytes_max = 1000));
    CHECK_EQUAL(put_pattern(queue, 1, 600, KIN_NOW), 0);
    CHECK_EQUAL(put_pattern(queue, 2, 401, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(put_pattern(queue, 2, 400, KIN_NOW), 0);
    CHECK_EQUAL(put_pattern(queue, 3, 1, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(put_pattern(queue, 3, 0, KIN_NOW), 0);
    CHECK_EQUAL(put_pattern(queue, 0, 1001, KIN_FOREVER), -EMSGSIZE);
    CHECK_EQUAL(get_pattern(queue, 1, KIN_NOW), 600);
    CHECK_EQUAL(put_pattern(queue, 4, 601, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(put_pattern(queue, 4, 600, KIN_NOW), 0);
    CHECK_EQUAL(get_pattern(queue, 2, KIN_NOW), 400);
    CHECK_EQUAL(get_pattern(queue, 3, KIN_NOW), 0);
    CHECK_EQUAL(get_pattern(queue, 4, KIN_NOW), 600);
    CHECK_EQUAL(put_pattern(queue, 5, 1000, KIN_NOW), 0);
    CHECK_EQUAL(get_pattern(queue, 5, KIN_NOW), 1000);
    kin_queue_free(queue);
}

TEST(both_bounds_hold_at_once)
{
    kin_queue *queue = new_queue(
        KIN_OPTIONS(kin_queue_options, .item_count_max = 2, .message_bytes_max = 10));
    CHECK_EQUAL(put_pattern(queue, 1, 1, KIN_NOW), 0);
    CHECK_EQUAL(put_pattern(queue, 2, 10, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(put_pattern(queue, 2, 9, KIN_NOW), 0);
    CHECK_EQUAL(put_pattern(queue, 3, 0, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(get_pattern(queue, 1, KIN_NOW), 1);
    CHECK_EQUAL(put_pattern(queue, 3, 2, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(put_pattern(queue, 3, 1, KIN_NOW), 0);
    kin_queue_free(queue);
}

TEST(a_put_of_more_bytes_than_there_can_be_is_refused)
{
    kin_queue *queue = new_queue(NULL);
    CHECK_EQUAL(kin_queue_put_bytes(queue, "a", SIZE_MAX, KIN_NOW), -EMSGSIZE);
    CHECK_EQUAL(kin_queue_put_bytes(queue, "a", SIZE_MAX - 16, KIN_NOW), -EMSGSIZE);
    CHECK_EQUAL(kin_queue_put_bytes(queue, "a", SIZE_MAX / 2, KIN_NOW), -EMSGSIZE);
    CHECK_EQUAL(kin_queue_put_bytes(queue, "a", (size_t)1 << 46, KIN_NOW), -EMSGSIZE);
    CHECK_EQUAL(kin_queue_put_bytes(queue, "a", (size_t)1 << 39, KIN_NOW), -ENOMEM);
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    CHECK_EQUAL(put_number(queue, 5, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 5);
    kin_queue_free(queue);
}

/* --- closing --- */

TEST(a_closed_queue_takes_nothing_and_gives_what_it_has)
{
    kin_queue *queue = new_queue(NULL);
    CHECK(!kin_queue_is_closed(queue));
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), 0);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    CHECK(kin_queue_is_closed(queue));
    CHECK_EQUAL(put_number(queue, 3, KIN_FOREVER), -EPIPE);
    CHECK_EQUAL(put_pattern(queue, 3, 5000, KIN_FOREVER), -EPIPE);
    CHECK_EQUAL(kin_queue_item_count(queue), 2);
    CHECK_EQUAL(get_number(queue, KIN_FOREVER), 1);
    CHECK_EQUAL(get_number(queue, KIN_FOREVER), 2);
    CHECK_EQUAL(get_number(queue, KIN_FOREVER), -EPIPE);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EPIPE);
    CHECK_EQUAL(blocks_of_queue(queue), 2);
    kin_queue_free(queue);
}

TEST(a_queue_is_full_when_nothing_more_fits)
{
    kin_queue *queue = new_queue(
        KIN_OPTIONS(kin_queue_options, .item_count_max = 3, .message_bytes_max = 20));
    CHECK(!kin_queue_is_full(queue));
    for (uint64_t i = 0; i < 2; i++) {
        CHECK_EQUAL(put_number(queue, i, KIN_NOW), 0);
        CHECK(!kin_queue_is_full(queue)); /* 8 bytes would not fit now, but 4 would */
    }
    CHECK_EQUAL(kin_queue_put_bytes(queue, "abcd", 4, KIN_NOW), 0);
    CHECK(kin_queue_is_full(queue));
    CHECK_EQUAL(get_number(queue, KIN_NOW), 0);
    CHECK(!kin_queue_is_full(queue));
    CHECK_EQUAL(kin_queue_put_bytes(queue, "", 0, KIN_NOW), 0);
    CHECK(kin_queue_is_full(queue)); /* by the number */
    CHECK(!kin_queue_is_full(NULL));
    kin_queue_free(queue);
}

TEST(a_full_queue_that_is_closed_says_epipe)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 1));
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), -EPIPE);
    kin_queue_free(queue);
}

struct waiting {
    kin_queue *queue;
    kin_timeout timeout;
    int expected;
};

static void get_expecting(void *user)
{
    struct waiting *waiting = user;
    CHECK_EQUAL(get_number(waiting->queue, waiting->timeout), waiting->expected);
}

static void put_expecting(void *user)
{
    struct waiting *waiting = user;
    CHECK_EQUAL(put_number(waiting->queue, 5, waiting->timeout), waiting->expected);
}

static void *get_in_thread(void *user)
{
    get_expecting(user);
    return NULL;
}

static void *put_in_thread(void *user)
{
    put_expecting(user);
    return NULL;
}

TEST_OF_PROCESSES(close_wakes_all_consumers)
{
    struct waiting waiting = {.queue = new_queue(NULL), .timeout = KIN_FOREVER, .expected = -EPIPE};
    pthread_t threads[3];
    pid_t child = child_start(get_expecting, &waiting);
    for (int i = 0; i < 3; i++) {
        threads[i] = thread_start(get_in_thread, &waiting);
    }
    await_sleepers(child, 1);
    await_sleepers(getpid(), 3);
    CHECK_EQUAL(kin_queue_close(waiting.queue), 0);
    for (int i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    child_join(child);
    kin_queue_free(waiting.queue);
}

TEST_OF_PROCESSES(close_wakes_all_producers)
{
    struct waiting waiting = {
        .queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 1)),
        .timeout = KIN_FOREVER,
        .expected = -EPIPE};
    pthread_t threads[3];
    CHECK_EQUAL(put_number(waiting.queue, 1, KIN_NOW), 0);
    pid_t child = child_start(put_expecting, &waiting);
    for (int i = 0; i < 3; i++) {
        threads[i] = thread_start(put_in_thread, &waiting);
    }
    await_sleepers(child, 1);
    await_sleepers(getpid(), 3);
    CHECK_EQUAL(kin_queue_close(waiting.queue), 0);
    for (int i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    child_join(child);
    CHECK_EQUAL(get_number(waiting.queue, KIN_NOW), 1);
    CHECK_EQUAL(get_number(waiting.queue, KIN_NOW), -EPIPE);
    kin_queue_free(waiting.queue);
}

TEST(a_queue_that_others_closed_is_closed)
{
    kin_queue *queue = new_queue(NULL);
    kin_queue *other = NULL;
    REQUIRE(kin_queue_attach(kin_queue_handle(queue), &other) == 0);
    CHECK_EQUAL(kin_queue_close(other), 0);
    kin_queue_free(other);
    CHECK(kin_queue_is_closed(queue));
    kin_queue_free(queue);
}

/* --- tokens --- */

TEST_OF_PROCESSES(a_fired_token_ends_a_get)
{
    struct waiting waiting = {.queue = new_queue(NULL), .expected = -ECANCELED};
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    waiting.timeout = kin_by(INT64_MAX, cancel);
    pid_t child = child_start(get_expecting, &waiting);
    pthread_t thread = thread_start(get_in_thread, &waiting);
    await_sleepers(child, 1);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    child_join(child);
    thread_join(thread);
    get_expecting(&waiting);
    CHECK_EQUAL(put_number(waiting.queue, 9, KIN_NOW), 0);
    CHECK_EQUAL(get_number(waiting.queue, waiting.timeout), 9); /* no wait: nothing to end */
    kin_cancel_free(cancel);
    kin_queue_free(waiting.queue);
}

TEST_OF_PROCESSES(a_fired_token_ends_a_put)
{
    struct waiting waiting = {
        .queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 1)),
        .expected = -ECANCELED};
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    waiting.timeout = kin_by(INT64_MAX, cancel);
    CHECK_EQUAL(put_number(waiting.queue, 1, KIN_NOW), 0);
    pid_t child = child_start(put_expecting, &waiting);
    pthread_t thread = thread_start(put_in_thread, &waiting);
    await_sleepers(child, 1);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    child_join(child);
    thread_join(thread);
    put_expecting(&waiting);
    CHECK_EQUAL(kin_queue_item_count(waiting.queue), 1);
    kin_cancel_free(cancel);
    kin_queue_free(waiting.queue);
}

TEST_OF_PROCESSES(waits_with_a_token_end_when_there_is_a_message_or_space)
{
    struct waiting waiting = {
        .queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 1)), .expected = 5};
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    waiting.timeout = kin_by(INT64_MAX, cancel);
    pid_t child = child_start(get_expecting, &waiting);
    await_sleepers(child, 1);
    CHECK_EQUAL(put_number(waiting.queue, 5, KIN_NOW), 0);
    child_join(child);
    waiting.expected = 0;
    CHECK_EQUAL(put_number(waiting.queue, 1, KIN_NOW), 0);
    child = child_start(put_expecting, &waiting);
    await_sleepers(child, 1);
    CHECK_EQUAL(get_number(waiting.queue, KIN_NOW), 1);
    child_join(child);
    CHECK_EQUAL(get_number(waiting.queue, KIN_NOW), 5);
    kin_cancel_free(cancel);
    kin_queue_free(waiting.queue);
}
