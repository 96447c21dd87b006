#include "connections.h"

TEST(a_two_way_pipe_carries_messages_both_ways)
{
    begin_pipe(true);
    CHECK(kin_connection_is_readable(left) && kin_connection_is_writable(left));
    CHECK(kin_connection_is_readable(right) && kin_connection_is_writable(right));
    send_text(left, "to the right");
    send_text(right, "to the left");
    check_text(right, "to the right");
    check_text(left, "to the left");
    end_pipe();
}

TEST(a_one_way_pipe_has_a_reader_and_a_writer)
{
    char text[8];
    size_t size = 0;
    begin_pipe(false);
    CHECK(kin_connection_is_readable(left) && !kin_connection_is_writable(left));
    CHECK(!kin_connection_is_readable(right) && kin_connection_is_writable(right));
    send_text(right, "abc");
    check_text(left, "abc");
    CHECK_EQUAL(kin_connection_send_bytes(left, "x", 1, KIN_NOW), -EBADF);
    CHECK_EQUAL(kin_connection_receive_into(right, text, sizeof text, KIN_NOW, &size), -EBADF);
    CHECK_EQUAL(kin_connection_next_size(right, KIN_NOW, &size), -EBADF);
    CHECK_EQUAL(kin_connection_poll(right, KIN_NOW), -EBADF);
    end_pipe();
}

TEST(messages_of_all_sizes_arrive_in_order)
{
    static const size_t sizes[] = {0,     1,     3,     4,     5,      255,    4092,  4096,
                                   16339, 16340, 16341, 16384, 16385,  20000,  32700, 32768,
                                   65536, 0,     7,     70000, 200000, 300000, 12,    13,
                                   2043,  2044,  2045,  2048,  131072, 131073, 131072};
    for (int way = 0; way < 2; way++) {
        begin_pipe(way == 0);
        pthread_t sender = thread_start(send_patterns, &(struct pattern){sizes, COUNT_OF(sizes)});
        receive_patterns(left, sizes, COUNT_OF(sizes));
        thread_join(sender);
        end_pipe();
    }
}

TEST(what_is_sent_before_the_other_end_closes_is_received_and_then_the_end)
{
    for (int way = 0; way < 2; way++) {
        size_t size = 9;
        char text[8];
        begin_pipe(way == 0);
        send_text(right, "one");
        send_text(right, "two");
        right = kin_connection_free(right);
        CHECK_EQUAL(kin_connection_poll(left, KIN_NOW), 0);
        check_text(left, "one");
        check_text(left, "two");
        CHECK_EQUAL(kin_connection_poll(left, KIN_NOW), 0);
        CHECK_EQUAL(kin_connection_receive_into(left, text, sizeof text, KIN_FOREVER, &size),
                    -EPIPE);
        CHECK_EQUAL(kin_connection_receive_into(left, text, sizeof text, KIN_NOW, &size), -EPIPE);
        CHECK_EQUAL(size, 9);
        end_pipe();
    }
}

TEST(sending_to_an_end_that_is_closed_is_refused_without_a_signal)
{
    for (int way = 0; way < 2; way++) {
        begin_pipe(way == 0);
        left = kin_connection_free(left);
        CHECK_EQUAL(kin_connection_send_bytes(right, "abc", 3, KIN_FOREVER), -EPIPE);
        CHECK_EQUAL(kin_connection_send_bytes(right, "abc", 3, KIN_NOW), -EPIPE);
        end_pipe();
    }
}

TEST(an_end_that_left_messages_unread_is_an_end_of_file)
{
    char text[8];
    size_t size = 0;
    begin_pipe(true);
    send_text(left, "nobody reads this");
    right = kin_connection_free(right);
    CHECK_EQUAL(kin_connection_receive_into(left, text, sizeof text, KIN_FOREVER, &size), -EPIPE);
    CHECK_EQUAL(kin_connection_receive_into(left, text, sizeof text, KIN_FOREVER, &size), -EPIPE);
    end_pipe();
}

TEST(a_closed_end_refuses_every_call)
{
    char text[8];
    size_t size = 0;
    begin_pipe(true);
    CHECK(kin_connection_fd(left) > 2);
    CHECK_EQUAL(kin_connection_close(left), 0);
    CHECK_EQUAL(kin_connection_close(left), 0);
    CHECK_EQUAL(kin_connection_send_bytes(left, "x", 1, KIN_NOW), -ESTALE);
    CHECK_EQUAL(kin_connection_receive_into(left, text, sizeof text, KIN_NOW, &size), -ESTALE);
    CHECK_EQUAL(kin_connection_poll(left, KIN_NOW), -ESTALE);
    CHECK_EQUAL(kin_connection_fd(left), -ESTALE);
    CHECK(!kin_connection_is_readable(left) && !kin_connection_is_writable(left));
    CHECK_EQUAL(kin_connection_receive_into(right, text, sizeof text, KIN_FOREVER, &size), -EPIPE);
    end_pipe();
}

TEST(wrong_arguments_are_refused)
{
    char text[8];
    size_t size = 0;
    kin_connection *connection = NULL;
    const kin_connection_options odd = {.size = 1};
    kin_connection_free(NULL);
    begin_pipe(true);
    CHECK_EQUAL(kin_pipe_create(true, NULL, &connection), -EINVAL);
    CHECK_EQUAL(kin_pipe_create(true, &connection, NULL), -EINVAL);
    CHECK_EQUAL(kin_connection_send_bytes(NULL, "x", 1, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_connection_send_bytes(left, NULL, 1, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_connection_send_bytes(left, "x", SIZE_MAX, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_connection_send_bytes(left, "x", 1, (kin_timeout){0}), -EINVAL);
    CHECK_EQUAL(kin_connection_receive_into(left, NULL, 1, KIN_NOW, &size), -EINVAL);
    CHECK_EQUAL(kin_connection_receive_into(left, text, 1, KIN_NOW, NULL), -EINVAL);
    CHECK_EQUAL(kin_connection_receive_into(NULL, text, 1, KIN_NOW, &size), -EINVAL);
    CHECK_EQUAL(kin_connection_receive_fds(left, text, 1, KIN_NOW, &size, NULL), -EINVAL);
    CHECK_EQUAL(kin_connection_next_size(left, KIN_NOW, NULL), -EINVAL);
    CHECK_EQUAL(kin_connection_poll(NULL, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_connection_close(NULL), -EINVAL);
    CHECK_EQUAL(kin_connection_fd(NULL), -EINVAL);
    CHECK(!kin_connection_is_readable(NULL) && !kin_connection_is_writable(NULL));
    CHECK_EQUAL(kin_connection_adopt_fd(0, NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_connection_adopt_fd(0, &odd, &connection), -EINVAL);
    CHECK_EQUAL(kin_connection_adopt_fd(-1, NULL, &connection), -EBADF);
    CHECK_EQUAL(kin_connection_attach(kin_connection_handle(left), 0, NULL), -EINVAL);
    CHECK_EQUAL(kin_connection_attach(kin_connection_handle(left), 0, &connection), -EINVAL);
    CHECK(connection == NULL);
    end_pipe();
}

TEST(calls_without_a_family_are_refused)
{
    kin_connection *first = NULL;
    kin_connection *second = NULL;
    CHECK_EQUAL(kin_pipe_create(true, &first, &second), KIN_EFAMILY);
    CHECK_EQUAL(kin_connection_adopt_fd(0, NULL, &first), KIN_EFAMILY);
}
