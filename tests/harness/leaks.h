/* What a test left behind in its process. Internal to the runner. */
#ifndef LEAKS_H
#define LEAKS_H

#include <sys/types.h>

/**
 * Remembers the fds, threads and shared mappings of this process.
 */
void leaks_remember(void);

/**
 * Fails the test for every fd, thread, shared mapping and child that is there now and was
 * not when leaks_remember() was called, and for every fd that is gone or is another now.
 */
void leaks_report(void);

/**
 * Writes name, state and place in the kernel of each thread of a process to stderr.
 */
void leaks_show_threads(pid_t pid);

#endif
