/* An end that several threads and processes use, some of which die. */
#include "connections.h"

#include <sys/socket.h>

enum { MESSAGES = 300, SENDERS = 3, RECEIVERS = 2, SEEN = 0, DONE = 1000 };

/* A message says in each of its bytes who sent it, and its size follows from its number. */
static size_t size_of(uint32_t number)
{
    return 8 + (number % 7 == 6 ? 40000 : number % 5 * 700);
}

static void send_numbered(kin_connection *connection, uint32_t sender)
{
    unsigned char *bytes = malloc(50000);
    REQUIRE(bytes != NULL);
    for (uint32_t number = 0; number < MESSAGES; number++) {
        memset(bytes, (int)sender + 1, size_of(number));
        memcpy(bytes, &number, sizeof number);
        CHECK_EQUAL(kin_connection_send_bytes(connection, bytes, size_of(number), KIN_FOREVER), 0);
    }
    free(bytes);
}

/* Counts each message at numbers[sender * MESSAGES + number]. */
static void receive_numbered(kin_connection *connection)
{
    unsigned char *bytes = malloc(50000);
    size_t size = 0;
    int r = 0;
    REQUIRE(bytes != NULL);
    while ((r = kin_connection_receive_into(connection, bytes, 50000, KIN_FOREVER, &size)) == 0) {
        uint32_t number = 0;
        memcpy(&number, bytes, sizeof number);
        uint32_t sender = (uint32_t)bytes[4] - 1;
        REQUIRE(number < MESSAGES && sender < SENDERS);
        CHECK_EQUAL(size, size_of(number));
        for (size_t i = 4; i < size; i++) {
            if (bytes[i] != sender + 1) {
                CHECK_EQUAL(bytes[i], sender + 1);
                break;
            }
        }
        atomic_fetch_add(&numbers[SEEN + sender * MESSAGES + number], 1);
    }
    CHECK_EQUAL(r, -EPIPE);
    free(bytes);
}

static void check_all_seen(void)
{
    for (int i = 0; i < SENDERS * MESSAGES; i++) {
        CHECK_EQUAL(atomic_load(&numbers[SEEN + i]), 1);
    }
}

static void *sender_thread(void *user)
{
    send_numbered(right, *(uint32_t *)user);
    return NULL;
}

static void *receiver_thread(void *user)
{
    receive_numbered(user);
    return NULL;
}

static void share_between_threads(bool is_duplex)
{
    uint32_t names[SENDERS] = {0, 1, 2};
    pthread_t senders[SENDERS];
    pthread_t receivers[RECEIVERS];
    begin_pipe(is_duplex);
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = thread_start(sender_thread, &names[i]);
    }
    for (int i = 0; i < RECEIVERS; i++) {
        receivers[i] = thread_start(receiver_thread, left);
    }
    for (int i = 0; i < SENDERS; i++) {
        thread_join(senders[i]);
    }
    right = kin_connection_free(right);
    for (int i = 0; i < RECEIVERS; i++) {
        thread_join(receivers[i]);
    }
    check_all_seen();
    end_pipe();
}

TEST(threads_share_both_ends_of_a_two_way_pipe)
{
    share_between_threads(true);
}

TEST(threads_share_both_ends_of_a_one_way_pipe)
{
    share_between_threads(false);
}

static void send_in_child(void *user)
{
    left = kin_connection_free(left);
    send_numbered(right, *(uint32_t *)user);
    end_pipe();
}

static void receive_in_child(void *user)
{
    (void)user;
    right = kin_connection_free(right);
    receive_numbered(left);
    end_pipe();
}

static void share_between_processes(bool is_duplex)
{
    uint32_t names[SENDERS] = {0, 1, 2};
    pid_t senders[SENDERS];
    pid_t receivers[RECEIVERS];
    begin_pipe(is_duplex);
    for (int i = 0; i < RECEIVERS; i++) {
        receivers[i] = child_start(receive_in_child, NULL);
    }
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = child_start(send_in_child, &names[i]);
    }
    end_pipe();
    for (int i = 0; i < SENDERS; i++) {
        child_join(senders[i]);
    }
    for (int i = 0; i < RECEIVERS; i++) {
        child_join(receivers[i]);
    }
    check_all_seen();
}

TEST_OF_PROCESSES(processes_share_both_ends_of_a_two_way_pipe)
{
    share_between_processes(true);
}

