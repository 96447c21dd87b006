/* Waits that end before what was waited for has come. */
#include "connections.h"

#include <kin/cancel.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

static unsigned char large[1 << 20];

static int receive(kin_connection *connection, kin_timeout timeout)
{
    static unsigned char bytes[1 << 20];
    size_t size = 0;
    int r = kin_connection_receive_into(connection, bytes, sizeof bytes, timeout, &size);
    return r < 0 ? r : (int)size;
}

TEST(an_empty_pipe_is_waited_for_as_long_as_the_timeout_says)
{
    for (int way = 0; way < 2; way++) {
        size_t size = 0;
        begin_pipe(way == 0);
        CHECK_EQUAL(receive(left, KIN_NOW), -EAGAIN);
        CHECK_EQUAL(receive(left, kin_within_ms(2)), -ETIMEDOUT);
        CHECK_EQUAL(kin_connection_next_size(left, KIN_NOW, &size), -EAGAIN);
        CHECK_EQUAL(kin_connection_poll(left, KIN_NOW), -EAGAIN);
        CHECK_EQUAL(kin_connection_poll(left, kin_within_ms(2)), -ETIMEDOUT);
        send_text(right, "abc");
        CHECK_EQUAL(kin_connection_poll(left, kin_within_ms(2)), 0);
        CHECK_EQUAL(receive(left, KIN_NOW), 3);
        end_pipe();
    }
}

TEST(a_full_pipe_takes_nothing_and_loses_nothing)
{
    for (int way = 0; way < 2; way++) {
        int count = 0;
        int r = 0;
        begin_pipe(way == 0);
        while ((r = kin_connection_send_bytes(right, large, 1000, KIN_NOW)) == 0) {
            count++;
        }
        CHECK_EQUAL(r, -EAGAIN);
        CHECK(count > 10);
        CHECK_EQUAL(kin_connection_send_bytes(right, large, 1000, kin_within_ms(2)), -ETIMEDOUT);
        for (int i = 0; i < count; i++) {
            CHECK_EQUAL(receive(left, KIN_NOW), 1000);
        }
        CHECK_EQUAL(receive(left, KIN_NOW), -EAGAIN);
        CHECK_EQUAL(kin_connection_send_bytes(right, large, 1000, KIN_NOW), 0);
        CHECK_EQUAL(receive(left, KIN_NOW), 1000);
        end_pipe();
    }
}

TEST(a_large_message_that_is_not_read_in_time_breaks_sending_and_is_told_to_the_receiver)
{
    for (int way = 0; way < 2; way++) {
        begin_pipe(way == 0);
        send_text(right, "before");
        CHECK_EQUAL(kin_connection_send_bytes(right, large, sizeof large, kin_within_ms(2)),
                    KIN_EBROKEN);
        CHECK_EQUAL(kin_connection_send_bytes(right, "x", 1, KIN_FOREVER), KIN_EBROKEN);
        check_text(left, "before");
        CHECK_EQUAL(receive(left, KIN_FOREVER), -ECONNRESET);
        if (way == 0) { /* the other direction goes on */
            send_text(left, "abc");
            check_text(right, "abc");
        }
        end_pipe();
    }
}

TEST(a_token_whose_fd_cannot_be_made_breaks_no_message)
{
    for (int way = 0; way < 2; way++) {
        struct rlimit before;
        kin_cancel *cancel = NULL;
        begin_pipe(way == 0);
        REQUIRE(kin_cancel_create(&cancel) == 0);
        int free_fd = dup(0);
        REQUIRE(free_fd >= 0 && close(free_fd) == 0);
        REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
        struct rlimit full = {.rlim_cur = (rlim_t)free_fd, .rlim_max = before.rlim_max};
        REQUIRE(setrlimit(RLIMIT_NOFILE, &full) == 0);
        int r = kin_connection_send_bytes(right, large, sizeof large, kin_by(INT64_MAX, cancel));
        REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
        CHECK_EQUAL(r, -EMFILE);
        send_text(right, "abc");
        check_text(left, "abc");
        kin_cancel_free(cancel);
        end_pipe();
    }
}

