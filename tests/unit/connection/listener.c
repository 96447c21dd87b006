/* Listeners and clients that get on with each other, or say why not. */
#include "unit/connection/certificates.h"
#include "unit/connection/listeners.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTENER(...) KIN_OPTIONS(kin_listener_options, __VA_ARGS__)
#define CLIENT(...) KIN_OPTIONS(kin_client_options, __VA_ARGS__)
#define BY_KEY KIN_OPTIONS(kin_tls_options, .mode = KIN_TLS_KEY)

TEST(a_client_reaches_a_listener)
{
    static const char *const addresses[] = {"unix:", LOOPBACK, "tcp:localhost:0"};
    begin();
    for (size_t i = 0; i < 3; i++) {
        kin_listener *listener = new_listener(addresses[i], NULL);
        check_agreement(listener, NULL);
        CHECK_EQUAL(counts_of(listener).accepted, 1);
        CHECK(kin_listener_last_error(listener) == NULL);
        kin_listener_free(listener);
    }
}

TEST(the_same_key_opens_the_connection)
{
    static const char *const addresses[] = {"unix:", LOOPBACK};
    begin();
    for (size_t i = 0; i < 2; i++) {
        for (int strict = 0; strict < 4; strict++) {
            kin_listener *listener = new_listener(
                addresses[i], LISTENER(.key = SECRET, .require_sha256 = strict & 1));
            check_agreement(listener, CLIENT(.key = SECRET, .require_sha256 = strict & 2));
            kin_listener_free(listener);
        }
    }
}

TEST(tls_by_the_key_opens_the_connection)
{
    begin();
    kin_listener *listener = new_listener(LOOPBACK, LISTENER(.key = SECRET, .tls = BY_KEY));
    check_agreement(listener, CLIENT(.key = SECRET, .tls = BY_KEY));
    check_agreement(listener, CLIENT(.key = SECRET, .tls = BY_KEY));
    kin_listener_free(listener);
}

TEST(tls_by_certificates_opens_the_connection)
{
    begin();
    struct identity authority = make_identity("authority", NULL, NULL);
    struct identity host = make_identity("host", "IP:127.0.0.1", &authority);
    struct identity user = make_identity("user", "DNS:some.user", &authority);
    kin_tls_options server = {.size = sizeof server,
                              .mode = KIN_TLS_CERTIFICATES,
                              .certificate_file = host.certificate_file,
                              .private_key_file = host.key_file,
                              .authority_file = authority.certificate_file};
    kin_tls_options client = server;
    client.certificate_file = user.certificate_file;
    client.private_key_file = user.key_file;
    kin_listener *listener = new_listener(LOOPBACK, LISTENER(.tls = &server));
    check_agreement(listener, CLIENT(.tls = &client));
    kin_listener_free(listener);
    /* The listener does not ask for a certificate: the key is proved inside. */
    server.authority_file = NULL;
    client.certificate_file = NULL;
    client.private_key_file = NULL;
    listener = new_listener(LOOPBACK, LISTENER(.key = SECRET, .tls = &server));
    check_agreement(listener, CLIENT(.key = SECRET, .tls = &client));
    kin_listener_free(listener);
    free_identity(&authority);
    free_identity(&host);
    free_identity(&user);
}

/* The client fails with `code`, and so does the listener's side of it; the next one is served. */
static void check_rejection(kin_listener *listener, const kin_client_options *wrong,
                            const kin_client_options *right, int code)
{
    struct service service;
    kin_connection *connection = NULL;
    kin_connection *accepted = NULL;
    start_service(&service, listener);
    CHECK_EQUAL(kin_client_connect(kin_listener_address(listener), wrong, KIN_FOREVER, &connection),
                code);
    while (counts_of(listener).rejected == 0) { /* a client may know it first */
        pause_a_moment();
    }
    kin_error *error = kin_listener_last_error(listener);
    CHECK_EQUAL(kin_error_code(error), KIN_EAUTHENTICATION);
    kin_error_free(error);
    CHECK_EQUAL(kin_client_connect(kin_listener_address(listener), right, KIN_FOREVER, &connection),
                0);
    accepted = await_service(&service);
    check_message(connection, accepted, "hello");
    kin_connection_free(connection);
    kin_connection_free(accepted);
    CHECK_EQUAL(counts_of(listener).rejected, 1);
}

