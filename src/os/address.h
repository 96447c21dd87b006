/**
 * Addresses of the internet, as sockets want them.
 */
#ifndef KIN_OS_ADDRESS_H
#define KIN_OS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kin__os_address {
    _Alignas(8) unsigned char bytes[128];
    uint32_t size;
};

enum { KIN__OS_ADDRESSES_MAX = 8, KIN__OS_ADDRESS_TEXT_BYTES = 80 };

/* The addresses of a host, by name or number, with a port; `to_listen`: this machine's own. Asks
 * the system's resolver, which takes the time that it takes. How many, or -EADDRNOTAVAIL: there is
 * no such host; -EHOSTUNREACH: the resolver does not answer; -ENOMEM. */
int kin__os_address_find(const char *host, const char *port, bool to_listen,
                         struct kin__os_address ret_addresses[KIN__OS_ADDRESSES_MAX]);

/* Whether only this machine can reach it. */
bool kin__os_address_is_loopback(const struct kin__os_address *address);

/* Writes it as "127.0.0.1:5000", "[::1]:5000". */
void kin__os_address_format(const struct kin__os_address *address,
                            char ret_text[KIN__OS_ADDRESS_TEXT_BYTES]);

#endif
