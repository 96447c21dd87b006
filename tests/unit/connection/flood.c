/* Clients that say nothing, half of it or the wrong thing, and the good one among them. */
#include "unit/connection/listeners.h"

#define LISTENER(...) KIN_OPTIONS(kin_listener_options, __VA_ARGS__)
#define CLIENT(...) KIN_OPTIONS(kin_client_options, __VA_ARGS__)
#define BY_KEY KIN_OPTIONS(kin_tls_options, .mode = KIN_TLS_KEY)

static void check_good_client(kin_listener *listener, const kin_tls_options *tls)
{
    check_agreement(listener, CLIENT(.key = SECRET, .tls = tls));
}

TEST(a_silent_client_holds_up_nobody)
{
    begin();
    for (int by_tls = 0; by_tls < 2; by_tls++) {
        const kin_tls_options *tls = by_tls ? BY_KEY : NULL;
        kin_listener *listener = new_listener(LOOPBACK, LISTENER(.key = SECRET, .tls = tls));
        int fds[50];
        for (int i = 0; i < 50; i++) {
            fds[i] = silent_client(listener);
        }
        check_good_client(listener, tls);
        CHECK_EQUAL(counts_of(listener).half_open, 50);
        CHECK_EQUAL(counts_of(listener).timed_out, 0);
        for (int i = 0; i < 50; i++) {
            close(fds[i]);
        }
        check_good_client(listener, tls); /* and those who left are noticed */
        CHECK_EQUAL(counts_of(listener).left, 50);
        kin_listener_free(listener);
    }
}

TEST(who_proves_nothing_in_time_is_turned_away)
{
    static const char *const first_bytes[] = {"", "\0", "\0\0\0\x10", "\0\0\0\x10half"};
    static const size_t sizes[] = {0, 1, 4, 8};
    begin();
    for (int by_tls = 0; by_tls < 2; by_tls++) {
        const kin_tls_options *tls = by_tls ? BY_KEY : NULL;
        kin_listener *listener = new_listener(
            LOOPBACK, LISTENER(.key = SECRET, .tls = tls, .handshake_timeout_ms = 50));
        struct service service;
        int fds[4];
        for (size_t i = 0; i < 4; i++) {
            fds[i] = silent_client(listener);
            CHECK_EQUAL(write(fds[i], first_bytes[i], sizes[i]), sizes[i]);
        }
        start_service(&service, listener);
        for (size_t i = 0; i < 4; i++) {
            CHECK(is_closed_by_peer(fds[i]));
            close(fds[i]);
        }
        CHECK_EQUAL(end_service(&service), -ECANCELED);
        kin_listener_counts counts = counts_of(listener);
        CHECK_EQUAL(counts.timed_out + counts.malformed, 4);
        CHECK(counts.timed_out >= (by_tls ? 1 : 4));
        CHECK_EQUAL(counts.half_open, 0);
        kin_listener_free(listener);
    }
}

TEST(garbage_is_turned_away_at_once)
{
    static const struct {
        const char *bytes;
        size_t size;
    } texts[] = {{"GET / HTTP/1.1\r\n\r\n", 18},
                 {"\xff\xff\xff\xff\0\0\0\0\0\0\0\1", 12},
                 {"\0\0\1\1", 4}, /* 257 bytes are to come */
                 {"\0\0\0\0", 4},
                 {"\0\0\0\11#WELCOME#", 13},
                 {"\0\0\0\37#CHALLENGE#abcdefghijklmnopqrst", 35}};
    begin();
    for (int by_tls = 0; by_tls < 2; by_tls++) {
        const kin_tls_options *tls = by_tls ? BY_KEY : NULL;
        kin_listener *listener = new_listener(LOOPBACK, LISTENER(.key = SECRET, .tls = tls));
        struct service service;
        uint64_t count = 0;
        start_service(&service, listener);
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
            if (by_tls && texts[i].size < 11) { /* TLS waits for a whole header */
                continue;
            }
            int fd = silent_client(listener);
            CHECK_EQUAL(write(fd, texts[i].bytes, texts[i].size), texts[i].size);
            CHECK(is_closed_by_peer(fd));
            close(fd);
            count++;
        }
        while (counts_of(listener).malformed < count) {
            pause_a_moment();
        }
        CHECK_EQUAL(end_service(&service), -ECANCELED);
        kin_error *error = kin_listener_last_error(listener);
        CHECK(strstr(kin_error_message(error), "127.0.0.1:") != NULL);
        kin_error_free(error);
        check_good_client(listener, tls);
        kin_listener_free(listener);
    }
}

