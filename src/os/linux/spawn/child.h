/**
 * The child's side of a start: what it does between the clone and the exec. Both sides are told in
 * os/linux/spawn.c.
 */
#ifndef KIN_OS_LINUX_SPAWN_CHILD_H
#define KIN_OS_LINUX_SPAWN_CHILD_H

#include "os/spawn.h"

#include <stdbool.h>
#include <stdint.h>

#define KIN__SPAWN_STACK_BYTES 8192

/* As the kernel has it, which knows as many signals as there are bits. */
typedef uint64_t kin__spawn_signals;

/* Written by the child. */
struct kin__spawn_report {
    enum kin__os_spawn_stage stage; /* START: nothing has failed */
    int code;
};

/* Written by the parent before the clone, except for `sources`. */
struct kin__spawn_start {
    const struct kin__os_spawn *spawn;
    char *const *envp;
    const char *files; /* to be tried, one after the other, each with its zero; then an empty one */
    bool searches;     /* they are those of PATH */
    int *sources;      /* of the child's fds; the child's to change */
    bool keeps_memory; /* the child shares it */
    bool has_handlers; /* the clone does not reset them */
    struct kin__spawn_report *report;
    _Alignas(16) char stack[KIN__SPAWN_STACK_BYTES];
};

/* Goes all the steps, on a stack of its own, with all signals blocked. Does not come back: the
 * child has become the program, or has reported why not and ended. */
int kin__spawn_child_run(void *user);

#endif