TEST(a_wrong_key_is_an_error_on_both_sides)
{
    begin();
    kin_listener *listener = new_listener("unix:", LISTENER(.key = SECRET));
    check_rejection(listener, CLIENT(.key = OTHER_SECRET), CLIENT(.key = SECRET),
                    KIN_EAUTHENTICATION);
    kin_listener_free(listener);
    listener = new_listener(LOOPBACK, LISTENER(.key = SECRET, .tls = BY_KEY));
    check_rejection(listener, CLIENT(.key = OTHER_SECRET, .tls = BY_KEY),
                    CLIENT(.key = SECRET, .tls = BY_KEY), KIN_EAUTHENTICATION);
    kin_listener_free(listener);
}

TEST(another_user_is_refused)
{
    begin();
    kin_connection *connection = NULL;
    kin_listener *listener = new_listener("unix:",
                                          LISTENER(.has_peer_user = true, .peer_user = 4242));
    struct service service;
    start_service(&service, listener);
    int fd = silent_client(listener);
    CHECK(is_closed_by_peer(fd));
    close(fd);
    CHECK_EQUAL(end_service(&service), -ECANCELED);
    CHECK_EQUAL(counts_of(listener).rejected, 1);
    kin_listener_free(listener);
    listener = new_listener("unix:", NULL);
    CHECK_EQUAL(kin_client_connect(kin_listener_address(listener),
                                   CLIENT(.has_peer_user = true, .peer_user = 4242), KIN_FOREVER,
                                   &connection),
                KIN_EAUTHENTICATION);
    kin_listener_free(listener);
    listener = new_listener("unix:", LISTENER(.allow_any_user = true));
    check_agreement(listener, CLIENT(.allow_any_user = true));
    kin_listener_free(listener);
}

TEST(plaintext_beyond_loopback_has_to_be_allowed_by_name)
{
    static const char *const addresses[] = {"tcp:0.0.0.0:0", "tcp:192.0.2.1:5000"};
    begin();
    kin_listener *listener = NULL;
    kin_connection *connection = NULL;
    for (size_t i = 0; i < 2; i++) {
        CHECK_EQUAL(kin_listener_create(addresses[i], LISTENER(.key = SECRET), &listener),
                    KIN_EPLAINTEXT);
        CHECK_EQUAL(
            kin_client_connect(addresses[i], CLIENT(.key = SECRET), KIN_FOREVER, &connection),
            KIN_EPLAINTEXT);
    }
    listener = new_listener("tcp:0.0.0.0:0", LISTENER(.key = SECRET, .tls = BY_KEY));
    kin_listener_free(listener);
    listener = new_listener("tcp:0.0.0.0:0",
                            LISTENER(.key = SECRET, .allow_plaintext_beyond_loopback = true));
    check_agreement(listener, CLIENT(.key = SECRET, .allow_plaintext_beyond_loopback = true));
    kin_listener_free(listener);
}