/* A client that leaves in the middle of a frame, and a listener that does so: see both sides. */
TEST(who_leaves_in_the_middle_is_noticed)
{
    begin();
    kin_listener *listener = new_listener("unix:", LISTENER(.key = SECRET));
    int fd = silent_client(listener);
    CHECK_EQUAL(write(fd, "\0\0\0\x10half", 8), 8);
    close(fd);
    check_good_client(listener, NULL);
    CHECK_EQUAL(counts_of(listener).left, 1);
    kin_listener_free(listener);
}

struct rogue {
    int fd;
    const char *bytes;
    size_t size;
};

static void *answer_once(void *user)
{
    struct rogue *rogue = user;
    int fd = accept(rogue->fd, NULL, NULL);
    REQUIRE(fd >= 0);
    CHECK_EQUAL(write(fd, rogue->bytes, rogue->size), rogue->size);
    shutdown(fd, SHUT_WR);
    CHECK(is_closed_by_peer(fd));
    close(fd);
    return NULL;
}

TEST(a_listener_that_speaks_nonsense_is_an_error_of_connect)
{
    static const struct {
        const char *bytes;
        size_t size;
        int code;
    } texts[] = {{"220 mail ready\r\n", 16, -EBADMSG},
                 {"\0\0\0\x1f#CHALL", 10, -ECONNRESET},
                 {"", 0, -ECONNRESET},
                 {"\0\0\0\x09#WELCOME#", 13, -EBADMSG},
                 {"\0\0\0\x09#FAILURE#", 13, -EBADMSG},
                 {"\0\0\0\x1f#CHALLENGE#abcdefghijklmnopqrst\0\0\0\x09#FAILURE#", 48, -EBADMSG},
                 {"\0\0\0\x1f#CHALLENGE#abcdefghijklmnopqrst\0\0\0\x09#WELCOME#\0\0\0\x10"
                  "0123456789abcdef",
                  68, -EBADMSG}};
    begin();
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, 5) == 0);
    REQUIRE(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    char text[64];
    snprintf(text, sizeof text, "tcp:127.0.0.1:%u", ntohs(address.sin_port));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (int by_tls = 0; by_tls < 2; by_tls++) {
            struct rogue rogue = {.fd = fd, .bytes = texts[i].bytes, .size = texts[i].size};
            kin_connection *connection = NULL;
            pthread_t thread = thread_start(answer_once, &rogue);
            int r = kin_client_connect(text, CLIENT(.key = SECRET, .tls = by_tls ? BY_KEY : NULL),
                                       KIN_FOREVER, &connection);
            CHECK(by_tls ? r == -EPROTO || r == -ECONNRESET : r == texts[i].code);
            thread_join(thread);
        }
    }
    close(fd);
}

TEST(over_the_half_open_limit_the_oldest_silent_one_has_to_go)
{
    begin();
    kin_listener *listener = new_listener(LOOPBACK,
                                          LISTENER(.key = SECRET, .half_open_count_max = 4));
    int fds[10];
    for (int i = 0; i < 10; i++) {
        fds[i] = silent_client(listener);
    }
    check_good_client(listener, NULL);
    kin_listener_counts counts = counts_of(listener);
    CHECK(counts.dropped >= 7);
    CHECK(counts.half_open <= 3);
    CHECK(is_closed_by_peer(fds[0]));
    for (int i = 0; i < 10; i++) {
        close(fds[i]);
    }
    kin_listener_free(listener);
}

TEST(over_the_connection_limit_one_is_closed_until_another_leaves)
{
    begin();
    kin_listener *listener = new_listener("unix:", LISTENER(.connection_count_max = 2));
    struct service service;
    kin_connection *ends[3];
    for (int i = 0; i < 2; i++) {
        struct connector connector = {.address = kin_listener_address(listener)};
        connect_one(&connector);
        CHECK_EQUAL(connector.result, 0);
        kin_connection_free(connector.connection);
        REQUIRE(kin_listener_accept(listener, KIN_FOREVER, &ends[i]) == 0);
    }
    start_service(&service, listener);
    int fd = silent_client(listener);
    CHECK(is_closed_by_peer(fd));
    close(fd);
    CHECK_EQUAL(end_service(&service), -ECANCELED);
    CHECK_EQUAL(counts_of(listener).dropped, 1);
    kin_connection_free(ends[0]);
    check_agreement(listener, NULL);
    kin_connection_free(ends[1]);
    kin_listener_free(listener);
}

