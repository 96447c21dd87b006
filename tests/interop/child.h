/*
 * A CPython child that a C program starts, by the protocol of multiprocessing's start method
 * "spawn": a command line, and two pickles on a pipe, whose other end stays open in the parent.
 */
#ifndef INTEROP_CHILD_H
#define INTEROP_CHILD_H

#include <kin.h>
#include <sys/types.h>

enum { CHILD_FD_MAX = 4 };

struct child {
    pid_t pid;
    int pipe; /* its end tells the child that the parent has gone */
};

/* What a child is to run: a function of child_functions.py. */
struct child_plan {
    const char *function;
    kin_object *arguments; /* a tuple; taken */
    kin_object *keywords;  /* a dict or NULL; taken */
    int fds[CHILD_FD_MAX]; /* that the child gets, at the same numbers */
    size_t fd_count;
};

struct child child_start(const struct child_plan *plan);

/* Waits for its end; returns what waitpid says. */
int child_wait(struct child *child);

/* A connection as an argument of the function; its fd must be among those of the plan. */
kin_object *child_connection(int fd);

/* A lock as an argument: a semaphore with a name. */
kin_object *child_lock(const char *name);

#endif
