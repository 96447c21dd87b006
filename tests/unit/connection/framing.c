/* Bytes on the wire, exactly; and what is no message. The other end is an fd without kin. */
#include "connections.h"

#include "os/socket.h"

#include <fcntl.h>
#include <sys/socket.h>

static int raw = -1;

/* `left` is a connection, `raw` the fd at its other end. */
static void begin_raw(const kin_connection_options *options)
{
    int fds[2];
    if (!kin__family_is_open()) {
        begin();
    }
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    raw = fds[1];
    REQUIRE(kin_connection_adopt_fd(fds[0], options, &left) == 0);
    CHECK_EQUAL(kin_connection_fd(left), fds[0]);
}

static void end_raw(void)
{
    end_pipe();
    if (raw >= 0) {
        close(raw);
    }
    raw = -1;
}

static void write_raw(const void *bytes, size_t size)
{
    CHECK_EQUAL(write(raw, bytes, size), size);
}

static void check_raw(const void *expected, size_t size)
{
    unsigned char bytes[64];
    REQUIRE(size <= sizeof bytes);
    CHECK_EQUAL(recv(raw, bytes, size, MSG_WAITALL), size);
    CHECK_BYTES(bytes, expected, size);
}

static int receive(kin_timeout timeout)
{
    unsigned char bytes[64];
    size_t size = 0;
    int r = kin_connection_receive_into(left, bytes, sizeof bytes, timeout, &size);
    return r < 0 ? r : (int)size;
}

TEST(a_message_has_its_size_in_front_in_four_bytes)
{
    static unsigned char large[70000];
    static const size_t sizes[] = {2040, 16384, 16385, 70000};
    begin_raw(NULL);
    CHECK_EQUAL(kin_connection_send_bytes(left, NULL, 0, KIN_FOREVER), 0);
    check_raw("\0\0\0\0", 4);
    CHECK_EQUAL(kin_connection_send_bytes(left, "x", 1, KIN_NOW), 0);
    check_raw("\0\0\0\1x", 5);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        size_t size = sizes[i];
        const unsigned char header[] = {0, (unsigned char)(size >> 16), (unsigned char)(size >> 8),
                                        (unsigned char)size};
        CHECK_EQUAL(kin_connection_send_bytes(left, large, size, KIN_FOREVER), 0);
        check_raw(header, sizeof header);
        CHECK_EQUAL(recv(raw, large, size, MSG_WAITALL), size);
    }
    CHECK_EQUAL(recv(raw, large, 1, MSG_DONTWAIT), -1);
    end_raw();
}

TEST(messages_are_understood_in_whatever_parts_they_come)
{
    static const char wire[] = "\0\0\0\3abc\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\2de\0\0\0\1f";
    for (int ahead = 0; ahead < 2; ahead++) {
        for (size_t first = 1; first < sizeof wire - 1; first++) {
            begin_raw(KIN_OPTIONS(kin_connection_options, .may_read_ahead = ahead));
            int sizes[4];
            size_t got = 0;
            write_raw(wire, first);
            while (got < 4 && (sizes[got] = receive(KIN_NOW)) != -EAGAIN) {
                got++;
            }
            CHECK(got < 4);
            write_raw(wire + first, sizeof wire - 1 - first);
            while (got < 4 && (sizes[got] = receive(KIN_NOW)) != -EAGAIN) {
                got++;
            }
            CHECK_EQUAL(got, 4);
            CHECK(sizes[0] == 3 && sizes[1] == 0 && sizes[2] == 2 && sizes[3] == 1);
            CHECK_EQUAL(receive(KIN_NOW), -EAGAIN);
            end_raw();
        }
    }
}

TEST(an_adopted_fd_is_read_not_a_byte_beyond_the_message)
{
    char text[8] = "";
    begin_raw(NULL);
    write_raw("\0\0\0\3abc\0\0\0\2de", 13);
    CHECK_EQUAL(receive(KIN_FOREVER), 3);
    CHECK_EQUAL(read(kin_connection_fd(left), text, sizeof text), 6);
    CHECK_BYTES(text, "\0\0\0\2de", 6);
    end_raw();
}

TEST(an_adopted_fd_can_be_read_ahead)
{
    char text[8];
    begin_raw(KIN_OPTIONS(kin_connection_options, .may_read_ahead = true));
    write_raw("\0\0\0\3abc\0\0\0\2de", 13);
    CHECK_EQUAL(receive(KIN_FOREVER), 3);
    CHECK_EQUAL(recv(kin_connection_fd(left), text, sizeof text, MSG_DONTWAIT), -1);
    CHECK_EQUAL(kin_connection_poll(left, KIN_NOW), 0);
    CHECK_EQUAL(receive(KIN_FOREVER), 2);
    CHECK_EQUAL(kin_connection_poll(left, KIN_NOW), -EAGAIN);
    end_raw();
}

