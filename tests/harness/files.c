/*
 * Looks for files that a test left behind, once all its processes have ended.
 *
 * /dev/shm and /tmp are shared with all the machine, so not each new file there is of the test:
 *
 *     in /tmp, not called kin-... or sem.kin-...    of others; a test's own go to its TMPDIR
 *     made after all of the test had ended          of others
 *     in /dev/shm, and open or mapped               of others, who live
 *     in /dev/shm, called kin-... or sem.kin-...    left behind
 *     any other                                     perhaps: another run of the test says
 *
 * The last ones are what somebody else has left, or the test under a name that is not kin's own
 * choice; or, in /tmp, what another run of tests uses.
 */
#define _GNU_SOURCE
#include "harness/files.h"

#include "harness/line_list.h"
#include "harness/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define SHM "/dev/shm"
#define TMP "/tmp"

enum { STEP_MS = 5 };

static struct line_list shm_before, tmp_before;

static bool starts_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Whether kin, or a test of it, would call a file so. */
static bool is_named_by_kin(const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    return starts_with(name, "kin-") || starts_with(name, "sem.kin-");
}

static bool is_of_others(const char *folder, const char *path)
{
    return strcmp(folder, TMP) == 0 &&
           (!is_named_by_kin(path) || starts_with(path, TMP "/" FILES_FOLDER_PREFIX));
}

static void list_files(struct line_list *list, const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        struct stat status;
        char line[PATH_MAX];
        bool is_own_entry = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        snprintf(line, sizeof line, "%s/%s", path, entry->d_name);
        if (!is_own_entry && !is_of_others(path, line) &&
            fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            status.st_uid == geteuid()) {
            line_list_add(list, line);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
}

void files_remember(void)
{
    line_list_clear(&shm_before);
    line_list_clear(&tmp_before);
    list_files(&shm_before, SHM);
    list_files(&tmp_before, TMP);
}

/* --- who uses a file --- */

/* By device and inode: a named semaphore is mapped under another name than it has. */
static bool is_mapped(const char *process, const struct stat *file)
{
    char text[PATH_MAX + 256];
    unsigned device_major, device_minor;
    unsigned long long inode;
    bool is_found = false;
    snprintf(text, sizeof text, "/proc/%s/maps", process);
    FILE *maps = fopen(text, "re");
    while (maps != NULL && !is_found && fgets(text, sizeof text, maps) != NULL) {
        is_found = sscanf(text, "%*s %*s %*s %x:%x %llu", &device_major, &device_minor, &inode) ==
                       3 &&
                   inode == file->st_ino && makedev(device_major, device_minor) == file->st_dev;
    }
    if (maps != NULL) {
        fclose(maps);
    }
    return is_found;
}

static bool is_open(const char *process, const struct stat *file)
{
    char path[64];
    struct stat status;
    bool is_found = false;
    snprintf(path, sizeof path, "/proc/%.20s/fd", process);
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder != NULL && !is_found && (entry = readdir(folder)) != NULL) {
        is_found = fstatat(dirfd(folder), entry->d_name, &status, 0) == 0 &&
                   status.st_ino == file->st_ino && status.st_dev == file->st_dev;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return is_found;
}

static bool is_used(const char *path)
{
    struct stat file;
    struct dirent *entry;
    bool is_found = false;
    DIR *processes = lstat(path, &file) == 0 ? opendir("/proc") : NULL;
    while (processes != NULL && !is_found && (entry = readdir(processes)) != NULL) {
        is_found = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
                   (is_mapped(entry->d_name, &file) || is_open(entry->d_name, &file));
    }
    if (processes != NULL) {
        closedir(processes);
    }
    return is_found;
}

/* --- which stay --- */

/* Waits for files to go; the lines of those that have are empty then. */
static void await_end(struct line_list *files, int grace_ms)
{
    size_t count = 0;
    for (int waited = 0; waited == 0 || (waited <= grace_ms && count > 0); waited += STEP_MS) {
        usleep(waited == 0 ? 0 : STEP_MS * 1000);
        count = 0;
        for (size_t index = 0; index < files->count; index++) {
            char *path = files->lines[index];
            struct stat status;
            if (path[0] != '\0' && lstat(path, &status) != 0) {
                path[0] = '\0';
            }
            count += path[0] != '\0';
        }
    }
}

/* The new files of one folder that stay for the grace time. */
static void find_new(const char *folder, const struct line_list *before, int grace_ms,
                     struct line_list *ret_files)
{
    struct line_list all = {0};
    list_files(&all, folder);
    for (size_t index = 0; index < all.count; index++) {
        if (!line_list_contains(before, all.lines[index])) {
            line_list_add(ret_files, all.lines[index]);
        }
    }
    line_list_clear(&all);
    await_end(ret_files, grace_ms);
}

/* Whether some may be of others. */
static bool report(const char *folder, const struct line_list *before, int grace_ms,
                   bool only_suspect)
{
    struct line_list files = {0};
    bool is_suspect = false;
    bool is_shm = strcmp(folder, SHM) == 0;
    find_new(folder, before, grace_ms, &files);
    for (size_t index = 0; index < files.count; index++) {
        const char *path = files.lines[index];
        if (path[0] == '\0' || (is_shm && is_used(path))) {
            continue;
        }
        if (only_suspect && !(is_shm && is_named_by_kin(path))) {
            is_suspect = true;
        } else {
            test_fail("after the test", "left behind: %s", path);
        }
    }
    line_list_clear(&files);
    return is_suspect;
}

bool files_report(int grace_ms, bool only_suspect)
{
    bool is_suspect = report(SHM, &shm_before, grace_ms, only_suspect);
    return report(TMP, &tmp_before, grace_ms, only_suspect) || is_suspect;
}

void files_report_folder(const char *path, int grace_ms)
{
    const struct line_list nothing = {0};
    report(path, &nothing, grace_ms, false);
}
