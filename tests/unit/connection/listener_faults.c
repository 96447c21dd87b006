/* Each allocation and each call to the system fails once while a listener and a client are made and
 * find each other. */
#include "base/fault.h"
#include "os/fault.h"
#include "unit/connection/listeners.h"

#define BY_KEY KIN_OPTIONS(kin_tls_options, .mode = KIN_TLS_KEY)

#ifdef KIN_FAULTS

static void fail_at(bool is_system, uint64_t n)
{
    if (is_system) {
        kin__os_fail_at(n);
    } else {
        kin__allocation_fail_at(n);
    }
}

static void check_creation(const char *address, const kin_listener_options *options)
{
    for (int is_system = 0; is_system < 2; is_system++) {
        int r = -1;
        for (uint64_t n = 1; r < 0 && n < 100; n++) {
            kin_listener *listener = NULL;
            fail_at(is_system, n);
            r = kin_listener_create(address, options, &listener);
            fail_at(is_system, 0);
            CHECK(r == 0 || listener == NULL);
            kin_listener_free(listener);
        }
        CHECK_EQUAL(r, 0);
    }
}

TEST(a_listener_that_cannot_be_made_leaves_nothing_behind)
{
    begin();
    REQUIRE(setenv("XDG_RUNTIME_DIR", test_folder(), 1) == 0);
    check_creation("unix:", NULL);
    check_creation("unix:", KIN_OPTIONS(kin_listener_options, .key = SECRET));
    check_creation(LOOPBACK, KIN_OPTIONS(kin_listener_options, .key = SECRET, .tls = BY_KEY));
}

/* Takes who is left from a round that failed. */
static void drain(kin_listener *listener)
{
    kin_connection *connection = NULL;
    while (kin_listener_accept(listener, KIN_NOW, &connection) == 0) {
        kin_connection_free(connection);
    }
}

static void check_round(kin_listener *listener, bool is_system, uint64_t n, int results[2])
{
    kin_connection *client = NULL;
    kin_connection *server = NULL;
    fail_at(is_system, n);
    results[0] = kin_client_connect(kin_listener_address(listener), NULL, KIN_FOREVER, &client);
    results[1] = kin_listener_accept(listener, KIN_NOW, &server);
    fail_at(is_system, 0);
    if (results[0] == 0 && results[1] == 0) {
        check_message(client, server, "hello");
    }
    kin_connection_free(client);
    kin_connection_free(server);
    drain(listener);
}

TEST(each_fault_costs_one_connection_at_most)
{
    static const char *const addresses[] = {"unix:", LOOPBACK};
    begin();
    for (size_t i = 0; i < 2; i++) {
        kin_listener *listener = new_listener(addresses[i], NULL);
        for (int is_system = 0; is_system < 2; is_system++) {
            uint64_t failures = 0;
            for (uint64_t n = 1; n < 40; n++) {
                int results[2];
                check_round(listener, is_system, n, results);
                failures += results[0] != 0 || results[1] != 0;
            }
            CHECK(failures >= 3);
            int results[2];
            check_round(listener, is_system, 0, results);
            CHECK_EQUAL(results[0], 0);
            CHECK_EQUAL(results[1], 0);
        }
        kin_listener_free(listener);
    }
}

/* A thread: accepts, also after a failure, until there is a connection or the token fires. */
static void *accept_stubbornly(void *user)
{
    struct acceptor *acceptor = user;
    do {
        accept_one(acceptor);
    } while (acceptor->result != 0 && acceptor->result != -ECANCELED);
    return NULL;
}

/* With a key, both sides have to do something in turn. A fault that hits one of them is noticed by
 * the other. */
TEST(a_fault_in_a_handshake_is_an_end_of_it)
{
    begin();
    for (int by_tls = 0; by_tls < 2; by_tls++) {
        const kin_tls_options *tls = by_tls ? BY_KEY : NULL;
        kin_listener *listener = new_listener(
            LOOPBACK, KIN_OPTIONS(kin_listener_options, .key = SECRET, .tls = tls));
        const kin_client_options *options = KIN_OPTIONS(kin_client_options, .key = SECRET,
                                                        .tls = tls);
        for (uint64_t n = 1; n < 60; n++) {
            kin_cancel *cancel = NULL;
            REQUIRE(kin_cancel_create(&cancel) == 0);
            struct acceptor acceptor = {.listener = listener, .timeout = kin_by(INT64_MAX, cancel)};
            struct connector connector = {.address = kin_listener_address(listener),
                                          .options = options};
            pthread_t thread = thread_start(accept_stubbornly, &acceptor);
            fail_at(n % 2, n / 2);
            connect_one(&connector);
            fail_at(n % 2, 0);
            kin_cancel_request(cancel);
            thread_join(thread);
            kin_connection_free(acceptor.connection);
            kin_connection_free(connector.connection);
            kin_cancel_free(cancel);
            drain(listener);
        }
        check_agreement(listener, options);
        kin_listener_free(listener);
    }
}

#endif

typedef int listener_faults_is_not_empty;
