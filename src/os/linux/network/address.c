#define _GNU_SOURCE
#include "os/address.h"
#include "os/fault.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static_assert(sizeof(struct sockaddr_storage) <= sizeof((struct kin__os_address *)0)->bytes,
              "every address has room");

static int code_of(int result)
{
    switch (result) {
    case EAI_SYSTEM:
        return -errno;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_AGAIN:
        return -EHOSTUNREACH;
    default:
        return -EADDRNOTAVAIL;
    }
}

int kin__os_address_find(const char *host, const char *port, bool to_listen,
                         struct kin__os_address ret_addresses[KIN__OS_ADDRESSES_MAX])
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICSERV | (to_listen ? AI_PASSIVE : 0)};
    struct addrinfo *list = NULL;
    int count = 0;
    KIN__OS_FAULT(EADDRNOTAVAIL);
    int r = getaddrinfo(host, port, &hints, &list);
    if (r != 0) {
        return code_of(r);
    }
    for (struct addrinfo *one = list; one != NULL && count < KIN__OS_ADDRESSES_MAX;
         one = one->ai_next) {
        ret_addresses[count].size = one->ai_addrlen;
        memcpy(ret_addresses[count].bytes, one->ai_addr, one->ai_addrlen);
        count++;
    }
    freeaddrinfo(list);
    return count;
}

static int family_of(const struct kin__os_address *address)
{
    return ((const struct sockaddr *)address->bytes)->sa_family;
}

bool kin__os_address_is_loopback(const struct kin__os_address *address)
{
    if (family_of(address) == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address->bytes;
        return ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    if (family_of(address) == AF_INET6) {
        const struct in6_addr *in = &((const struct sockaddr_in6 *)address->bytes)->sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(in) ||
               (IN6_IS_ADDR_V4MAPPED(in) && in->s6_addr[12] == IN_LOOPBACKNET);
    }
    return false;
}

void kin__os_address_format(const struct kin__os_address *address,
                            char ret_text[KIN__OS_ADDRESS_TEXT_BYTES])
{
    char host[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr_in *in = (const struct sockaddr_in *)address->bytes;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address->bytes;
    if (family_of(address) == AF_INET6) {
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
        snprintf(ret_text, KIN__OS_ADDRESS_TEXT_BYTES, "[%s]:%u", host, ntohs(in6->sin6_port));
    } else {
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
        snprintf(ret_text, KIN__OS_ADDRESS_TEXT_BYTES, "%s:%u", host, ntohs(in->sin_port));
    }
}
