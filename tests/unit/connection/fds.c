/* Fds that go with messages. */
#include "connections.h"

#include <fcntl.h>
#include <sys/socket.h>

/* A pipe whose writer is sent. */
static int pair[2];

static void begin_fds(void)
{
    begin_pipe(true);
    REQUIRE(pipe(pair) == 0);
}

static void end_fds(void)
{
    close(pair[0]);
    close(pair[1]);
    end_pipe();
}

static void send_fd(const char *text)
{
    kin_bytes bytes = {text, strlen(text)};
    CHECK_EQUAL(kin_connection_send_fds(right, bytes, &pair[1], 1, KIN_FOREVER), 0);
}

/* Receives `expected`; the fd that came with it works, and is closed. */
static void check_fd(const char *expected)
{
    char text[64] = "";
    size_t size = 0;
    kin_fds fds = {.count = 9};
    REQUIRE(kin_connection_receive_fds(left, text, sizeof text, KIN_FOREVER, &size, &fds) == 0);
    CHECK_EQUAL(size, strlen(expected));
    CHECK_STRING(text, expected);
    REQUIRE(fds.count == 1);
    CHECK(fcntl(fds.fds[0], F_GETFD) & FD_CLOEXEC);
    CHECK_EQUAL(write(fds.fds[0], "!", 1), 1);
    CHECK_EQUAL(read(pair[0], text, 1), 1);
    CHECK_EQUAL(text[0], '!');
    close(fds.fds[0]);
}

TEST(fds_come_with_their_message_and_close_on_exec)
{
    begin_fds();
    send_fd("with an fd");
    check_fd("with an fd");
    send_fd("");
    check_fd("");
    end_fds();
}

TEST(fds_come_with_their_message_also_behind_others)
{
    char text[8];
    size_t size = 0;
    kin_fds fds;
    begin_fds();
    send_text(right, "one");
    send_text(right, "two");
    send_fd("three");
    send_fd("four");
    send_text(right, "five");
    check_text(left, "one");
    CHECK_EQUAL(kin_connection_receive_fds(left, text, sizeof text, KIN_FOREVER, &size, &fds), 0);
    CHECK_EQUAL(fds.count, 0);
    check_fd("three");
    check_fd("four");
    check_text(left, "five");
    end_fds();
}

/* What is read ahead before the first fd is known of may bring it along. */
TEST(fds_that_came_while_reading_ahead_wait_for_their_message)
{
    begin_fds();
    for (int i = 0; i < 3; i++) {
        send_text(right, "before");
    }
    kin_bytes bytes = {"with", 4};
    unsigned char wire[8] = {0, 0, 0, 4, 'w', 'i', 't', 'h'};
    struct iovec piece = {wire, sizeof wire};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control};
    memcpy(CMSG_DATA(&control.header), &pair[1], sizeof(int));
    /* Past kin: it would tell the other end. */
    CHECK_EQUAL(sendmsg(kin_connection_fd(right), &message, 0), sizeof wire);
    check_text(left, "before");
    CHECK_EQUAL(kin_connection_send_fds(right, bytes, &pair[1], 1, KIN_FOREVER), 0);
    check_text(left, "before");
    check_text(left, "before");
    check_fd("with");
    check_fd("with");
    end_fds();
}

TEST(fds_that_nobody_wants_are_closed)
{
    begin_fds();
    send_fd("one");
    send_fd("two");
    check_text(left, "one");
    check_text(left, "two");
    send_fd("never received");
    send_text(right, "nor this");
    end_fds();
}

TEST(fds_that_wait_for_their_message_are_closed_with_the_end)
{
    begin_fds();
    size_t size = 0;
    send_fd("one");
    CHECK_EQUAL(kin_connection_next_size(left, KIN_FOREVER, &size), 0);
    end_fds();
}

TEST(a_message_that_does_not_fit_keeps_its_fds)
{
    char text[2];
    size_t size = 0;
    kin_fds fds;
    begin_fds();
    send_fd("three");
    CHECK_EQUAL(kin_connection_receive_fds(left, text, sizeof text, KIN_FOREVER, &size, &fds),
                -EMSGSIZE);
    check_fd("three");
    end_fds();
}

