/* kin_wait_many on connections: what is in the kernel, what was read ahead, what is half there. */
#include "connections.h"

#include "connection/layout.h"
#include "os/socket.h"

#include <kin/wait.h>

/* 1: the end on the left is ready; or a code. */
static int wait_left(kin_timeout timeout)
{
    kin_wait_item item = kin_wait_for_connection(left);
    return kin_wait_many(&item, 1, timeout);
}

TEST(a_message_makes_a_connection_ready_until_it_is_received)
{
    for (int way = 0; way < 2; way++) {
        begin_pipe(way == 0);
        CHECK_EQUAL(wait_left(KIN_NOW), -EAGAIN);
        CHECK_EQUAL(wait_left(kin_within_ms(1)), -ETIMEDOUT);
        for (int round = 0; round < 3; round++) {
            send_text(right, "text");
            CHECK_EQUAL(wait_left(KIN_FOREVER), 1);
            check_text(left, "text");
            CHECK_EQUAL(wait_left(KIN_NOW), -EAGAIN);
        }
        end_pipe();
    }
}

TEST(messages_that_were_read_ahead_are_seen)
{
    begin_pipe(true);
    send_text(right, "one");
    send_text(right, "two");
    send_text(right, "three");
    check_text(left, "one");
    CHECK_EQUAL(wait_left(KIN_FOREVER), 1);
    check_text(left, "two");
    CHECK_EQUAL(wait_left(KIN_FOREVER), 1);
    check_text(left, "three");
    CHECK_EQUAL(wait_left(KIN_NOW), -EAGAIN);
    end_pipe();
}

/* The left end is made of this; the raw other end. */
static int begin_raw(bool may_read_ahead)
{
    int pair[2];
    if (!kin__family_is_open()) {
        begin();
    }
    REQUIRE(kin__os_socket_pair(pair) == 0);
    kin_connection_options options = {.size = sizeof options, .may_read_ahead = may_read_ahead};
    REQUIRE(kin_connection_adopt_fd(pair[0], &options, &left) == 0);
    return pair[1];
}

static void end_raw(int fd)
{
    close(fd);
    left = kin_connection_free(left);
}

TEST(half_a_message_is_not_asked_for_again_and_again)
{
    for (int way = 0; way < 2; way++) {
        char text[8];
        size_t size = 0;
        int fd = begin_raw(way == 0);
        REQUIRE(write(fd, "\0\0\0\4ab", 6) == 6);
        CHECK_EQUAL(wait_left(KIN_FOREVER), 1);
        CHECK_EQUAL(kin_connection_receive_into(left, text, sizeof text, KIN_NOW, &size), -EAGAIN);
        CHECK_EQUAL(wait_left(kin_within_ms(2)), -ETIMEDOUT);
        REQUIRE(write(fd, "cd\0\0", 4) == 4);
        CHECK_EQUAL(wait_left(KIN_FOREVER), 1);
        CHECK_EQUAL(kin_connection_receive_into(left, text, sizeof text, KIN_NOW, &size), 0);
        CHECK_EQUAL(size, 4);
        CHECK_EQUAL(kin_connection_receive_into(left, text, sizeof text, KIN_NOW, &size), -EAGAIN);
        CHECK_EQUAL(wait_left(kin_within_ms(2)), -ETIMEDOUT);
        REQUIRE(write(fd, "\0\0", 2) == 2);
        CHECK_EQUAL(wait_left(KIN_FOREVER), 1);
        CHECK_EQUAL(kin_connection_receive_into(left, text, sizeof text, KIN_NOW, &size), 0);
        CHECK_EQUAL(size, 0);
        end_raw(fd);
    }
}

TEST(a_message_too_large_for_the_buffer_ends_the_wait_with_each_part)
{
    enum { BYTES = 40000 };
    static unsigned char bytes[BYTES + 4] = {0, 0, BYTES >> 8, BYTES & 255};
    static unsigned char place[BYTES];
    size_t size = 0;
    int fd = begin_raw(true);
    REQUIRE(write(fd, bytes, 30000) == 30000);
    CHECK_EQUAL(wait_left(KIN_FOREVER), 1);
    CHECK_EQUAL(kin_connection_receive_into(left, place, sizeof place, KIN_NOW, &size), -EAGAIN);
    CHECK_EQUAL(wait_left(kin_within_ms(2)), -ETIMEDOUT);
    REQUIRE(write(fd, bytes + 30000, sizeof bytes - 30000) == sizeof bytes - 30000);
    CHECK_EQUAL(wait_left(KIN_FOREVER), 1);
    CHECK_EQUAL(kin_connection_receive_into(left, place, sizeof place, KIN_NOW, &size), 0);
    CHECK_EQUAL(size, BYTES);
    end_raw(fd);
}

TEST(garbage_and_the_end_are_ready_for_good)
{
    char text[8];
    size_t size = 0;
    int fd = begin_raw(true);
    REQUIRE(write(fd, "\x80zzz", 4) == 4);
    CHECK_EQUAL(wait_left(KIN_FOREVER), 1);
    CHECK_EQUAL(kin_connection_receive_into(left, text, sizeof text, KIN_NOW, &size), -EBADMSG);
    CHECK_EQUAL(wait_left(KIN_FOREVER), 1);
    CHECK_EQUAL(kin_connection_receive_into(left, text, sizeof text, KIN_NOW, &size), KIN_EBROKEN);
    end_raw(fd);
    begin_pipe(true);
    right = kin_connection_free(right);
    CHECK_EQUAL(wait_left(KIN_FOREVER), 1);
    CHECK_EQUAL(kin_connection_receive_into(left, text, sizeof text, KIN_NOW, &size), -EPIPE);
    CHECK_EQUAL(wait_left(KIN_FOREVER), 1);
    end_pipe();
}

