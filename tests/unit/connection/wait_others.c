/* kin_wait_many beside others: threads that wait for the same, who are faster, cancel, or die. */
#include "family/sleep.h"
#include "queue/layout.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/reservation.h>
#include <kin/wait.h>

static int wait_for_queue(kin_queue *queue, kin_timeout timeout)
{
    kin_wait_item item = kin_wait_for_queue(queue);
    return kin_wait_many(&item, 1, timeout);
}

static int wait_for_event(kin_event *event, kin_timeout timeout)
{
    kin_wait_item item = kin_wait_for_event(event);
    return kin_wait_many(&item, 1, timeout);
}

static kin_queue *new_queue(void)
{
    kin_queue *queue = NULL;
    begin();
    REQUIRE(kin_queue_create(NULL, &queue) == 0);
    return queue;
}

static kin_event *new_event(void)
{
    kin_event *event = NULL;
    begin();
    REQUIRE(kin_event_create(NULL, &event) == 0);
    return event;
}

/* Until the keeper looks at so many errands: those who wait are about to sleep. */
static void await_errands(uint32_t least)
{
    uint32_t count = 0;
    while (count < least) {
        pause_a_moment();
        mtx_lock(&kin__family.errand_lock);
        count = 0;
        KIN_LIST_EACH (&kin__family.errands, node) {
            count++;
        }
        mtx_unlock(&kin__family.errand_lock);
    }
}

/* --- threads --- */

static void *wait_for_the_event(void *user)
{
    CHECK_EQUAL(wait_for_event(user, KIN_FOREVER), 1);
    return NULL;
}

TEST(an_event_that_is_cleared_at_once_wakes_all_who_were_waiting)
{
    pthread_t threads[3];
    kin_event *event = new_event();
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 3; i++) {
            threads[i] = thread_start(wait_for_the_event, event);
        }
        await_errands(3);
        CHECK_EQUAL(kin_event_set(event), 0);
        CHECK_EQUAL(kin_event_clear(event), 0);
        for (int i = 0; i < 3; i++) {
            thread_join(threads[i]);
        }
        CHECK_EQUAL(wait_for_event(event, KIN_NOW), -EAGAIN); /* it came before this began */
    }
    kin_event_free(event);
}

static void *take_from_queue(void *user)
{
    kin_message message;
    while (wait_for_queue(user, KIN_FOREVER) == 1) {
        int r = kin_queue_get_bytes(user, KIN_NOW, &message);
        if (r == -EPIPE) {
            break;
        }
        CHECK(r == 0 || r == -EAGAIN); /* the other one was faster */
        if (r == 0) {
            atomic_fetch_add(&numbers[0], 1);
            kin_message_free(&message);
        }
    }
    return NULL;
}

TEST(threads_that_take_from_each_other_get_every_message)
{
    enum { COUNT = 300 };
    pthread_t threads[2];
    kin_queue *queue = new_queue();
    for (int i = 0; i < 2; i++) {
        threads[i] = thread_start(take_from_queue, queue);
    }
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQUAL(kin_queue_put_bytes(queue, "x", 1, KIN_NOW), 0);
        if (i % 50 == 0) {
            await_number(0, (uint64_t)i + 1);
        }
    }
    CHECK_EQUAL(kin_queue_close(queue), 0);
    for (int i = 0; i < 2; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[0]), COUNT);
    kin_queue_free(queue);
}

struct canceled {
    kin_queue *queue;
    kin_cancel *cancel;
};

static void *wait_until_canceled(void *user)
{
    struct canceled *canceled = user;
    CHECK_EQUAL(wait_for_queue(canceled->queue, kin_by(INT64_MAX, canceled->cancel)), -ECANCELED);
    return NULL;
}

TEST(a_token_ends_the_wait)
{
    struct canceled canceled = {.queue = new_queue()};
    REQUIRE(kin_cancel_create(&canceled.cancel) == 0);
    pthread_t thread = thread_start(wait_until_canceled, &canceled);
    await_errands(2); /* the queue's and the token's */
    CHECK_EQUAL(kin_cancel_request(canceled.cancel), 0);
    thread_join(thread);
    CHECK_EQUAL(kin_queue_put_bytes(canceled.queue, "x", 1, KIN_NOW), 0);
    CHECK_EQUAL(wait_for_queue(canceled.queue, kin_by(INT64_MAX, canceled.cancel)), 1);
    kin_queue_free(canceled.queue);
    kin_cancel_free(canceled.cancel);
}

/* --- deaths --- */

static void *wait_for_the_queue(void *user)
{
    CHECK_EQUAL(wait_for_queue(user, KIN_FOREVER), 1);
    return NULL;
}

static void stay(void *user)
{
    (void)user;
    atomic_store(&numbers[1], 1);
    for (;;) {
        pause();
    }
}

static void commit_and_be_killed(void *user)
{
    kin_queue *queue = user;
    struct queue_shared *shared = queue->object.shared;
    kin_reservation reservation;
    /* A put that is killed before it wakes anybody: nobody is seen to sleep. */
    REQUIRE(kin_queue_reserve(queue, 1, KIN_NOW, &reservation) == 0);
    while (!(atomic_load(&shared->watch) & KIN__COUNT_SLEEPERS)) {
        pause_a_moment(); /* the keeper has the errand, and has not looked yet */
    }
    atomic_store(&shared->watch, 0);
    REQUIRE(kin_queue_commit(queue, &reservation) == 0);
    stay(NULL);
}

TEST_OF_PROCESSES(a_producer_killed_before_it_woke_anybody_is_heard)
{
    kin_queue *queue = new_queue();
    pthread_t thread = thread_start(wait_for_the_queue, queue);
    await_errands(1);
    pid_t producer = child_start(commit_and_be_killed, queue);
    await_number(1, 1);
    child_kill(producer);
    thread_join(thread);
    kin_queue_free(queue);
}

static void wait_and_be_killed(void *user)
{
    atomic_store(&numbers[1], 1);
    wait_for_queue(user, KIN_FOREVER);
    stay(NULL);
}

TEST_OF_PROCESSES(one_that_is_killed_while_it_waits_costs_nobody_anything)
{
    kin_queue *queue = new_queue();
    pid_t waiter = child_start(wait_and_be_killed, queue);
    await_number(1, 1);
    pthread_t thread = thread_start(wait_for_the_queue, queue);
    await_errands(1);
    child_kill(waiter);
    CHECK_EQUAL(kin_queue_put_bytes(queue, "x", 1, KIN_NOW), 0);
    thread_join(thread);
    kin_queue_free(queue);
}