TEST_OF_PROCESSES(processes_share_both_ends_of_a_one_way_pipe)
{
    share_between_processes(false);
}

static void check_rest_in_child(void *user)
{
    (void)user;
    check_text(left, "two");
    send_text(left, "an answer");
    end_pipe();
}

TEST_OF_PROCESSES(what_a_process_has_read_ahead_is_there_for_its_child)
{
    begin_pipe(true);
    send_text(right, "one");
    send_text(right, "two");
    send_text(right, "three");
    check_text(left, "one");
    child_join(child_start(check_rest_in_child, NULL));
    check_text(left, "three");
    check_text(right, "an answer");
    end_pipe();
}

TEST(an_end_is_opened_with_its_handle_and_a_copy_of_its_fd)
{
    kin_connection *copy = NULL;
    for (int way = 0; way < 2; way++) {
        begin_pipe(way == 0);
        kin_connection *ends[2] = {left, right};
        for (int i = 0; i < 2; i++) {
            int fd = dup(kin_connection_fd(ends[i]));
            REQUIRE(kin_connection_attach(kin_connection_handle(ends[i]), fd, &copy) == 0);
            CHECK_EQUAL(kin_connection_is_readable(copy), kin_connection_is_readable(ends[i]));
            CHECK_EQUAL(kin_connection_is_writable(copy), kin_connection_is_writable(ends[i]));
            if (i == 0) {
                send_text(right, "one");
                send_text(right, "two");
                check_text(copy, "one");
                check_text(left, "two");
            } else {
                send_text(copy, "one");
                check_text(left, "one");
            }
            copy = kin_connection_free(copy);
        }
        int fd = dup(0);
        CHECK_EQUAL(kin_connection_attach(kin_connection_handle(left), fd, &copy), -EINVAL);
        close(fd);
        end_pipe();
    }
}

/* --- deaths --- */

static void receive_for_ever(void *user)
{
    char text[8];
    size_t size = 0;
    (void)user;
    atomic_store(&numbers[DONE], 1);
    kin_connection_receive_into(left, text, sizeof text, KIN_FOREVER, &size);
}

static void await_asleep(pid_t pid)
{
    await_number(DONE, 1);
    while (state_in_kernel((uint32_t)pid, (uint32_t)pid) != 'S') {
        pause_a_moment();
    }
}

TEST_OF_PROCESSES(one_that_dies_while_it_waits_for_a_message_takes_nothing_along)
{
    for (int way = 0; way < 2; way++) {
        begin_pipe(way == 0);
        atomic_store(&numbers[DONE], 0);
        pid_t pid = child_start(receive_for_ever, NULL);
        await_asleep(pid);
        child_kill(pid);
        send_text(right, "abc");
        check_text(left, "abc");
        end_pipe();
    }
}

static void send_for_ever(void *user)
{
    static unsigned char bytes[1 << 20];
    atomic_store(&numbers[DONE], 1);
    kin_connection_send_bytes(right, bytes, *(size_t *)user, KIN_FOREVER);
    kin_connection_send_bytes(right, bytes, *(size_t *)user, KIN_FOREVER);
}

TEST_OF_PROCESSES(one_that_dies_inside_a_large_message_ends_it_and_sending)
{
    for (int way = 0; way < 2; way++) {
        static unsigned char bytes[1 << 20];
        size_t size = sizeof bytes;
        begin_pipe(way == 0);
        atomic_store(&numbers[DONE], 0);
        pid_t pid = child_start(send_for_ever, &size);
        await_asleep(pid);
        child_kill(pid);
        /* Nobody sends: the receiver finds out by itself. */
        CHECK_EQUAL(kin_connection_receive_into(left, bytes, sizeof bytes, KIN_FOREVER, &size),
                    -ECONNRESET);
        CHECK_EQUAL(kin_connection_send_bytes(right, "abc", 3, KIN_FOREVER), KIN_EBROKEN);
        CHECK_EQUAL(kin_connection_receive_into(left, bytes, sizeof bytes, KIN_FOREVER, &size),
                    -ECONNRESET);
        end_pipe();
    }
}

/* --- a copy of the fd in a process that knows nothing of kin --- */

#define HUGE_BYTES ((size_t)256 << 20)

