#define _GNU_SOURCE
#include "os/socket.h"
#include "harness/test.h"
#include "os/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUTPUT(piece, is_patient, fds_to_go) \
    ((struct kin__os_output){                \
        .pieces = &(piece), .count = 1, .may_wait = (is_patient), .fds = (fds_to_go)})
#define INTAKE(room, is_patient, fds_to_come) \
    ((struct kin__os_intake){                 \
        .rooms = &(room), .count = 1, .may_wait = (is_patient), .fds = (fds_to_come)})

static int64_t send_text(int fd, const char *text, bool may_wait)
{
    kin_bytes piece = {text, strlen(text)};
    return kin__os_socket_send(fd, &OUTPUT(piece, may_wait, NULL));
}

static int64_t receive_some(int fd, void *place, size_t size, struct kin__os_fds *fds)
{
    struct kin__os_room room = {place, size};
    return kin__os_socket_receive(fd, &INTAKE(room, false, fds));
}

TEST(a_socket_pair_carries_bytes_both_ways_and_closes_on_exec)
{
    int fds[2];
    char text[8] = "";
    REQUIRE(kin__os_socket_pair(fds) == 0);
    CHECK(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(fds[1], F_GETFD) & FD_CLOEXEC);
    CHECK_EQUAL(receive_some(fds[0], text, sizeof text, NULL), -EAGAIN);
    CHECK_EQUAL(send_text(fds[0], "abc", true), 3);
    CHECK_EQUAL(receive_some(fds[1], text, sizeof text, NULL), 3);
    CHECK_EQUAL(send_text(fds[1], "de", true), 2);
    CHECK_EQUAL(receive_some(fds[0], text, sizeof text, NULL), 2);
    CHECK_STRING(text, "dec");
    kin__os_close(fds[0]);
    CHECK_EQUAL(receive_some(fds[1], text, sizeof text, NULL), 0);
    CHECK_EQUAL(send_text(fds[1], "x", true), -EPIPE);
    kin__os_close(fds[1]);
}

TEST(a_message_pair_keeps_messages_apart_and_closes_on_exec)
{
    int fds[2];
    char text[8] = "";
    REQUIRE(kin__os_message_pair(fds) == 0);
    CHECK(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(fds[1], F_GETFD) & FD_CLOEXEC);
    CHECK_EQUAL(send_text(fds[0], "abc", true), 3);
    CHECK_EQUAL(send_text(fds[0], "defg", true), 4);
    CHECK_EQUAL(receive_some(fds[1], text, sizeof text, NULL), 3);
    CHECK_EQUAL(receive_some(fds[1], text, 2, NULL), 2);
    CHECK_EQUAL(receive_some(fds[1], text, sizeof text, NULL), -EAGAIN);
    CHECK_STRING(text, "dec");
    kin__os_close(fds[0]);
    CHECK_EQUAL(receive_some(fds[1], text, sizeof text, NULL), 0);
    kin__os_close(fds[1]);
}

TEST(a_shut_socket_says_end_of_file_and_still_receives)
{
    int fds[2];
    char text[8] = "";
    REQUIRE(kin__os_socket_pair(fds) == 0);
    kin__os_socket_shut(fds[0]);
    CHECK_EQUAL(receive_some(fds[1], text, sizeof text, NULL), 0);
    CHECK_EQUAL(send_text(fds[1], "abc", true), 3);
    CHECK_EQUAL(receive_some(fds[0], text, sizeof text, NULL), 3);
    kin__os_close(fds[0]);
    kin__os_close(fds[1]);
}

TEST(a_receipt_says_how_many_bytes_came)
{
    int fds[2];
    char text[4] = "";
    struct kin__os_receipt receipt;
    struct kin__os_room rooms[2] = {{text, 1}, {text + 2, 2}};
    struct kin__os_intake intake = {.rooms = rooms, .count = 2, .receipt = &receipt};
    REQUIRE(kin__os_socket_pair(fds) == 0);
    kin__os_receipt_clear(&receipt);
    CHECK_EQUAL(kin__os_socket_receive(fds[1], &intake), -EAGAIN);
    CHECK_EQUAL(kin__os_receipt_bytes(&receipt), 0);
    CHECK_EQUAL(send_text(fds[0], "abcde", true), 5);
    CHECK_EQUAL(kin__os_socket_receive(fds[1], &intake), 3);
    CHECK_EQUAL(kin__os_receipt_bytes(&receipt), 3);
    CHECK_BYTES(text, "a\0bc", 4);
    kin__os_close(fds[0]);
    kin__os_close(fds[1]);
}

TEST(fds_come_with_bytes_and_close_on_exec)
{
    int fds[2];
    int pipe_fds[2];
    char text[8] = "";
    struct kin__os_fds got = {0};
    REQUIRE(kin__os_socket_pair(fds) == 0 && kin__os_pipe(pipe_fds) == 0);
    struct kin__os_fds sent = {.count = 2, .fds = {pipe_fds[0], pipe_fds[1]}};
    kin_bytes piece = {"abc", 3};
    CHECK_EQUAL(kin__os_socket_send(fds[0], &OUTPUT(piece, true, &sent)), 3);
    kin__os_close(pipe_fds[0]);
    kin__os_close(pipe_fds[1]);
    CHECK_EQUAL(receive_some(fds[1], text, sizeof text, &got), 3);
    REQUIRE(got.count == 2);
    CHECK(fcntl(got.fds[0], F_GETFD) & FD_CLOEXEC);
    CHECK_EQUAL(write(got.fds[1], "x", 1), 1);
    CHECK_EQUAL(read(got.fds[0], text, 1), 1);
    CHECK_EQUAL(kin__os_socket_send(fds[0], &OUTPUT(piece, true, &got)), 3);
    CHECK_EQUAL(receive_some(fds[1], text, sizeof text, NULL), 3); /* not wanted: closed */
    kin__os_close(got.fds[0]);
    kin__os_close(got.fds[1]);
    kin__os_close(fds[0]);
    kin__os_close(fds[1]);
}

