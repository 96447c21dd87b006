/* Files that a test left behind. Internal to the runner. */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>

/* Names of the folders that test_folder() gives; not counted as left behind. */
#define FILES_FOLDER_PREFIX "kin-test-"

/**
 * Remembers the entries of /dev/shm and /tmp that this user owns.
 */
void files_remember(void);

/**
 * When no process of the test is left: fails the test for each new one, after a moment for those
 * that are just going away. With `only_suspect`, those that may be of another program are no
 * failure yet: returns whether there are some.
 */
bool files_report(int grace_ms, bool only_suspect);

/**
 * Fails the test for each entry of a folder that was empty before it, after a moment.
 */
void files_report_folder(const char *path, int grace_ms);

#endif
