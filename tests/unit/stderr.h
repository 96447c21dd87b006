/* What a test and its children write to stderr, caught in a file. */
#ifndef UNIT_STDERR_H
#define UNIT_STDERR_H

#include "harness/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CAUGHT_BYTES = 1 << 20 };

struct caught {
    int before; /* the stderr that there was */
    char text[CAUGHT_BYTES];
};

static inline struct caught *catch_stderr(void)
{
    struct caught *caught = malloc(sizeof *caught);
    char path[4096];
    snprintf(path, sizeof path, "%s/stderr", test_folder());
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    REQUIRE(caught != NULL && file >= 0);
    caught->before = dup(STDERR_FILENO);
    REQUIRE(caught->before >= 0 && dup2(file, STDERR_FILENO) == STDERR_FILENO);
    close(file);
    return caught;
}

/* Stops catching; the text is zero-terminated. To be freed. */
static inline struct caught *give_stderr_back(struct caught *caught)
{
    off_t size = lseek(STDERR_FILENO, 0, SEEK_END);
    REQUIRE(size >= 0 && size < CAUGHT_BYTES);
    REQUIRE(pread(STDERR_FILENO, caught->text, (size_t)size, 0) == size);
    caught->text[size] = '\0';
    REQUIRE(dup2(caught->before, STDERR_FILENO) == STDERR_FILENO);
    close(caught->before);
    return caught;
}

#endif
