/* kin_listener and kin_client_connect: one process accepts, the others connect. Those that are
 * silent are sockets of the last client, which says nothing through them. */
#include "harness_kin.h"

#include <kin.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ADDRESS_BYTES = 4096 };

static unsigned char key[KIN_KEY_BYTES];
static char *address; /* of the listener; shared */
static uint64_t connection_count;
static uint64_t client_count;
static uint64_t silent_count;

static void connect_silently(void)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    strncpy(place.sun_path, address + strlen("unix:"), sizeof place.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&place, sizeof place) != 0) {
        harness_die("a silent client cannot connect");
    }
}

static void connect_times(uint64_t count)
{
    kin_client_options options = {.size = sizeof options, .key = {key, sizeof key}};
    for (uint64_t i = 0; i < count; i++) {
        kin_connection *connection = NULL;
        harness_must(kin_client_connect(address, &options, KIN_FOREVER, &connection), "connect");
        kin_connection_free(connection);
    }
}

static void accept_times(kin_listener *listener, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        kin_connection *connection = NULL;
        harness_must(kin_listener_accept(listener, KIN_FOREVER, &connection), "accept");
        kin_connection_free(connection);
    }
}

static void serve(void)
{
    kin_listener *listener = NULL;
    kin_listener_options options = {.size = sizeof options, .key = {key, sizeof key}};
    const char *place = harness_number_or("tcp", 0) ? "tcp:127.0.0.1:0" : "unix:";
    harness_must(kin_listener_create(place, &options, &listener), "kin_listener_create");
    strncpy(address, kin_listener_address(listener), ADDRESS_BYTES - 1);
    harness_meet();
    accept_times(listener, client_count);
    harness_meet();
    harness_begin();
    accept_times(listener, connection_count / client_count * client_count);
    harness_end();
    kin_listener_free(listener);
}

static void run(unsigned index)
{
    if (index == 0) {
        serve();
        return;
    }
    harness_meet();
    for (uint64_t i = 0; i < silent_count && index == client_count; i++) {
        connect_silently();
    }
    connect_times(1);
    harness_meet();
    harness_begin();
    connect_times(connection_count / client_count);
    harness_end();
}

int main(int argc, char **argv)
{
    harness_open(argc, argv);
    connection_count = harness_number("connections");
    client_count = harness_number("clients");
    silent_count = harness_number_or("silent", 0);
    address = harness_share(ADDRESS_BYTES);
    harness_must(kin_init(NULL, NULL), "kin_init");
    harness_must(kin_key_generate(key, sizeof key), "kin_key_generate");
    unsigned count = (unsigned)client_count + 1;
    harness_run(&harness_kin, count, run);
    harness_report((double)(connection_count / client_count * client_count) / harness_seconds());
    return 0;
}
