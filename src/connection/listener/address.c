#include "connection/listener/address.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define UNIX_PREFIX "unix:"
#define TCP_PREFIX "tcp:"

enum { PORT_MAX = 65535 };

static bool is_port(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > 5 || strspn(text, "0123456789") != size) {
        return false;
    }
    return strtol(text, NULL, 10) <= PORT_MAX;
}

/* "host:port" or "[host]:port"; only the second may have colons in the host. */
static int parse_tcp(const char *text, struct kin__address *address)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || !is_port(colon + 1)) {
        return -EINVAL;
    }
    const char *host = text;
    size_t size = (size_t)(colon - text);
    if (size >= 2 && host[0] == '[' && host[size - 1] == ']') {
        host++;
        size -= 2;
    } else if (memchr(host, ':', size) != NULL) {
        return -EINVAL;
    }
    if (size == 0 || size >= sizeof address->host) {
        return -EINVAL;
    }
    memcpy(address->host, host, size);
    address->host[size] = '\0';
    memcpy(address->port, colon + 1, strlen(colon + 1) + 1);
    return 0;
}

int kin__address_parse(const char *text, struct kin__address *ret_address)
{
    struct kin__address address = {.path = ""};
    int r = -EINVAL;
    if (text == NULL) {
        return -EINVAL;
    }
    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0) {
        address.is_unix = true;
        address.path = text + strlen(UNIX_PREFIX);
        size_t size = strlen(address.path);
        r = size > 0 && address.path[size - 1] == '/' ? -EINVAL : 0;
    } else if (strncmp(text, TCP_PREFIX, strlen(TCP_PREFIX)) == 0) {
        r = parse_tcp(text + strlen(TCP_PREFIX), &address);
    }
    if (r == 0) {
        *ret_address = address;
    }
    return r;
}
