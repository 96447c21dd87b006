/**
 * Where a listener is, as text: "unix:/path", "unix:" and "tcp:host:port".
 */
#ifndef KIN_CONNECTION_LISTENER_ADDRESS_H
#define KIN_CONNECTION_LISTENER_ADDRESS_H

#include <stdbool.h>

enum { KIN__ADDRESS_HOST_BYTES = 256, KIN__ADDRESS_TEXT_BYTES = 4096 + 8 };

struct kin__address {
    bool is_unix;
    const char *path;                   /* unix: in the text; empty: a fresh one is wanted */
    char host[KIN__ADDRESS_HOST_BYTES]; /* tcp */
    char port[6];
};

/* Takes a text apart; it must live as long as the address. 0, or -EINVAL: it is no address. */
int kin__address_parse(const char *text, struct kin__address *ret_address);

#endif