TEST(connections_that_cannot_be_waited_for_are_refused)
{
    begin_pipe(false);
    kin_wait_item item = kin_wait_for_connection(right); /* for sending only */
    CHECK_EQUAL(kin_wait_many(&item, 1, KIN_NOW), -EBADF);
    item = kin_wait_for_connection(NULL);
    CHECK_EQUAL(kin_wait_many(&item, 1, KIN_NOW), -EINVAL);
    kin_connection_close(left);
    CHECK_EQUAL(wait_left(KIN_NOW), -ESTALE);
    end_pipe();
}

TEST(of_many_connections_those_that_are_ready_are_told)
{
    enum { COUNT = 50 };
    kin_connection *readers[COUNT];
    kin_connection *writers[COUNT];
    kin_wait_item items[COUNT];
    begin();
    for (int i = 0; i < COUNT; i++) {
        REQUIRE(kin_pipe_create(i % 2 == 0, &readers[i], &writers[i]) == 0);
        items[i] = kin_wait_for_connection(readers[i]);
    }
    CHECK_EQUAL(kin_wait_many(items, COUNT, kin_within_ms(1)), -ETIMEDOUT);
    for (int i = 0; i < COUNT; i += 9) {
        CHECK_EQUAL(kin_connection_send_bytes(writers[i], "x", 1, KIN_NOW), 0);
    }
    CHECK_EQUAL(kin_wait_many(items, COUNT, KIN_FOREVER), 6);
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQUAL(items[i].is_ready, i % 9 == 0);
        kin_connection_free(readers[i]);
        kin_connection_free(writers[i]);
    }
}

/* --- others at the same end --- */

static void receive_one_and_stay(void *user)
{
    char text[8];
    size_t size = 0;
    (void)user;
    atomic_store(&numbers[0], 1);
    CHECK_EQUAL(kin_connection_receive_into(left, text, sizeof text, KIN_FOREVER, &size), 0);
    atomic_store(&numbers[1], 1);
    await_number(2, 1);
    left = kin_connection_free(left);
    right = kin_connection_free(right);
}

static void *wait_in_thread(void *user)
{
    (void)user;
    CHECK_EQUAL(wait_left(KIN_FOREVER), 1);
    return NULL;
}

TEST_OF_PROCESSES(what_another_process_read_ahead_and_left_ends_the_wait)
{
    for (int round = 0; round < 10; round++) {
        begin_pipe(true);
        pid_t other = child_start(receive_one_and_stay, NULL);
        await_number(0, 1);
        pthread_t thread = thread_start(wait_in_thread, NULL);
        send_text(right, "1"); /* for the other process, or both */
        await_number(1, 1);
        send_text(right, "2");
        thread_join(thread);
        atomic_store(&numbers[2], 1);
        child_join(other);
        end_pipe();
        test_teardown();
    }
    begin();
}

TEST_OF_PROCESSES(a_peer_that_is_killed_ends_the_wait)
{
    begin_pipe(true);
    pid_t peer = child_start(receive_one_and_stay, NULL);
    await_number(0, 1);
    right = kin_connection_free(right);
    kill(peer, SIGKILL);
    CHECK_EQUAL(wait_left(KIN_FOREVER), 1); /* nobody has the other end */
    REQUIRE(waitpid(peer, NULL, 0) == peer);
    end_pipe();
}

/* What a receive does, up to where the kernel has handed over the bytes. */
static void receive_and_be_killed(void *user)
{
    struct calling calling;
    (void)user;
    REQUIRE(kin__connection_enter(left, KIN_FOREVER, &calling) == 0);
    REQUIRE(kin__receiver_acquire(&calling) == 0);
    struct receiver *receiver = &calling.end->receiver;
    struct kin__os_room room = {kin__at(atomic_load(&receiver->buffer)), READ_AHEAD_BYTES};
    atomic_store(&receiver->reading_from, atomic_load(&receiver->tail));
    atomic_store(&receiver->reading_direct, 0);
    atomic_store(&receiver->origin, atomic_load(&receiver->tail));
    kin__os_receipt_clear(&receiver->receipt);
    atomic_store(&receiver->is_reading, 1);
    struct kin__os_intake intake = {.rooms = &room, .count = 1, .receipt = &receiver->receipt};
    REQUIRE(kin__os_socket_receive(kin_connection_fd(left), &intake) > 0);
    atomic_store(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

static struct receiver *receiver_of(const kin_connection *connection)
{
    struct connection_shared *shared = connection->object.shared;
    return &shared->ends[connection->side].receiver;
}

static void *wait_for_left(void *user)
{
    (void)user;
    CHECK_EQUAL(wait_left(KIN_FOREVER), 1);
    return NULL;
}

TEST_OF_PROCESSES(what_a_receiver_that_was_killed_had_read_is_seen)
{
    for (int way = 0; way < 4; way++) {
        bool is_asleep = way & 1;
        begin_pipe(true);
        send_text(right, "before"); /* there is a buffer */
        check_text(left, "before");
        atomic_store(&receiver_of(left)->is_exact, (uint32_t)way >> 1);
        atomic_store(&numbers[0], 0);
        send_text(right, "whole");
        pid_t child = child_start(receive_and_be_killed, NULL);
        await_number(0, 1);
        pthread_t thread;
        if (is_asleep) {
            thread = thread_start(wait_for_left, NULL);
        }
        child_kill(child);
        if (!is_asleep) {
            thread = thread_start(wait_for_left, NULL);
        }
        thread_join(thread);
        check_text(left, "whole");
        CHECK_EQUAL(wait_left(KIN_NOW), -EAGAIN);
        end_pipe();
    }
}
