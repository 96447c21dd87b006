/* What a test left behind. Internal to the runner. */
#ifndef LEAKS_H
#define LEAKS_H

#include <stdbool.h>
#include <sys/types.h>

/* Names of the folders that test_folder() gives; not counted as left behind. */
#define LEAKS_FOLDER_PREFIX "kin-test-"

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
 * Remembers the entries of /dev/shm and /tmp that this user owns.
 */
void leaks_remember_files(void);

/**
 * Fails the test for each new one, after a moment for those that are just going away. With
 * `only_suspect`, new entries of /tmp are no failure yet: returns whether there are some.
 */
bool leaks_report_files(int grace_ms, bool only_suspect);

/**
 * Fails the test for each entry of a folder that was empty before it, after a moment.
 */
void leaks_report_folder(const char *path, int grace_ms);

/**
 * Writes name, state and place in the kernel of each thread of a process to stderr.
 */
void leaks_show_threads(pid_t pid);

#endif
