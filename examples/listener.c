/*
 * A listener, a guest with the right key and a stranger with another one. See
 * docs/guide/connections.md.
 */
#include <kin.h>
#include <stdio.h>
#include <string.h>

static unsigned char key[KIN_KEY_BYTES]; /* children have it by fork */
static unsigned char wrong_key[KIN_KEY_BYTES];

static int visit(kin_call *call, const unsigned char *with)
{
    const char *address = kin_call_bytes(call).data;
    kin_connection *host = NULL;
    char answer[32];
    size_t size;
    int r = kin_client_connect(address,
                               KIN_OPTIONS(kin_client_options, .key = {with, KIN_KEY_BYTES}),
                               kin_within_ms(60000), &host);
    if (r == 0) {
        kin_connection_send_bytes(host, "good evening", 12, KIN_FOREVER);
        r = kin_connection_receive_into(host, answer, sizeof answer, KIN_FOREVER, &size);
    }
    kin_connection_free(host);
    return r;
}

static int guest(kin_call *call)
{
    return visit(call, key);
}
KIN_FUNCTION(guest)

static int stranger(kin_call *call)
{
    return visit(call, wrong_key) == KIN_EAUTHENTICATION ? 0 : 1;
}
KIN_FUNCTION(stranger)

static kin_process *start(kin_function *function, const char *address)
{
    kin_process *process = NULL;
    kin_process_start_bytes(function, address, strlen(address) + 1, NULL, &process);
    return process;
}

int main(int argc, char **argv)
{
    kin_init(&argc, &argv);
    kin_key_generate(key, sizeof key);
    kin_key_generate(wrong_key, sizeof wrong_key);
    kin_listener *listener;
    /* A socket in a fresh folder that only this user can enter. */
    if (kin_listener_create("unix:", KIN_OPTIONS(kin_listener_options, .key = {key, sizeof key}),
                            &listener) < 0) {
        return 1;
    }
    kin_connection *connection = NULL;
    kin_process *one = start(stranger, kin_listener_address(listener));
    while (kin_process_is_alive(one)) { /* who is turned away is no failure of accept */
        kin_listener_accept(listener, kin_within_ms(10), &connection);
    }
    kin_error *why = kin_listener_last_error(listener);
    printf("%s\n", kin_error_message(why));
    kin_error_free(why);

    char text[32] = "";
    size_t size;
    kin_process *other = start(guest, kin_listener_address(listener));
    if (kin_listener_accept(listener, kin_within_ms(60000), &connection) == 0 &&
        kin_connection_receive_into(connection, text, sizeof text - 1, KIN_FOREVER, &size) == 0) {
        printf("a guest says: %s\n", text);
        kin_connection_send_bytes(connection, "come in", 7, KIN_FOREVER);
    }
    kin_connection_free(connection);
    kin_process_join(one, KIN_FOREVER);
    kin_process_join(other, KIN_FOREVER);
    kin_process_free(one);
    kin_process_free(other);
    kin_listener_free(listener);
    kin_key_wipe(key, sizeof key);
    return 0;
}
