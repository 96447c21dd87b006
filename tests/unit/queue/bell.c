/* The fd of a queue for poll. */
#include "family/keeper.h"
#include "unit/queue/queues.h"

#include <poll.h>

static int bell_of(kin_queue *queue)
{
    int fd = -1;
    REQUIRE(kin_queue_event_fd(queue, &fd) == 0);
    return fd;
}

/* Whether the fd is readable, at once or some time. */
static bool is_readable(int fd, int limit_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return poll(&poll_fd, 1, limit_ms) == 1;
}

TEST(the_fd_is_readable_while_there_is_something_to_get)
{
    kin_queue *queue = new_queue(NULL);
    int fd = bell_of(queue);
    CHECK_EQUAL(bell_of(queue), fd);
    CHECK(!is_readable(fd, 0));
    for (uint64_t round = 0; round < 50; round++) {
        CHECK_EQUAL(put_number(queue, round, KIN_NOW), 0);
        CHECK_EQUAL(put_number(queue, round, KIN_NOW), 0);
        CHECK(is_readable(fd, -1));
        CHECK_EQUAL(get_number(queue, KIN_NOW), round);
        CHECK(is_readable(fd, 0));
        CHECK_EQUAL(get_number(queue, KIN_NOW), round);
        CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
        CHECK(!is_readable(fd, 0));
    }
    kin_queue_free(queue);
}

TEST(an_fd_made_late_is_readable_for_what_is_there)
{
    kin_queue *queue = new_queue(NULL);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    CHECK(is_readable(bell_of(queue), -1));
    kin_queue_free(queue);
}

TEST(each_way_of_finding_nothing_arms_the_bell)
{
    kin_queue *queue = new_queue(NULL);
    int fd = bell_of(queue);
    kin_claim claim;
    kin_message message;
    for (int way = 0; way < 3; way++) {
        CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
        CHECK(is_readable(fd, -1));
        CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
        CHECK_EQUAL(way == 0   ? kin_queue_claim(queue, KIN_NOW, &claim)
                    : way == 1 ? kin_queue_get_many_bytes(queue, 1, KIN_NOW, &message)
                               : kin_queue_get_bytes(queue, kin_within_ms(1), &message),
                    way == 2 ? -ETIMEDOUT : -EAGAIN);
        CHECK(!is_readable(fd, 0));
    }
    kin_queue_free(queue);
}

TEST(the_end_of_a_queue_rings_for_good)
{
    kin_queue *queue = new_queue(NULL);
    int fd = bell_of(queue);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    CHECK(is_readable(fd, -1));
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EPIPE);
    CHECK(is_readable(fd, 0));
    kin_queue_free(queue);
}

TEST(a_closed_queue_does_not_ring_while_what_is_left_is_in_others_hands)
{
    kin_queue *queue = new_queue(NULL);
    kin_claim claim;
    kin_reservation reservation;
    int fd = bell_of(queue);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    REQUIRE(kin_queue_claim(queue, KIN_NOW, &claim) == 0);
    REQUIRE(kin_queue_reserve(queue, 8, KIN_NOW, &reservation) == 0);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK(!is_readable(fd, 2));
    CHECK_EQUAL(kin_queue_acknowledge(queue, &claim), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK(!is_readable(fd, 2));
    CHECK_EQUAL(kin_queue_abandon(queue, &reservation), 0);
    CHECK(is_readable(fd, -1));
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EPIPE);
    CHECK_EQUAL(kin_queue_claim(queue, KIN_NOW, &claim), -EPIPE);
    CHECK(is_readable(fd, 0));
    kin_queue_free(queue);
}

