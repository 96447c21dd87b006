/* Queues of one process, and what a forked child has of claims, reservations and bells. */
#include "unit/queue/queues.h"

#include <kin/event.h>
#include <poll.h>

struct in_hand {
    kin_queue *queue;
    kin_claim claim;
    kin_reservation reservation;
    int fd;
};

static struct in_hand take_in_hand(void)
{
    struct in_hand in_hand = {.queue = new_queue(NULL)};
    for (uint64_t i = 0; i < 2; i++) {
        CHECK_EQUAL(put_pattern(in_hand.queue, i, 3000, KIN_NOW), 0);
    }
    REQUIRE(kin_queue_claim(in_hand.queue, KIN_NOW, &in_hand.claim) == 0);
    REQUIRE(kin_queue_reserve(in_hand.queue, 5000, KIN_NOW, &in_hand.reservation) == 0);
    REQUIRE(kin_queue_event_fd(in_hand.queue, &in_hand.fd) == 0);
    return in_hand;
}

static void end_what_is_the_parents(void *user)
{
    struct in_hand *in_hand = user;
    int fd = -1;
    CHECK_EQUAL(kin_queue_acknowledge(in_hand->queue, &in_hand->claim), -EPERM);
    CHECK_EQUAL(kin_queue_refuse(in_hand->queue, &in_hand->claim), -EPERM);
    CHECK_EQUAL(kin_queue_commit(in_hand->queue, &in_hand->reservation), -EPERM);
    CHECK_EQUAL(kin_queue_abandon(in_hand->queue, &in_hand->reservation), -EPERM);
    CHECK_EQUAL(kin_queue_event_fd(in_hand->queue, &fd), 0);
    CHECK_EQUAL(get_pattern(in_hand->queue, 1, KIN_NOW), 3000);
    kin_queue_free(in_hand->queue);
}

static void end_own(struct in_hand *in_hand)
{
    struct pollfd ready = {.fd = in_hand->fd, .events = POLLIN};
    CHECK_EQUAL(get_number(in_hand->queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(poll(&ready, 1, 0), 0);
    memset(in_hand->reservation.data, 0, in_hand->reservation.size);
    CHECK_EQUAL(kin_queue_commit(in_hand->queue, &in_hand->reservation), 0);
    CHECK_EQUAL(poll(&ready, 1, -1), 1);
    CHECK_EQUAL(kin_queue_acknowledge(in_hand->queue, &in_hand->claim), 0);
    CHECK_EQUAL(kin_queue_item_count(in_hand->queue), 1);
    CHECK_IS_WHOLE();
    kin_queue_free(in_hand->queue);
}

TEST_OF_PROCESSES(a_started_child_cannot_end_what_its_parent_has_in_hand)
{
    struct in_hand in_hand = take_in_hand();
    child_join(child_start(end_what_is_the_parents, &in_hand));
    end_own(&in_hand);
}

TEST_OF_PROCESSES(a_forked_child_cannot_end_what_its_parent_has_in_hand)
{
    struct in_hand in_hand = take_in_hand();
    pid_t pid = fork();
    if (pid == 0) {
        end_what_is_the_parents(&in_hand);
        kin_fini();
        _exit(0);
    }
    child_join(pid);
    end_own(&in_hand);
}

TEST_OF_PROCESSES(a_forked_child_that_does_nothing_leaves_all_as_it_was)
{
    struct in_hand in_hand = take_in_hand();
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    child_join(pid);
    CHECK_EQUAL(get_pattern(in_hand.queue, 1, KIN_NOW), 3000);
    end_own(&in_hand);
}

/* --- of one process --- */

static const kin_queue_options own = {
    .size = sizeof own, .is_joinable = true, .scope = KIN_SCOPE_PROCESS};

static void *work_in_a_thread(void *user)
{
    kin_claim claim;
    REQUIRE(kin_queue_claim(user, KIN_FOREVER, &claim) == 0);
    CHECK_EQUAL(kin_queue_refuse(user, &claim), 0);
    CHECK_EQUAL(get_number(user, KIN_FOREVER), 1);
    CHECK_EQUAL(kin_queue_task_done(user), 0);
    return NULL;
}

TEST(a_queue_of_one_process_serves_its_threads)
{
    kin_queue *queue = new_queue(&own);
    kin_queue *again = NULL;
    CHECK_EQUAL(kin_queue_attach(kin_queue_handle(queue), &again), 0);
    pthread_t thread = thread_start(work_in_a_thread, queue);
    CHECK_EQUAL(put_number(again, 1, KIN_NOW), 0);
    CHECK_EQUAL(kin_queue_join(again, KIN_FOREVER), 0);
    thread_join(thread);
    CHECK_IS_WHOLE();
    kin_queue_free(again);
    kin_queue_free(queue);
}

static void use_the_parents_own(void *user)
{
    kin_queue *queue = user;
    kin_queue *again = NULL;
    kin_claim claim = {0};
    kin_reservation reservation = {0};
    kin_bytes bytes = {"x", 1};
    kin_message message;
    int fd = -1;
    CHECK_EQUAL(kin_queue_attach(kin_queue_handle(queue), &again), -EACCES);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), -ESTALE);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -ESTALE);
    CHECK_EQUAL(kin_queue_put_many_bytes(queue, &bytes, 1, KIN_NOW), -ESTALE);
    CHECK_EQUAL(kin_queue_get_many_bytes(queue, 1, KIN_NOW, &message), -ESTALE);
    CHECK_EQUAL(kin_queue_put_with_handles(queue, bytes, NULL, 0, KIN_NOW), -ESTALE);
    CHECK_EQUAL(kin_queue_reserve(queue, 1, KIN_NOW, &reservation), -ESTALE);
    CHECK_EQUAL(kin_queue_commit(queue, &reservation), -ESTALE);
    CHECK_EQUAL(kin_queue_claim(queue, KIN_NOW, &claim), -ESTALE);
    CHECK_EQUAL(kin_queue_claim_dead_letter(queue, &claim), -ESTALE);
    CHECK_EQUAL(kin_queue_acknowledge(queue, &claim), -ESTALE);
    CHECK_EQUAL(kin_queue_task_done(queue), -ESTALE);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), -ESTALE);
    CHECK_EQUAL(kin_queue_event_fd(queue, &fd), -ESTALE);
    CHECK_EQUAL(kin_queue_close(queue), -ESTALE);
    CHECK_EQUAL(kin_queue_shutdown(queue), -ESTALE);
    kin_queue_free(queue);
}

TEST_OF_PROCESSES(a_queue_of_one_process_is_stale_in_its_children)
{
    kin_queue *queue = new_queue(&own);
    int fd = -1;
    CHECK_EQUAL(kin_queue_event_fd(queue, &fd), 0);
    child_join(child_start(use_the_parents_own, queue));
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}