TEST(the_end_of_the_file_inside_a_message_is_not_one_between_messages)
{
    static const char wire[] = "\0\0\0\3abc";
    static const char long_wire[] = "\xff\xff\xff\xff\0\0\0\0\0\0\0\3abc";
    for (size_t size = 0; size < sizeof wire; size++) {
        begin_raw(NULL);
        write_raw(wire, size);
        close(raw);
        raw = -1;
        CHECK_EQUAL(receive(KIN_FOREVER), size == 0 ? -EPIPE : size == 7 ? 3 : -ECONNRESET);
        CHECK_EQUAL(receive(KIN_NOW), size == 0 || size == 7 ? -EPIPE : -ECONNRESET);
        end_raw();
    }
    for (size_t size = 1; size < sizeof long_wire - 1; size++) {
        begin_raw(NULL);
        write_raw(long_wire, size);
        close(raw);
        raw = -1;
        CHECK_EQUAL(receive(KIN_FOREVER), -ECONNRESET);
        end_raw();
    }
}

TEST(the_end_of_the_file_inside_a_large_message_is_told_and_stays)
{
    static unsigned char body[100000];
    size_t size = 0;
    begin_raw(NULL);
    write_raw("\0\1\x86\xa0", 4);
    write_raw(body, 50000);
    close(raw);
    raw = -1;
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(kin_connection_receive_into(left, body, sizeof body, KIN_FOREVER, &size),
                    -ECONNRESET);
    }
    end_raw();
}

TEST(negative_lengths_are_no_messages_and_nothing_is_received_any_more)
{
    static const char *const wires[] = {"\xff\xff\xff\xfe", "\x80\0\0\0",
                                        "\xff\xff\xff\xff\x80\0\0\0\0\0\0\0",
                                        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"};
    static const size_t sizes[] = {4, 4, 12, 12};
    for (size_t i = 0; i < COUNT_OF(wires); i++) {
        begin_raw(NULL);
        write_raw(wires[i], sizes[i]);
        write_raw("\0\0\0\1x", 5);
        CHECK_EQUAL(receive(KIN_FOREVER), -EBADMSG);
        CHECK_EQUAL(receive(KIN_FOREVER), KIN_EBROKEN);
        CHECK_EQUAL(kin_connection_poll(left, KIN_FOREVER), 0);
        CHECK_EQUAL(kin_connection_send_bytes(left, "x", 1, KIN_FOREVER), 0); /* sending goes on */
        end_raw();
    }
}

TEST(a_message_over_the_limit_ends_receiving_before_any_of_it_is_kept)
{
    begin_raw(KIN_OPTIONS(kin_connection_options, .message_bytes_max = 5));
    write_raw("\0\0\0\5abcde", 9);
    CHECK_EQUAL(receive(KIN_FOREVER), 5);
    write_raw("\0\0\0\6", 4);
    CHECK_EQUAL(receive(KIN_FOREVER), -EFBIG);
    CHECK_EQUAL(receive(KIN_FOREVER), KIN_EBROKEN);
    end_raw();
    begin_raw(KIN_OPTIONS(kin_connection_options, .message_bytes_max = 5));
    write_raw("\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 12);
    CHECK_EQUAL(receive(KIN_FOREVER), -EFBIG);
    end_raw();
}

TEST(a_message_that_claims_to_be_huge_costs_no_memory)
{
    size_t size = 0;
    begin_raw(NULL);
    write_raw("\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 12);
    CHECK_EQUAL(receive(KIN_FOREVER), -EMSGSIZE);
    CHECK_EQUAL(kin_connection_next_size(left, KIN_FOREVER, &size), 0);
    CHECK_EQUAL(size, INT64_MAX);
    end_raw();
}

TEST(what_does_not_fit_stays_and_tells_its_size)
{
    for (size_t bytes = 100; bytes <= 1000000; bytes *= 100) {
        size_t size = 77;
        const size_t sizes[] = {bytes, bytes};
        char text[64];
        begin_pipe(true);
        pthread_t sender = thread_start(send_patterns, &(struct pattern){sizes, 2});
        CHECK_EQUAL(kin_connection_receive_into(left, text, sizeof text, KIN_FOREVER, &size),
                    -EMSGSIZE);
        CHECK_EQUAL(size, 77);
        CHECK_EQUAL(kin_connection_next_size(left, KIN_FOREVER, &size), 0);
        CHECK_EQUAL(size, bytes);
        receive_patterns(left, sizes, 2);
        thread_join(sender);
    }
    end_pipe();
}

TEST(an_adopted_pipe_goes_one_way_and_is_closed_on_exec)
{
    int fds[2];
    begin();
    REQUIRE(pipe(fds) == 0);
    REQUIRE(kin_connection_adopt_fd(fds[0], NULL, &left) == 0);
    REQUIRE(kin_connection_adopt_fd(fds[1], NULL, &right) == 0);
    CHECK(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(fds[1], F_GETFD) & FD_CLOEXEC);
    CHECK(!kin_connection_is_writable(left) && kin_connection_is_readable(left));
    CHECK(kin_connection_is_writable(right) && !kin_connection_is_readable(right));
    send_text(right, "abc");
    check_text(left, "abc");
    end_pipe();
}

TEST(a_datagram_socket_is_refused_and_stays_open)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    begin();
    CHECK_EQUAL(kin_connection_adopt_fd(fd, NULL, &left), -ENOTSUP);
    CHECK_EQUAL(close(fd), 0);
}