TEST(a_reservation_rings_when_it_is_committed)
{
    kin_queue *queue = new_queue(NULL);
    kin_reservation reservation;
    int fd = bell_of(queue);
    REQUIRE(kin_queue_reserve(queue, 8, KIN_NOW, &reservation) == 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK(!is_readable(fd, 2));
    CHECK_EQUAL(kin_queue_commit(queue, &reservation), 0);
    CHECK(is_readable(fd, -1));
    kin_queue_free(queue);
}

TEST(a_refused_message_rings)
{
    kin_queue *queue = new_queue(NULL);
    kin_claim claim;
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    REQUIRE(kin_queue_claim(queue, KIN_NOW, &claim) == 0);
    int fd = bell_of(queue);
    CHECK(!is_readable(fd, 2));
    CHECK_EQUAL(kin_queue_refuse(queue, &claim), 0);
    CHECK(is_readable(fd, -1));
    kin_queue_free(queue);
}

static void put_one(void *user)
{
    CHECK_EQUAL(put_number(user, 1, KIN_NOW), 0);
}

TEST_OF_PROCESSES(another_process_rings)
{
    kin_queue *queue = new_queue(NULL);
    int fd = bell_of(queue);
    child_join(child_start(put_one, queue));
    CHECK(is_readable(fd, -1));
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    kin_queue_free(queue);
}

static void poll_for_one(void *user)
{
    int fd = bell_of(user); /* its own: the parent's is rung by the parent */
    atomic_store(&numbers[0], 1);
    CHECK(is_readable(fd, -1));
    CHECK_EQUAL(get_number(user, KIN_NOW), 1);
    kin_queue_free(user);
}

TEST_OF_PROCESSES(a_child_has_a_bell_of_its_own)
{
    kin_queue *queue = new_queue(NULL);
    bell_of(queue);
    pid_t child = child_start(poll_for_one, queue);
    await_number(0, 1);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    child_join(child);
    kin_queue_free(queue);
}

static void commit_and_be_killed(void *user)
{
    /* What a put has done when it is killed before it wakes anybody. */
    struct slot *slot = reserve_by_hand(user, 8, 0);
    uint64_t ticket = atomic_load(&slot->state) & 0xfffffff;
    atomic_exchange(&slot->state, kin__slot_word(ticket, SLOT_READY, 0));
    stay_in(user);
}

TEST_OF_PROCESSES(a_producer_killed_before_it_rang_is_heard)
{
    kin_queue *queue = new_queue(NULL);
    int fd = bell_of(queue);
    pid_t producer = start_staying(commit_and_be_killed, queue);
    child_kill(producer);
    CHECK(is_readable(fd, -1));
    kin_queue_free(queue);
}

/* How often this process's keeper was woken. */
static uint64_t keeper_looks(void)
{
    char path[64];
    char line[128];
    unsigned long count = 0;
    uint32_t keeper = atomic_load(&kin__family.member->life) & KIN__OS_FUTEX_TID;
    snprintf(path, sizeof path, "/proc/self/task/%u/status", keeper);
    FILE *status = fopen(path, "re");
    REQUIRE(status != NULL);
    while (fgets(line, sizeof line, status) != NULL) {
        sscanf(line, "voluntary_ctxt_switches: %lu", &count);
    }
    fclose(status);
    return count;
}

TEST(a_bell_that_is_armed_wakes_nobody_while_nothing_comes)
{
    enum { TRIES_MAX = 5 };
    kin_queue *queue = new_queue(NULL);
    int fd = bell_of(queue);
    for (uint64_t round = 0; round < 2; round++) { /* at first, and armed again */
        uint64_t before = 0;
        int tries = 0;
        do { /* until it sleeps, and has nothing to do */
            before = keeper_looks();
            CHECK(!is_readable(fd, 1200)); /* one look a second would show */
        } while (before != keeper_looks() && ++tries < TRIES_MAX);
        CHECK_EQUAL(keeper_looks(), before);
        CHECK_EQUAL(put_number(queue, round, KIN_NOW), 0);
        CHECK(is_readable(fd, -1));
        CHECK_EQUAL(get_number(queue, KIN_NOW), round);
        CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    }
    kin_queue_free(queue);
}

TEST(a_bell_of_nothing_is_refused)
{
    kin_queue *queue = new_queue(NULL);
    int fd = -7;
    CHECK_EQUAL(kin_queue_event_fd(NULL, &fd), -EINVAL);
    CHECK_EQUAL(kin_queue_event_fd(queue, NULL), -EINVAL);
    CHECK_EQUAL(fd, -7);
    kin_queue_free(queue);
}
