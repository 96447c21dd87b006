/**
 * Waiting for connections from other programs: over unix sockets on this machine, over TCP from
 * others. Programs of kin and of CPython's multiprocessing.connection can connect, see
 * kin/client.h.
 *
 * An address is a text:
 *
 *     unix:/path/to/socket   a socket file
 *     unix:                  one in a fresh folder that only this user can enter
 *     tcp:127.0.0.1:5000     a port; tcp:[::1]:5000; port 0: one that is free
 *
 * Who connects has to prove that he has the listener's key, and the listener proves the same to
 * him. On unix sockets the kernel also says who he is, and other users are refused.
 */
#ifndef KIN_LISTENER_H
#define KIN_LISTENER_H

#include <kin/connection.h>
#include <kin/error.h>
#include <kin/export.h>
#include <kin/family.h>
#include <kin/timeout.h>
#include <kin/tls.h>
#include <stdbool.h>
#include <stdint.h>

KIN_BEGIN

/**
 * A listener: it belongs to the process that made it. In a forked child, calls on it say -ESTALE.
 *
 * At the end of a process that has not freed it, its socket file is removed by a finalizer.
 *
 * Peer death: when the process dies, who connects is refused by the kernel. The socket file stays
 * then, until the next listener at the same path replaces it; one in a fresh folder is removed with
 * it when the same user makes the next such folder.
 */
typedef struct kin_listener kin_listener;

/** What kin_listener_create can be told. */
typedef struct kin_listener_options {
    size_t size; /* of this struct */

    /* What proves that somebody belongs here; copied. No `data`: nobody is asked for anything. At
     * least 1 byte; KIN_KEY_BYTES from kin_key_generate are right. */
    kin_bytes key;

    bool require_sha256; /* refuse CPython up to 3.11, which can MD5 only */

    uint64_t message_bytes_max; /* see kin_connection_options; 0: no limit */

    const kin_tls_options *tls; /* copied; NULL: no TLS. Only for tcp */

    /* Without TLS, beyond the loopback interface: everybody on the way can read and change all.
     * Without this such a listener is refused with KIN_EPLAINTEXT. */
    bool allow_plaintext_beyond_loopback;

    int64_t handshake_timeout_ms; /* from accept until the peer has proved itself; default: 10000 */
    uint32_t half_open_count_max; /* peers that have not proved themselves yet; default: 128 */
    uint32_t connection_count_max; /* open at a time; default: 1024 */

    /* Who may connect to a unix socket. Default: the user of this process, nobody else. */
    bool has_peer_user;
    uint32_t peer_user; /* with `has_peer_user`: this one instead */
    bool allow_any_user;
} kin_listener_options;

/** What became of those who came. All counts since the listener was made. */
typedef struct kin_listener_counts {
    uint64_t accepted;  /* became connections */
    uint64_t rejected;  /* wrong key, no key, MD5 only, another user */
    uint64_t malformed; /* did not speak the protocol */
    uint64_t timed_out; /* proved nothing in time */
    uint64_t left;      /* closed or broke the connection themselves */
    uint64_t dropped;   /* were over one of the limits, or this process had no fd or memory left */
    uint64_t half_open; /* at the moment */
} kin_listener_counts;

/**
 * Listens at `address`. NULL options: no key, no TLS. Free it with kin_listener_free.
 *
 * Returns 0, or
 *   -EINVAL         no such address; an option is out of its range
 *   KIN_EPLAINTEXT  the address can be reached from other machines, and there is no TLS
 *   -EADDRINUSE     somebody listens there, or a file of that name is no socket of this user
 *   -EADDRNOTAVAIL  it is not this machine's
 *   -EACCES, -ENOENT, -ENAMETOOLONG  of the socket file
 *   KIN_EAUTHENTICATION  the certificate, its key or the authority cannot be used
 *   KIN_EOPENSSL    a key or TLS is wanted, and OpenSSL cannot be loaded, see kin/tls.h
 */
KIN_API int kin_listener_create(const char *address, const kin_listener_options *options,
                                kin_listener **ret_listener);

/**
 * Stops listening, removes the socket file, drops who is half open; NULL is fine. Connections that
 * were accepted stay. Returns NULL.
 */
KIN_API kin_listener *kin_listener_free(kin_listener *listener);

/** The address to connect to, with the port or path that was chosen. Lives as long as it. */
KIN_API const char *kin_listener_address(const kin_listener *listener);

/**
 * Waits for the next one who connects and proves that he belongs here.
 *
 * Everybody who comes is served at the same time: who is silent, slow or hostile holds up nobody
 * else. One who fails is no failure of this call, which goes on to wait; kin_listener_count and
 * kin_listener_last_error tell about him. Handshakes move on only while somebody is in here.
 *
 * Returns 0, or
 *   -EAGAIN      nobody is ready, and the timeout is KIN_NOW
 *   -ETIMEDOUT   nobody before the deadline
 *   -ECANCELED   the token fired
 *   -ESTALE      the listener is another process's
 *
 * Threads: several may wait; each connection goes to one of them.
 */
KIN_API int kin_listener_accept(kin_listener *listener, kin_timeout timeout,
                                kin_connection **ret_connection);

/** Tells what became of those who came. Returns 0, or -EINVAL. */
KIN_API int kin_listener_count(kin_listener *listener, kin_listener_counts *ret_counts);

/**
 * Why the last one failed who was turned away, with his address where he has one; NULL: nobody was.
 * The caller frees it with kin_error_free.
 */
KIN_API kin_error *kin_listener_last_error(kin_listener *listener);

KIN_END

#endif