TEST(fds_go_with_a_large_message_and_with_the_first_part_of_it)
{
    static char large[300000];
    size_t size = 0;
    kin_fds fds = {0};
    begin_fds();
    kin_bytes bytes = {large, sizeof large};
    CHECK_EQUAL(kin_connection_send_fds(right, bytes, &pair[1], 1, kin_within_ms(2)),
                KIN_EBROKEN); /* not read in time */
    CHECK_EQUAL(kin_connection_receive_fds(left, large, sizeof large, KIN_FOREVER, &size, &fds),
                -ECONNRESET);
    CHECK_EQUAL(fds.count, 0);
    end_fds();
    begin_fds();
    bytes.size = 100000;
    CHECK_EQUAL(kin_connection_send_fds(right, bytes, &pair[1], 1, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_connection_receive_fds(left, large, sizeof large, KIN_FOREVER, &size, &fds), 0);
    CHECK_EQUAL(size, 100000);
    REQUIRE(fds.count == 1);
    close(fds.fds[0]);
    end_fds();
}

TEST(as_many_fds_go_as_are_promised)
{
    int many[KIN_CONNECTION_FD_COUNT_MAX + 1];
    char text[4];
    size_t size = 0;
    kin_fds fds;
    kin_bytes bytes = {"x", 1};
    begin_fds();
    for (int i = 0; i <= KIN_CONNECTION_FD_COUNT_MAX; i++) {
        many[i] = pair[0];
    }
    CHECK_EQUAL(kin_connection_send_fds(right, bytes, many, COUNT_OF(many), KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_connection_send_fds(right, bytes, NULL, 1, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_connection_send_fds(right, bytes, many, COUNT_OF(many) - 1, KIN_NOW), 0);
    CHECK_EQUAL(kin_connection_receive_fds(left, text, sizeof text, KIN_NOW, &size, &fds), 0);
    CHECK_EQUAL(fds.count, KIN_CONNECTION_FD_COUNT_MAX);
    for (uint32_t i = 0; i < fds.count; i++) {
        close(fds.fds[i]);
    }
    many[0] = -1;
    CHECK_EQUAL(kin_connection_send_fds(right, bytes, many, 1, KIN_NOW), -EBADF);
    send_text(right, "nothing of it was sent");
    check_text(left, "nothing of it was sent");
    end_fds();
}

TEST(fds_do_not_go_through_a_one_way_pipe)
{
    kin_bytes bytes = {"x", 1};
    begin_pipe(false);
    int fd = 0;
    CHECK_EQUAL(kin_connection_send_fds(right, bytes, &fd, 1, KIN_NOW), -ENOTSUP);
    CHECK_EQUAL(kin_connection_send_fds(right, bytes, NULL, 0, KIN_NOW), 0);
    check_text(left, "x");
    end_pipe();
}

/* An end that is sent through a pipe: its handle as bytes, its fd beside. */
TEST_OF_PROCESSES(an_end_goes_through_a_pipe_to_another_process)
{
    kin_connection *near = NULL;
    kin_connection *far = NULL;
    kin_connection *end = NULL;
    kin_handle handle;
    size_t size = 0;
    kin_fds fds;
    begin_pipe(true);
    int pid = 0;
    uint32_t owner = 0;
    pid = kin__family_fork("child", 0, &owner);
    REQUIRE(pid >= 0);
    if (pid == 0) {
        REQUIRE(kin_connection_receive_fds(left, &handle, sizeof handle, KIN_FOREVER, &size,
                                           &fds) == 0);
        REQUIRE(fds.count == 1 && size == sizeof handle);
        REQUIRE(kin_connection_attach(handle, fds.fds[0], &end) == 0);
        send_text(left, "I have it"); /* until then the end would be gone without its sender */
        send_text(end, "hello");
        kin_connection_free(end);
        end_pipe();
        kin_fini();
        _exit(0);
    }
    REQUIRE(kin_pipe_create(true, &near, &far) == 0);
    handle = kin_connection_handle(far);
    int fd = kin_connection_fd(far);
    CHECK_EQUAL(
        kin_connection_send_fds(right, (kin_bytes){&handle, sizeof handle}, &fd, 1, KIN_FOREVER),
        0);
    check_text(right, "I have it");
    kin_connection_free(far);
    check_text(near, "hello");
    char text[4];
    CHECK_EQUAL(kin_connection_receive_into(near, text, sizeof text, KIN_FOREVER, &size), -EPIPE);
    kin_connection_free(near);
    child_join(pid);
    end_pipe();
}