/* A large message that comes in three parts, with a receive that ends between them. */
static void receive_in_parts(bool is_exact)
{
    int fds[2];
    static unsigned char got[300000];
    size_t size = 0;
    unsigned char *expected = pattern_create(sizeof got, 3);
    REQUIRE(pipe(fds) == 0);
    REQUIRE(kin_connection_adopt_fd(
                fds[0], KIN_OPTIONS(kin_connection_options, .may_read_ahead = !is_exact), &left) ==
            0);
    CHECK_EQUAL(write(fds[1], "\0\4\x93\xe0", 4), 4);
    CHECK_EQUAL(kin_connection_receive_into(left, got, sizeof got, KIN_NOW, &size), -EAGAIN);
    for (size_t done = 0; done < sizeof got; done += 50000) {
        CHECK_EQUAL(write(fds[1], expected + done, 50000), 50000);
        int r = done + 50000 == sizeof got ? 0 : done % 100000 == 0 ? -ETIMEDOUT : -EAGAIN;
        memset(got, 0, sizeof got);
        CHECK_EQUAL(kin_connection_receive_into(left, got, sizeof got,
                                                r == -EAGAIN ? KIN_NOW : kin_within_ms(2), &size),
                    r);
    }
    CHECK_EQUAL(size, sizeof got);
    CHECK(memcmp(got, expected, sizeof got) == 0);
    CHECK_EQUAL(write(fds[1], "\0\0\0\1x", 5), 5);
    check_text(left, "x");
    close(fds[1]);
    free(expected);
    end_pipe();
}

TEST(what_came_of_a_large_message_is_kept_when_a_receive_ends)
{
    begin();
    receive_in_parts(false);
    receive_in_parts(true);
}

TEST(what_came_of_a_message_is_there_for_a_smaller_buffer_to_refuse)
{
    int fds[2];
    char text[8];
    size_t size = 0;
    begin();
    REQUIRE(pipe(fds) == 0);
    REQUIRE(kin_connection_adopt_fd(fds[0], NULL, &left) == 0);
    CHECK_EQUAL(write(fds[1], "\0\1\0\0", 4), 4);
    CHECK_EQUAL(write(fds[1], large, 30000), 30000);
    CHECK_EQUAL(receive(left, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_connection_poll(left, KIN_NOW), 0);
    CHECK_EQUAL(kin_connection_next_size(left, KIN_NOW, &size), 0);
    CHECK_EQUAL(size, 65536);
    CHECK_EQUAL(kin_connection_receive_into(left, text, sizeof text, KIN_NOW, &size), -EMSGSIZE);
    CHECK_EQUAL(write(fds[1], large, 35536), 35536);
    CHECK_EQUAL(receive(left, KIN_NOW), 65536);
    close(fds[1]);
    end_pipe();
}

static void *fire_later(void *user)
{
    while (state_in_kernel((uint32_t)getpid(), (uint32_t)getpid()) != 'S') {
        pause_a_moment();
    }
    CHECK_EQUAL(kin_cancel_request(user), 0);
    return NULL;
}

TEST(a_token_ends_a_receive_and_a_send)
{
    for (int way = 0; way < 2; way++) {
        kin_cancel *cancel = NULL;
        begin_pipe(way == 0);
        REQUIRE(kin_cancel_create(&cancel) == 0);
        kin_timeout timeout = kin_by(INT64_MAX, cancel);
        pthread_t thread = thread_start(fire_later, cancel);
        CHECK_EQUAL(receive(left, timeout), -ECANCELED);
        thread_join(thread);
        CHECK_EQUAL(receive(left, timeout), -ECANCELED);
        CHECK_EQUAL(kin_connection_poll(left, timeout), -ECANCELED);
        send_text(right, "what is there wins");
        CHECK_EQUAL(kin_connection_poll(left, timeout), 0);
        CHECK_EQUAL(receive(left, timeout), 18);
        while (kin_connection_send_bytes(right, large, 1000, timeout) == 0) {
        }
        CHECK_EQUAL(kin_connection_send_bytes(right, large, 1000, timeout), -ECANCELED);
        kin_cancel_free(cancel);
        end_pipe();
    }
}

static void *receive_one(void *user)
{
    CHECK_EQUAL(receive(user, KIN_FOREVER), 3);
    return NULL;
}

TEST(who_finds_another_receiving_waits_no_longer_than_it_may)
{
    begin_pipe(true);
    pthread_t thread = thread_start(receive_one, left);
    while (sleeper_count(getpid()) == 0 && receive(left, kin_within_ms(2)) == -ETIMEDOUT &&
           kin_connection_poll(left, KIN_NOW) == -EAGAIN && receive(left, KIN_NOW) == -EAGAIN) {
        struct pollfd fd = {.fd = kin_connection_fd(left), .events = POLLIN};
        if (poll(&fd, 1, 2) == 0) {
            break;
        }
    }
    send_text(right, "abc");
    thread_join(thread);
    end_pipe();
}