TEST(more_fds_than_there_is_room_for_are_closed)
{
    int fds[2];
    char text[8] = "";
    struct kin__os_fds got = {0};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE((KIN__OS_FDS_MAX + 1) * sizeof(int))];
    } control = {.header = {.cmsg_len = CMSG_LEN((KIN__OS_FDS_MAX + 1) * sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS}};
    struct iovec piece = {"abc", 3};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control};
    REQUIRE(kin__os_socket_pair(fds) == 0);
    for (uint32_t i = 0; i <= KIN__OS_FDS_MAX; i++) {
        memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &fds[0], sizeof(int));
    }
    REQUIRE(sendmsg(fds[0], &message, 0) == 3);
    CHECK_EQUAL(receive_some(fds[1], text, sizeof text, &got), 3);
    CHECK_EQUAL(got.count, KIN__OS_FDS_MAX);
    for (uint32_t i = 0; i < got.count; i++) {
        kin__os_close(got.fds[i]);
    }
    kin__os_close(fds[0]);
    kin__os_close(fds[1]);
}

/* Nothing is changed that another user of the same pipe would notice. */
TEST(a_pipe_is_read_and_written_without_waiting_and_stays_blocking)
{
    int fds[2];
    static char bytes[8192];
    kin_bytes piece = {bytes, sizeof bytes};
    struct kin__os_room room = {bytes, sizeof bytes};
    REQUIRE(kin__os_pipe(fds) == 0);
    CHECK_EQUAL(kin__os_pipe_read(fds[0], &INTAKE(room, false, NULL)), -EAGAIN);
    int64_t written = 0;
    int64_t r = 0;
    while ((r = kin__os_pipe_write(fds[1], &OUTPUT(piece, false, NULL))) > 0) {
        written += r;
    }
    CHECK_EQUAL(r, -EAGAIN);
    CHECK(written >= KIN__OS_PIPE_STEP);
    while ((r = kin__os_pipe_read(fds[0], &INTAKE(room, false, NULL))) > 0) {
        written -= r;
    }
    CHECK_EQUAL(r, -EAGAIN);
    CHECK_EQUAL(written, 0);
    CHECK((fcntl(fds[0], F_GETFL) & O_NONBLOCK) == 0);
    CHECK((fcntl(fds[1], F_GETFL) & O_NONBLOCK) == 0);
    kin__os_close(fds[1]);
    CHECK_EQUAL(kin__os_pipe_read(fds[0], &INTAKE(room, true, NULL)), 0);
    kin__os_close(fds[0]);
}

TEST(writing_to_a_pipe_without_a_reader_raises_no_signal)
{
    int fds[2];
    kin_bytes piece = {"x", 1};
    REQUIRE(kin__os_pipe(fds) == 0);
    kin__os_close(fds[0]);
    CHECK_EQUAL(kin__os_pipe_write(fds[1], &OUTPUT(piece, true, NULL)), -EPIPE);
    CHECK_EQUAL(kin__os_pipe_write(fds[1], &OUTPUT(piece, false, NULL)), -EPIPE);
    kin__os_close(fds[1]);
}

TEST(an_fd_tells_what_it_is)
{
    int pipe_fds[2];
    int pair[2];
    struct kin__os_fd_about about;
    struct kin__os_fd_about other;
    REQUIRE(kin__os_pipe(pipe_fds) == 0 && kin__os_socket_pair(pair) == 0);
    CHECK_EQUAL(kin__os_fd_inspect(pipe_fds[0], &about), 0);
    CHECK(about.kind == KIN__OS_FD_PIPE && about.is_readable && !about.is_writable);
    CHECK_EQUAL(kin__os_fd_inspect(pipe_fds[1], &other), 0);
    CHECK(!other.is_readable && other.is_writable);
    CHECK_EQUAL(about.inode, other.inode);
    CHECK_EQUAL(kin__os_fd_inspect(pair[0], &about), 0);
    CHECK_EQUAL(kin__os_fd_inspect(pair[1], &other), 0);
    CHECK(about.kind == KIN__OS_FD_UNIX_SOCKET && about.is_readable && about.is_writable);
    CHECK(about.inode != other.inode);
    int datagrams = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_EQUAL(kin__os_fd_inspect(datagrams, &about), -ENOTSUP);
    kin__os_close(datagrams);
    CHECK_EQUAL(kin__os_fd_inspect(datagrams, &about), -EBADF);
    CHECK_EQUAL(kin__os_fd_keep(datagrams), -EBADF);
    kin__os_close(pipe_fds[0]);
    kin__os_close(pipe_fds[1]);
    kin__os_close(pair[0]);
    kin__os_close(pair[1]);
}

TEST(a_new_pipe_keeps_away_from_the_standard_streams)
{
    int fds[2];
    int input = dup(STDIN_FILENO);
    close(STDIN_FILENO);
    REQUIRE(kin__os_pipe(fds) == 0);
    CHECK(fds[0] > STDERR_FILENO && fds[1] > STDERR_FILENO);
    dup2(input, STDIN_FILENO);
    close(input);
    kin__os_close(fds[0]);
    kin__os_close(fds[1]);
}
