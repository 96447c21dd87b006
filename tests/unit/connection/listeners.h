/* Listeners, and clients of all kinds, for tests. Each test starts with begin(). */
#ifndef UNIT_LISTENERS_H
#define UNIT_LISTENERS_H

#include "unit/children.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/client.h>
#include <kin/error.h>
#include <kin/key.h>
#include <kin/listener.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SECRET ((kin_bytes){"0123456789abcdef", 16})
#define OTHER_SECRET ((kin_bytes){"0123456789abcdeF", 16})
#define LOOPBACK "tcp:127.0.0.1:0"

static inline kin_listener *new_listener(const char *address, const kin_listener_options *options)
{
    kin_listener *listener = NULL;
    REQUIRE(setenv("XDG_RUNTIME_DIR", test_folder(), 1) == 0);
    REQUIRE(kin_listener_create(address, options, &listener) == 0);
    return listener;
}

/* A thread that accepts once, and one that connects once. */
struct acceptor {
    kin_listener *listener;
    kin_timeout timeout;
    kin_connection *connection;
    int result;
};

static inline void *accept_one(void *user)
{
    struct acceptor *acceptor = user;
    acceptor->result = kin_listener_accept(acceptor->listener, acceptor->timeout,
                                           &acceptor->connection);
    return NULL;
}

struct connector {
    const char *address;
    const kin_client_options *options;
    kin_connection *connection;
    int result;
};

static inline void *connect_one(void *user)
{
    struct connector *connector = user;
    connector->result = kin_client_connect(connector->address, connector->options, KIN_FOREVER,
                                           &connector->connection);
    return NULL;
}

/* A plain socket, connected to where the listener is; it says nothing. */
static inline int silent_client(const kin_listener *listener)
{
    const char *text = kin_listener_address(listener);
    struct sockaddr_storage address = {0};
    socklen_t size = 0;
    if (strncmp(text, "unix:", 5) == 0) {
        struct sockaddr_un *local = (struct sockaddr_un *)&address;
        local->sun_family = AF_UNIX;
        REQUIRE(strlen(text + 5) < sizeof local->sun_path);
        memcpy(local->sun_path, text + 5, strlen(text + 5) + 1);
        size = sizeof *local;
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *)&address;
        in->sin_family = AF_INET;
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        in->sin_port = htons((uint16_t)atoi(strrchr(text, ':') + 1));
        size = sizeof *in;
    }
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0);
    REQUIRE(connect(fd, (struct sockaddr *)&address, size) == 0);
    return fd;
}

/* Whether the other side closes the connection, in the end. */
static inline bool is_closed_by_peer(int fd)
{
    char bytes[512];
    ssize_t r = 0;
    do {
        r = recv(fd, bytes, sizeof bytes, 0);
    } while (r > 0);
    return r == 0 || errno == ECONNRESET;
}

static inline kin_listener_counts counts_of(kin_listener *listener)
{
    kin_listener_counts counts = {0};
    CHECK_EQUAL(kin_listener_count(listener, &counts), 0);
    return counts;
}

static inline void check_message(kin_connection *from, kin_connection *to, const char *text)
{
    char bytes[64] = "";
    size_t size = 0;
    CHECK_EQUAL(kin_connection_send_bytes(from, text, strlen(text), KIN_FOREVER), 0);
    CHECK_EQUAL(kin_connection_receive_into(to, bytes, sizeof bytes, KIN_FOREVER, &size), 0);
    CHECK_EQUAL(size, strlen(text));
    CHECK_BYTES(bytes, text, size);
}

/* A client and a listener that are to agree: both talk. */
static inline void check_agreement(kin_listener *listener, const kin_client_options *options)
{
    struct connector connector = {.address = kin_listener_address(listener), .options = options};
    kin_connection *connection = NULL;
    pthread_t thread = thread_start(connect_one, &connector);
    CHECK_EQUAL(kin_listener_accept(listener, KIN_FOREVER, &connection), 0);
    thread_join(thread);
    CHECK_EQUAL(connector.result, 0);
    if (connector.result == 0 && connection != NULL) {
        check_message(connector.connection, connection, "question");
        check_message(connection, connector.connection, "answer");
    }
    kin_connection_free(connection);
    kin_connection_free(connector.connection);
}

/* Runs accept in a thread until its token fires. */
struct service {
    struct acceptor acceptor;
    kin_cancel *cancel;
    pthread_t thread;
};

static inline void start_service(struct service *service, kin_listener *listener)
{
    *service = (struct service){.acceptor.listener = listener};
    REQUIRE(kin_cancel_create(&service->cancel) == 0);
    service->acceptor.timeout = kin_by(INT64_MAX, service->cancel);
    service->thread = thread_start(accept_one, &service->acceptor);
}

/* Ends it; it has accepted nobody. */
static inline int end_service(struct service *service)
{
    kin_cancel_request(service->cancel);
    thread_join(service->thread);
    kin_cancel_free(service->cancel);
    return service->acceptor.result;
}

/* Whom it accepts. A client knows that it is in a moment before. */
static inline kin_connection *await_service(struct service *service)
{
    thread_join(service->thread);
    kin_cancel_free(service->cancel);
    CHECK_EQUAL(service->acceptor.result, 0);
    return service->acceptor.connection;
}

#endif
