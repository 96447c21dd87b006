/* A death is noticed by those who sleep in a claim, in a put or in poll, for what the dead had. */
#include "unit/queue/queues.h"

#include <poll.h>

static void claim_and_stay(void *user)
{
    kin_claim claim;
    REQUIRE(kin_queue_claim(user, KIN_NOW, &claim) == 0);
    stay_in(user);
}

static void reserve_and_stay(void *user)
{
    kin_reservation reservation;
    REQUIRE(kin_queue_reserve(user, 5000, KIN_NOW, &reservation) == 0);
    stay_in(user);
}

static void *claim_one(void *user)
{
    kin_claim claim;
    REQUIRE(kin_queue_claim(user, KIN_FOREVER, &claim) == 0);
    CHECK_EQUAL(claim.delivery, 2);
    CHECK_EQUAL(kin_queue_acknowledge(user, &claim), 0);
    return NULL;
}

TEST_OF_PROCESSES(who_sleeps_in_a_claim_gets_what_the_dead_had_claimed)
{
    kin_queue *queue = new_queue(NULL);
    CHECK_EQUAL(put_pattern(queue, 1, 3000, KIN_NOW), 0);
    pid_t holder = start_staying(claim_and_stay, queue);
    pthread_t sleeper = thread_start(claim_one, queue);
    await_sleepers(getpid(), 1);
    child_kill(holder);
    thread_join(sleeper);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

static void *claim_nothing(void *user)
{
    kin_claim claim;
    CHECK_EQUAL(kin_queue_claim(user, KIN_FOREVER, &claim), -EPIPE);
    return NULL;
}

TEST_OF_PROCESSES(who_sleeps_at_a_closed_queue_hears_that_the_last_producer_died)
{
    kin_queue *queue = new_queue(NULL);
    pid_t writer = start_staying(reserve_and_stay, queue);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    pthread_t sleeper = thread_start(claim_nothing, queue);
    await_sleepers(getpid(), 1);
    child_kill(writer);
    thread_join(sleeper);
    kin_queue_free(queue);
}

static void *reserve_one(void *user)
{
    kin_reservation reservation;
    CHECK_EQUAL(kin_queue_reserve(user, 8, KIN_FOREVER, &reservation), 0);
    CHECK_EQUAL(kin_queue_abandon(user, &reservation), 0);
    return NULL;
}

TEST_OF_PROCESSES(who_waits_for_space_gets_that_of_the_dead)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 1));
    pid_t writer = start_staying(reserve_and_stay, queue);
    pthread_t sleeper = thread_start(reserve_one, queue);
    await_sleepers(getpid(), 1);
    child_kill(writer);
    thread_join(sleeper);
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    kin_queue_free(queue);
}

TEST_OF_PROCESSES(who_polls_hears_of_what_the_dead_had)
{
    kin_queue *queue = new_queue(NULL);
    struct pollfd ready = {.events = POLLIN};
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    pid_t holder = start_staying(claim_and_stay, queue);
    REQUIRE(kin_queue_event_fd(queue, &ready.fd) == 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(poll(&ready, 1, 2), 0);
    child_kill(holder);
    CHECK_EQUAL(poll(&ready, 1, -1), 1);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    pid_t writer = start_staying(reserve_and_stay, queue);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(poll(&ready, 1, 2), 0);
    child_kill(writer);
    CHECK_EQUAL(poll(&ready, 1, -1), 1);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EPIPE);
    kin_queue_free(queue);
}
