/* The children of this process: the layer's only mutable file-scope state. */
#ifndef KIN_PROCESS_RUNTIME_H
#define KIN_PROCESS_RUNTIME_H

#include "base/list.h"
#include "process/record.h"

#include <kin/process.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <threads.h>

struct kin__children {
    mtx_t lock;            /* guards the list and what changes in its elements; taken around fork */
    struct kin__list list; /* of kin_process */
    struct kin__list commands; /* of kin_command: those that were started, until they are freed */
    kin_process *self;         /* NULL: not asked for yet; in the list, as all */
    kin_process *parent;
    struct kin__record *record; /* of this process, if kin has started it; written before any
                                 * function of the program runs in it */
    int null_fd; /* of /dev/null, once a child was started: its input; and closed when there is no
                  * other fd for it; -1: none; under the lock */
    _Atomic uint32_t default_method; /* 0: not set */
    char *executable; /* that spawned children run; NULL: this program; under the lock */
};

/* This process's own forkserver, see forkserver/client.c. */
struct kin__forkserver {
    mtx_t lock;        /* guards what a forked child looks at: the fds, the list; taken around
                          * fork, never held while anything is waited for */
    cnd_t idle;        /* is_busy has become false */
    bool is_busy;      /* a thread is at it, which alone reads and writes the rest */
    int socket;        /* to the server; -1: there is none */
    int server_socket; /* the other end, while a server is being started; else -1 */
    struct kin__list servers; /* kin_process of all that have not been waited for */
    uint32_t owner;           /* the member of the server that has the socket */
    uint64_t number;          /* of the last order */
    int64_t answer_ms;        /* how long a server may take to do what it always does at once, */
    int64_t ready_ms;         /* to run what is preloaded, */
    int64_t leave_ms;         /* and to end with this process; constant, but for tests */
    kin_object *preloads;     /* a list of tuples {name, arguments} of functions; NULL: none */
};

extern struct kin__children kin__children;
extern struct kin__forkserver kin__forkserver;
extern kin_function_entry kin__run_entry;   /* of the function that runs objects; see object.c */
extern kin_function_entry kin__serve_entry; /* of kin__forkserver_serve */

/* Sees to it that null_fd is open, or closes it: whether it was. 0, -EMFILE, -ENOENT. */
int kin__children_open_null(void);
bool kin__children_close_null(void);

/* In a child: its standard input is /dev/null. */
void kin__children_empty_input(bool is_used);

/* Waits for those that have ended and were freed before, and for forkservers. */
void kin__children_sweep(void);

#endif
