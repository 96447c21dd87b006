/**
 * Connecting to a listener (kin/listener.h), or to one of CPython's multiprocessing.connection.
 */
#ifndef KIN_CLIENT_H
#define KIN_CLIENT_H

#include <kin/connection.h>
#include <kin/export.h>
#include <kin/family.h>
#include <kin/timeout.h>
#include <kin/tls.h>
#include <stdbool.h>
#include <stdint.h>

KIN_BEGIN

/** What kin_client_connect can be told. */
typedef struct kin_client_options {
    size_t size; /* of this struct */

    /* What the listener has as well; copied. No `data`: nothing is proved, by either side. */
    kin_bytes key;

    bool require_sha256; /* refuse CPython up to 3.11, which can MD5 only */

    uint64_t message_bytes_max; /* see kin_connection_options; 0: no limit */

    const kin_tls_options *tls; /* NULL: no TLS. Only for tcp */

    /* Without TLS, beyond the loopback interface: everybody on the way can read and change all.
     * Without this such a connection is refused with KIN_EPLAINTEXT. */
    bool allow_plaintext_beyond_loopback;

    /* Both sides must have proved themselves within this time, also if the call may wait longer:
     * a listener without a key never says a word to a client with one. Default: 10000. */
    int64_t handshake_timeout_ms;

    /* Whose listener it may be, on a unix socket. Default: the user of this process, or root. */
    bool has_peer_user;
    uint32_t peer_user; /* with `has_peer_user`: this one instead */
    bool allow_any_user;
} kin_client_options;

/**
 * Connects to the listener at `address` (see kin/listener.h). NULL options: no key, no TLS. The
 * name of a host is looked up by the system, in the time that this takes.
 *
 * Returns 0, or
 *   -EINVAL         no such address; an option is out of its range
 *   -ENOENT, -ECONNREFUSED  nobody listens there
 *   -EADDRNOTAVAIL, -EHOSTUNREACH, -ENETUNREACH  there is no such host, or no way to it
 *   KIN_EPLAINTEXT  the address is on another machine, and there is no TLS
 *   KIN_EAUTHENTICATION  one side has not the key, certificate or user that the other one wants
 *   KIN_EDIGEST     it can MD5 only, and sha256 is required
 *   -EBADMSG, -EPROTO    the other side speaks another protocol
 *   -ECONNRESET     it closed the connection
 *   -EAGAIN, -ETIMEDOUT, -ECANCELED  not in time: nobody accepted, or the other side is silent
 *   KIN_EOPENSSL    a key or TLS is wanted, and OpenSSL cannot be loaded, see kin/tls.h
 */
KIN_API int kin_client_connect(const char *address, const kin_client_options *options,
                               kin_timeout timeout, kin_connection **ret_connection);

KIN_END

#endif
