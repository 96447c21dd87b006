/* Messages over TLS: what holds for other connections holds for these. */
#include "unit/connection/connections.h"
#include "unit/connection/listeners.h"

#include <kin/wait.h>

#define BY_KEY KIN_OPTIONS(kin_tls_options, .mode = KIN_TLS_KEY)

/* Makes `left`, who was accepted, and `right`, who connected. */
static void begin_tls(void)
{
    begin();
    kin_listener *listener = new_listener(
        LOOPBACK, KIN_OPTIONS(kin_listener_options, .key = SECRET, .tls = BY_KEY));
    struct connector connector = {
        .address = kin_listener_address(listener),
        .options = KIN_OPTIONS(kin_client_options, .key = SECRET, .tls = BY_KEY)};
    pthread_t thread = thread_start(connect_one, &connector);
    REQUIRE(kin_listener_accept(listener, KIN_FOREVER, &left) == 0);
    thread_join(thread);
    REQUIRE(connector.result == 0);
    right = connector.connection;
    kin_listener_free(listener); /* connections outlive it */
}

TEST(messages_of_all_sizes_go_through_tls)
{
    static const size_t sizes[] = {0,     1,     100,   16379, 16380, 16381,  16384,
                                   16385, 32000, 32768, 65536, 70000, 300000, 5};
    struct pattern pattern = {.sizes = sizes, .count = COUNT_OF(sizes)};
    begin_tls();
    pthread_t sender = thread_start(send_patterns, &pattern);
    receive_patterns(left, sizes, COUNT_OF(sizes));
    thread_join(sender);
    end_pipe();
}

static void *receive_from_right(void *user)
{
    const struct pattern *pattern = user;
    receive_patterns(right, pattern->sizes, pattern->count);
    return NULL;
}

TEST(both_directions_of_tls_are_used_at_the_same_time)
{
    static const size_t sizes[] = {2000000, 3, 1000000, 20, 100000, 100000, 1};
    struct pattern pattern = {.sizes = sizes, .count = COUNT_OF(sizes)};
    begin_tls();
    pthread_t threads[2] = {thread_start(send_patterns, &pattern),
                            thread_start(receive_from_right, &pattern)};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        unsigned char *bytes = pattern_create(sizes[i], i);
        CHECK_EQUAL(kin_connection_send_bytes(left, bytes, sizes[i], kin_within_ms(60000)), 0);
        free(bytes);
        check_pattern(left, sizes[i], i);
    }
    thread_join(threads[0]);
    thread_join(threads[1]);
    end_pipe();
}

TEST(a_message_that_was_refused_by_a_full_socket_leaves_tls_sound)
{
    static char bytes[3000];
    size_t count = 0;
    begin_tls();
    int room = 8192;
    setsockopt(kin_connection_fd(right), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    int r = 0;
    while (r == 0) {
        memset(bytes, (int)('a' + count % 20), sizeof bytes);
        r = kin_connection_send_bytes(right, bytes, sizeof bytes, KIN_NOW);
        count += r == 0;
    }
    CHECK(r == -EAGAIN || r == KIN_EBROKEN); /* before its first byte, or inside of it */
    for (size_t i = 0; i < count; i++) {
        size_t size = 0;
        CHECK_EQUAL(kin_connection_receive_into(left, bytes, sizeof bytes, KIN_FOREVER, &size), 0);
        CHECK_EQUAL(size, sizeof bytes);
        CHECK_EQUAL(bytes[0], 'a' + (int)(i % 20));
        CHECK_EQUAL(bytes[sizeof bytes - 1], 'a' + (int)(i % 20));
    }
    if (r == -EAGAIN) {
        send_text(right, "and then");
        check_text(left, "and then");
    }
    end_pipe();
}

TEST(the_end_of_a_tls_connection_is_the_end_of_the_file)
{
    char byte = 0;
    size_t size = 0;
    begin_tls();
    send_text(right, "last");
    kin_connection_free(right);
    right = NULL;
    check_text(left, "last");
    CHECK_EQUAL(kin_connection_receive_into(left, &byte, 1, KIN_FOREVER, &size), -EPIPE);
    end_pipe();
}

TEST(what_tls_has_inside_is_seen_by_who_waits)
{
    begin_tls();
    kin_wait_item items[] = {kin_wait_for_connection(left)};
    CHECK_EQUAL(kin_connection_poll(left, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_wait_many(items, 1, KIN_NOW), -EAGAIN);
    /* Many messages in few records, received one by one, also when the fd has nothing more. */
    for (int i = 0; i < 2000; i++) {
        send_text(right, "a short message, of which many fit into one record");
    }
    for (int i = 0; i < 2000; i++) {
        REQUIRE(kin_wait_many(items, 1, KIN_FOREVER) == 1);
        REQUIRE(kin_connection_poll(left, KIN_FOREVER) == 0);
        check_text(left, "a short message, of which many fit into one record");
    }
    CHECK_EQUAL(kin_wait_many(items, 1, KIN_NOW), -EAGAIN);
    end_pipe();
}

TEST(fds_do_not_go_over_tls)
{
    begin_tls();
    int fd = 1;
    CHECK_EQUAL(kin_connection_send_fds(right, (kin_bytes){"x", 1}, &fd, 1, KIN_FOREVER), -ENOTSUP);
    kin_connection *copy = NULL;
    fd = dup(kin_connection_fd(left));
    CHECK_EQUAL(kin_connection_attach(kin_connection_handle(left), fd, &copy), -EACCES);
    close(fd);
    end_pipe();
}

static void try_in_child(void *user)
{
    char byte = 0;
    size_t size = 0;
    (void)user;
    CHECK_EQUAL(kin_connection_send_bytes(right, "x", 1, KIN_FOREVER), -ESTALE);
    CHECK_EQUAL(kin_connection_receive_into(left, &byte, 1, KIN_FOREVER, &size), -ESTALE);
    end_pipe();
}

TEST_OF_PROCESSES(a_forked_child_has_no_part_in_tls)
{
    begin_tls();
    child_join(child_start(try_in_child, NULL));
    send_text(right, "still here");
    check_text(left, "still here");
    end_pipe();
}
