/**
 * A listener, in the process that made it.
 *
 *     a client connects -> the kernel's line -> half open (`crowd`) -> a kin_connection
 *                                                             \-> turned away, and counted
 *
 * One thread at a time, who holds `turn`, drives all that is half open; the others who accept wait
 * for the turn. See crowd.h for who is let in and who has to go.
 */
#ifndef KIN_CONNECTION_LISTENER_LISTENER_H
#define KIN_CONNECTION_LISTENER_LISTENER_H

#include "connection/listener/crowd.h"
#include "connection/listener/terms.h"
#include "os/listen.h"

#include <kin/finalizer.h>
#include <kin/listener.h>
#include <kin/lock.h>
#include <stdatomic.h>
#include <threads.h>

/* The socket file, and the folder made for it. It is removed by a finalizer: when the listener is
 * freed, or at the end of a process that has not freed it. */
struct kin__socket_file {
    struct kin__os_place place;
    char *folder; /* NULL: none was made */
    bool is_there;
    _Atomic bool is_removed; /* the last that the finalizer writes */
};

struct kin_listener {
    struct kin__list_node node; /* of kin__listeners; in a forked child of none */
    uint32_t pid;
    int fd;                        /* that listens */
    struct kin__address address;   /* as it was asked for; its text is not kept */
    struct kin__socket_file *file; /* of a unix socket; NULL: none */
    kin_finalizer *remover;        /* NULL: it could not be made */
    char *text;                    /* the address to connect to */
    kin_lock *turn;
    struct kin__terms terms;
    struct kin__crowd crowd; /* whoever has the turn */
    mtx_t lock;              /* over the rest */
    kin_listener_counts counts;
    int last_code; /* of who was turned away last; 0: nobody was */
    char last_peer[KIN__OS_ADDRESS_TEXT_BYTES];
};

/* What fork does to the listeners; the layer's runtime.c registers them. */
extern const struct kin__layer_hooks kin__listener_hooks;

/* Remembers what became of one who was turned away; `peer`: NULL or empty: he has no address. */
void kin__listener_note(kin_listener *listener, int code, const struct kin__os_address *peer);

/* The same for one who had to go because of a limit, or since this process has run out of
 * something. */
void kin__listener_note_dropped(kin_listener *listener, const struct kin__os_address *peer);

#endif