TEST(what_makes_no_sense_is_refused)
{
    begin();
    kin_listener *listener = NULL;
    kin_connection *connection = NULL;
    const kin_listener_options *options[] = {
        &(kin_listener_options){.size = 3},
        LISTENER(.key = {"x", 0}),
        LISTENER(.key = {NULL, 5}),
        LISTENER(.tls = BY_KEY),
        LISTENER(.key = {"short", 5}, .tls = BY_KEY),
        LISTENER(.handshake_timeout_ms = -1),
        LISTENER(.has_peer_user = true, .allow_any_user = true),
        LISTENER(.half_open_count_max = UINT32_MAX),
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        CHECK_EQUAL(kin_listener_create(LOOPBACK, options[i], &listener), -EINVAL);
    }
    CHECK_EQUAL(kin_listener_create("unix:", LISTENER(.key = SECRET, .tls = BY_KEY), &listener),
                -EINVAL);
    CHECK_EQUAL(kin_listener_create("nowhere", NULL, &listener), -EINVAL);
    CHECK_EQUAL(kin_listener_create(LOOPBACK, NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_listener_accept(NULL, KIN_NOW, &connection), -EINVAL);
    CHECK_EQUAL(kin_client_connect("unix:", NULL, KIN_NOW, &connection), -EINVAL);
    CHECK_EQUAL(kin_client_connect("tcp:127.0.0.1:1", NULL, (kin_timeout){0}, &connection),
                -EINVAL);
    CHECK(kin_listener_free(NULL) == NULL);
    CHECK(kin_listener_address(NULL) == NULL);
}

TEST(a_place_that_is_taken_or_missing_is_said)
{
    begin();
    char address[600];
    kin_listener *listener = new_listener("unix:", NULL);
    kin_listener *second = NULL;
    kin_connection *connection = NULL;
    CHECK_EQUAL(kin_listener_create(kin_listener_address(listener), NULL, &second), -EADDRINUSE);
    snprintf(address, sizeof address, "%s", kin_listener_address(listener));
    kin_listener_free(listener);
    CHECK_EQUAL(kin_client_connect(address, NULL, KIN_FOREVER, &connection), -ENOENT);
    listener = new_listener(LOOPBACK, NULL);
    CHECK_EQUAL(kin_listener_create(kin_listener_address(listener), NULL, &second), -EADDRINUSE);
    snprintf(address, sizeof address, "%s", kin_listener_address(listener));
    kin_listener_free(listener);
    CHECK_EQUAL(kin_client_connect(address, NULL, KIN_FOREVER, &connection), -ECONNREFUSED);
    CHECK_EQUAL(kin_listener_create("tcp:192.0.2.1:0",
                                    LISTENER(.allow_plaintext_beyond_loopback = true), &second),
                -EADDRNOTAVAIL);
    CHECK_EQUAL(kin_listener_create("unix:/does/not/exist", NULL, &second), -ENOENT);
}

TEST(a_relative_path_is_found_from_everywhere)
{
    begin();
    REQUIRE(chdir(test_folder()) == 0);
    kin_listener *listener = new_listener("unix:here", NULL);
    REQUIRE(chdir("/") == 0);
    check_agreement(listener, NULL);
    struct stat file;
    CHECK_EQUAL(stat(kin_listener_address(listener) + 5, &file), 0);
    CHECK_EQUAL(file.st_mode & 0777, 0600);
    char path[600];
    snprintf(path, sizeof path, "%s", kin_listener_address(listener) + 5);
    kin_listener_free(listener);
    CHECK(stat(path, &file) != 0);
}

TEST(waiting_for_nobody_ends_as_it_was_told)
{
    begin();
    kin_connection *connection = NULL;
    kin_listener *listener = new_listener("unix:", LISTENER(.key = SECRET));
    CHECK_EQUAL(kin_listener_accept(listener, KIN_NOW, &connection), -EAGAIN);
    CHECK_EQUAL(kin_listener_accept(listener, kin_within_ms(2), &connection), -ETIMEDOUT);
    CHECK_EQUAL(kin_listener_accept(listener, (kin_timeout){0}, &connection), -EINVAL);
    struct service service;
    start_service(&service, listener);
    CHECK_EQUAL(end_service(&service), -ECANCELED);
    /* A client whose listener does not accept. */
    CHECK_EQUAL(kin_client_connect(kin_listener_address(listener), CLIENT(.key = SECRET),
                                   kin_within_ms(2), &connection),
                -ETIMEDOUT);
    CHECK_EQUAL(kin_client_connect(kin_listener_address(listener), CLIENT(.key = SECRET), KIN_NOW,
                                   &connection),
                -EAGAIN);
    CHECK_EQUAL(kin_client_connect(kin_listener_address(listener),
                                   CLIENT(.key = SECRET, .handshake_timeout_ms = 2), KIN_FOREVER,
                                   &connection),
                -ETIMEDOUT);
    kin_listener_free(listener);
}

TEST(a_client_with_a_key_does_not_wait_for_ever_for_a_listener_without)
{
    begin();
    kin_connection *connection = NULL;
    kin_listener *listener = new_listener("unix:", NULL);
    struct service service;
    start_service(&service, listener);
    CHECK_EQUAL(kin_client_connect(kin_listener_address(listener),
                                   CLIENT(.key = SECRET, .handshake_timeout_ms = 20), KIN_FOREVER,
                                   &connection),
                -ETIMEDOUT);
    kin_connection_free(await_service(&service));
    kin_listener_free(listener);
}

TEST(polling_accept_gets_there_as_well)
{
    begin();
    kin_listener *listener = new_listener(LOOPBACK, LISTENER(.key = SECRET));
    struct connector connector = {.address = kin_listener_address(listener),
                                  .options = CLIENT(.key = SECRET)};
    kin_connection *connection = NULL;
    pthread_t thread = thread_start(connect_one, &connector);
    int r = -EAGAIN;
    while (r == -EAGAIN) {
        r = kin_listener_accept(listener, KIN_NOW, &connection);
    }
    CHECK_EQUAL(r, 0);
    thread_join(thread);
    CHECK_EQUAL(connector.result, 0);
    kin_connection_free(connection);
    kin_connection_free(connector.connection);
    kin_listener_free(listener);
}

TEST(several_threads_accept_at_the_same_time)
{
    enum { COUNT = 4 };
    begin();
    kin_listener *listener = new_listener("unix:", LISTENER(.key = SECRET));
    struct acceptor acceptors[COUNT];
    pthread_t threads[COUNT];
    for (int i = 0; i < COUNT; i++) {
        acceptors[i] = (struct acceptor){.listener = listener, .timeout = KIN_FOREVER};
        threads[i] = thread_start(accept_one, &acceptors[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        struct connector connector = {.address = kin_listener_address(listener),
                                      .options = CLIENT(.key = SECRET)};
        connect_one(&connector);
        CHECK_EQUAL(connector.result, 0);
        kin_connection_free(connector.connection);
    }
    for (int i = 0; i < COUNT; i++) {
        thread_join(threads[i]);
        CHECK_EQUAL(acceptors[i].result, 0);
        kin_connection_free(acceptors[i].connection);
    }
    CHECK_EQUAL(counts_of(listener).accepted, COUNT);
    kin_listener_free(listener);
}

TEST(a_message_limit_holds_for_what_is_accepted)
{
    begin();
    char bytes[200] = "";
    size_t size = 0;
    kin_connection *connection = NULL;
    kin_listener *listener = new_listener("unix:", LISTENER(.message_bytes_max = 100));
    struct connector connector = {.address = kin_listener_address(listener)};
    pthread_t thread = thread_start(connect_one, &connector);
    REQUIRE(kin_listener_accept(listener, KIN_FOREVER, &connection) == 0);
    thread_join(thread);
    CHECK_EQUAL(kin_connection_send_bytes(connector.connection, bytes, 101, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_connection_receive_into(connection, bytes, sizeof bytes, KIN_FOREVER, &size),
                -EFBIG);
    kin_connection_free(connection);
    kin_connection_free(connector.connection);
    kin_listener_free(listener);
}

TEST(calls_outside_of_a_family_are_refused)
{
    kin_listener *listener = NULL;
    kin_connection *connection = NULL;
    CHECK_EQUAL(kin_listener_create("unix:", NULL, &listener), KIN_EFAMILY);
    CHECK_EQUAL(kin_client_connect("tcp:127.0.0.1:1", NULL, KIN_NOW, &connection), KIN_EFAMILY);
}

static void try_in_child(void *user)
{
    kin_listener *listener = user;
    kin_connection *connection = NULL;
    CHECK_EQUAL(kin_listener_accept(listener, KIN_NOW, &connection), -ESTALE);
    kin_listener_free(listener);
}

TEST_OF_PROCESSES(a_forked_child_has_no_part_in_its_parents_listener)
{
    begin();
    kin_listener *listener = new_listener("unix:", LISTENER(.key = SECRET));
    child_join(child_start(try_in_child, listener));
    check_agreement(listener, CLIENT(.key = SECRET)); /* the socket file is still there */
    kin_listener_free(listener);
}

static int entries_of(const char *path)
{
    int count = 0;
    DIR *folder = opendir(path);
    REQUIRE(folder != NULL);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count - 2;
}

static void listen_and_stay(void *user)
{
    kin_listener *listener = NULL;
    CHECK_EQUAL(kin_listener_create(user, NULL, &listener), 0);
    atomic_store(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

TEST_OF_PROCESSES(a_listener_that_was_killed_is_succeeded_at_its_path)
{
    char address[600];
    begin();
    snprintf(address, sizeof address, "unix:%s/socket", test_folder());
    pid_t pid = child_start(listen_and_stay, address);
    await_number(0, 1);
    kin_listener *listener = NULL;
    CHECK_EQUAL(kin_listener_create(address, NULL, &listener), -EADDRINUSE);
    child_kill(pid);
    REQUIRE(kin_listener_create(address, NULL, &listener) == 0);
    check_agreement(listener, NULL);
    kin_listener_free(listener);
}

static void stay(void *user)
{
    atomic_store(&numbers[1], (uint64_t)getpid());
    (void)user;
    for (;;) {
        pause();
    }
}

static void listen_with_child(void *user)
{
    kin_listener *listener = NULL;
    kin_connection *connection = NULL;
    CHECK_EQUAL(
        kin_listener_create(user, KIN_OPTIONS(kin_listener_options, .key = SECRET), &listener), 0);
    int fd = silent_client(listener);
    CHECK_EQUAL(kin_listener_accept(listener, KIN_NOW, &connection), -EAGAIN);
    child_start(stay, NULL);
    atomic_store(&numbers[0], 1);
    pause();
    close(fd);
}

/* A child has copies of all fds. Those of a listener it gives up: or nobody would learn that the
 * listener is dead. */
TEST_OF_PROCESSES(a_child_does_not_keep_up_the_listener_of_its_dead_parent)
{
    char address[600];
    begin();
    snprintf(address, sizeof address, "unix:%s/socket", test_folder());
    pid_t pid = child_start(listen_with_child, address);
    await_number(0, 1);
    await_number(1, 1);
    child_kill(pid);
    kin_connection *connection = NULL;
    CHECK_EQUAL(kin_client_connect(address, NULL, KIN_FOREVER, &connection), -ECONNREFUSED);
    kin_listener *listener = NULL;
    CHECK_EQUAL(kin_listener_create(address, NULL, &listener), 0);
    check_agreement(listener, NULL);
    kin_listener_free(listener);
    kill((pid_t)atomic_load(&numbers[1]), SIGKILL);
}

TEST_OF_PROCESSES(the_fresh_folder_of_one_that_was_killed_is_removed_by_the_next)
{
    begin();
    kin_listener *living = new_listener("unix:", NULL);
    pid_t pid = child_start(listen_and_stay, "unix:");
    await_number(0, 1);
    CHECK_EQUAL(entries_of(test_folder()), 2);
    child_kill(pid);
    CHECK_EQUAL(entries_of(test_folder()), 2);
    kin_listener *next = new_listener("unix:", NULL);
    CHECK_EQUAL(entries_of(test_folder()), 2);
    check_agreement(living, NULL);
    check_agreement(next, NULL);
    kin_listener_free(living);
    kin_listener_free(next);
    CHECK_EQUAL(entries_of(test_folder()), 0);
}

static void listen_and_end(void *user)
{
    char address[600];
    (void)user;
    new_listener("unix:", NULL);
    snprintf(address, sizeof address, "unix:%s/socket", test_folder());
    new_listener(address, NULL);
    CHECK_EQUAL(entries_of(test_folder()), 3);
}

TEST_OF_PROCESSES(a_process_that_ends_in_order_leaves_no_socket_file)
{
    begin();
    kin_listener *kept = new_listener("unix:", NULL);
    child_join(child_start(listen_and_end, NULL));
    CHECK_EQUAL(entries_of(test_folder()), 1);
    check_agreement(kept, NULL);
    kin_listener_free(kept);
    CHECK_EQUAL(entries_of(test_folder()), 0);
}

/* A socket file as bind makes it. The fd of the socket. */
static int bind_file(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", test_folder(), name);
    REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

TEST(first_names_that_the_killed_have_left_are_removed_by_the_next_listener_there)
{
    char address[200];
    begin();
    close(bind_file(".kin-0123456789abcdef"));
    int bound = bind_file(".kin-00000000deadbeef"); /* somebody is about to listen */
    close(bind_file(".kin-short"));
    snprintf(address, sizeof address, "unix:%s/here", test_folder());
    kin_listener *listener = new_listener(address, NULL);
    CHECK_EQUAL(entries_of(test_folder()), 3);
    close(bound);
    kin_listener_free(listener);
    listener = new_listener(address, NULL);
    CHECK_EQUAL(entries_of(test_folder()), 2);
    kin_listener_free(listener);
    snprintf(address, sizeof address, "%s/.kin-short", test_folder());
    CHECK_EQUAL(unlink(address), 0);
}