static void *map_huge(void)
{
    void *bytes = mmap(NULL, HUGE_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(bytes != MAP_FAILED);
    return bytes;
}

static void fork_and_send(void *user)
{
    (void)user;
    kin_connection_free(left);
    pid_t keeper = fork();
    while (keeper == 0) {
        pause();
    }
    void *bytes = map_huge();
    atomic_store(&numbers[DONE + 1], (uint64_t)keeper);
    kin_connection_send_bytes(right, bytes, HUGE_BYTES, KIN_FOREVER);
}

/* Kills the sender when the receiver sleeps in the middle of the message. */
static int kill_inside(void *user)
{
    pid_t sender = *(pid_t *)user;
    uint32_t pid = (uint32_t)getpid();
    await_number(DONE, 1);
    kill(sender, SIGSTOP);
    while (state_in_kernel((uint32_t)sender, (uint32_t)sender) != 'T') {
        pause_a_moment();
    }
    for (int looks = 0; looks < 20; looks++) {
        looks = state_in_kernel(pid, pid) == 'S' ? looks : 0;
        pause_a_moment();
    }
    kill(sender, SIGKILL);
    waitpid(sender, NULL, 0);
    return 0;
}

TEST_OF_PROCESSES(one_that_dies_inside_a_message_is_noticed_though_a_stranger_has_its_fd)
{
    for (int way = 0; way < 2; way++) {
        static pid_t sender;
        size_t size = 0;
        thrd_t thread;
        begin_pipe(way == 0);
        atomic_store(&numbers[DONE], 0);
        atomic_store(&numbers[DONE + 1], 0);
        sender = child_start(fork_and_send, NULL);
        right = kin_connection_free(right);
        void *bytes = map_huge();
        REQUIRE(thrd_create(&thread, kill_inside, &sender) == thrd_success);
        REQUIRE(kin_connection_next_size(left, KIN_FOREVER, &size) == 0);
        atomic_store(&numbers[DONE], 1);
        CHECK_EQUAL(kin_connection_receive_into(left, bytes, HUGE_BYTES, KIN_FOREVER, &size),
                    -ECONNRESET);
        thrd_join(thread, NULL);
        kill((pid_t)atomic_load(&numbers[DONE + 1]), SIGKILL);
        munmap(bytes, HUGE_BYTES);
        left = kin_connection_free(left);
        end_pipe();
    }
}

TEST_OF_PROCESSES(one_that_dies_before_the_first_byte_of_a_message_leaves_no_trace)
{
    for (int way = 0; way < 2; way++) {
        static unsigned char bytes[2000];
        size_t size = sizeof bytes;
        int count = 0;
        begin_pipe(way == 0);
        atomic_store(&numbers[DONE], 0);
        while (kin_connection_send_bytes(right, bytes, size, KIN_NOW) == 0) {
            count++;
        }
        pid_t pid = child_start(send_for_ever, &size);
        await_asleep(pid);
        child_kill(pid);
        for (int i = 0; i < count; i++) {
            CHECK_EQUAL(kin_connection_receive_into(left, bytes, sizeof bytes, KIN_FOREVER, &size),
                        0);
        }
        send_text(right, "abc");
        check_text(left, "abc");
        end_pipe();
    }
}

static void receive_large_for_ever(void *user)
{
    static unsigned char bytes[1 << 20];
    size_t size = 0;
    (void)user;
    atomic_store(&numbers[DONE], 1);
    kin_connection_receive_into(left, bytes, sizeof bytes, KIN_FOREVER, &size);
}

/* The message dies with its receiver; the next one is whole. */
TEST_OF_PROCESSES(one_that_dies_inside_a_large_message_that_it_receives_takes_only_that_along)
{
    static char rest[100000];
    int fds[2];
    begin();
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    REQUIRE(kin_connection_adopt_fd(
                fds[0], KIN_OPTIONS(kin_connection_options, .may_read_ahead = true), &left) == 0);
    CHECK_EQUAL(write(fds[1], "\0\2\0\0", 4), 4); /* 131072, of which 31072 come */
    CHECK_EQUAL(write(fds[1], rest, 31072), 31072);
    pid_t pid = child_start(receive_large_for_ever, NULL);
    await_asleep(pid);
    child_kill(pid);
    CHECK_EQUAL(write(fds[1], rest, sizeof rest), sizeof rest);
    CHECK_EQUAL(write(fds[1], "\0\0\0\3abc", 7), 7);
    check_text(left, "abc");
    close(fds[1]);
    end_pipe();
}
