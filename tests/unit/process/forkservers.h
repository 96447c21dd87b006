/* A forkserver, as the tests of it look at it. */
#ifndef FORKSERVERS_H
#define FORKSERVERS_H

#include "../children.h"
#include "process/runtime.h"
#include "processes.h"

#include <fcntl.h>

static inline void begin_serving(void)
{
    REQUIRE(kin_init(NULL, NULL) == 0 && kin__keeper_need() == 0);
    method = kin_context_get(KIN_FORKSERVER);
    REQUIRE(method != NULL);
}

static inline pid_t server_pid(void)
{
    return (pid_t)kin__member_of(kin__forkserver.owner)->pid;
}

/* What is printed to stderr meanwhile goes nowhere. */
static inline int hide_stderr(void)
{
    int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    REQUIRE(kept >= 0 && null >= 0 && dup2(null, STDERR_FILENO) == STDERR_FILENO);
    close(null);
    return kept;
}

static inline void show_stderr(int kept)
{
    REQUIRE(dup2(kept, STDERR_FILENO) == STDERR_FILENO);
    close(kept);
}

#endif