static void limit_fds(rlim_t count)
{
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static int lowest_free_fd(void)
{
    int fd = dup(0);
    REQUIRE(fd >= 0);
    close(fd);
    return fd;
}

static void connect_silently(void *user)
{
    int fds[20];
    await_number(0, 1);
    for (int i = 0; i < 20; i++) {
        fds[i] = silent_client(user);
    }
    for (int i = 19; i >= 0; i--) { /* the first ones may be half open for a while */
        atomic_fetch_add(&numbers[1], is_closed_by_peer(fds[i]));
        close(fds[i]);
    }
}

TEST_OF_PROCESSES(a_process_without_fds_turns_away_whom_it_cannot_take)
{
    begin();
    kin_listener *listener = new_listener("unix:", LISTENER(.key = SECRET));
    struct service service;
    start_service(&service, listener);
    pid_t pid = child_start(connect_silently, listener);
    rlim_t before = 0;
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    before = limit.rlim_cur;
    limit_fds((rlim_t)lowest_free_fd() + 5);
    atomic_store(&numbers[0], 1);
    await_number(1, 15);
    limit_fds(before);
    while (counts_of(listener).dropped < 15) { /* they are counted a moment later */
        pause_a_moment();
    }
    struct connector connector = {.address = kin_listener_address(listener),
                                  .options = CLIENT(.key = SECRET)};
    connect_one(&connector);
    CHECK_EQUAL(connector.result, 0);
    kin_connection_free(await_service(&service));
    kin_connection_free(connector.connection);
    kin_listener_free(listener);
    child_join(pid);
}

enum { SILENT_COUNT = 5000 };

/* Connects as many silent clients as there are fds for, closes them, and so on. */
static void flood(void *user)
{
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit_fds(limit.rlim_max);
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    int batch = limit.rlim_cur > SILENT_COUNT + 100 ? SILENT_COUNT : 500;
    int *fds = malloc((size_t)batch * sizeof *fds);
    REQUIRE(fds != NULL);
    for (int done = 0; done < SILENT_COUNT; done += batch) {
        for (int i = 0; i < batch; i++) {
            fds[i] = silent_client(user);
            atomic_fetch_add(&numbers[0], 1);
        }
        if (done + batch < SILENT_COUNT) {
            for (int i = 0; i < batch; i++) {
                close(fds[i]);
            }
        }
    }
    atomic_store(&numbers[1], 1);
    await_number(2, 1);
    for (int i = 0; i < batch; i++) {
        close(fds[i]);
    }
    free(fds);
}

static void *serve_three(void *user)
{
    for (int i = 0; i < 3; i++) {
        struct acceptor acceptor = {.listener = user, .timeout = KIN_FOREVER};
        accept_one(&acceptor);
        CHECK_EQUAL(acceptor.result, 0);
        kin_connection_free(acceptor.connection);
    }
    return NULL;
}

/* One good client among the first, one in the middle, one behind the last of the silent ones. */
TEST_OF_PROCESSES_WITH(five_thousand_that_say_nothing_do_not_keep_out_a_good_one,
                       .limit_seconds = 120)
{
    begin();
    kin_listener *listener = new_listener(LOOPBACK,
                                          LISTENER(.key = SECRET, .half_open_count_max = 500));
    pid_t pid = child_start(flood, listener);
    pthread_t thread = thread_start(serve_three, listener);
    static const uint64_t marks[] = {100, SILENT_COUNT / 2, SILENT_COUNT};
    for (int i = 0; i < 3; i++) {
        await_number(0, marks[i]);
        struct connector connector = {
            .address = kin_listener_address(listener),
            .options = CLIENT(.key = SECRET, .handshake_timeout_ms = 100000)};
        connect_one(&connector);
        CHECK_EQUAL(connector.result, 0);
        kin_connection_free(connector.connection);
    }
    atomic_store(&numbers[2], 1);
    thread_join(thread);
    child_join(pid);
    CHECK_EQUAL(counts_of(listener).accepted, 3);
    kin_listener_free(listener);
}
