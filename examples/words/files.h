/*
 * The files to count: all regular files below some folders, in an order that is the same each
 * time. Symbolic links are not followed, except those that the user names. A file with a NUL
 * byte in its first 8 KiB is binary, and left out.
 *
 * Each text file is read once here, so that whoever counts it afterwards finds it in memory, and
 * counting is what the time is spent on.
 */
#ifndef WORDS_FILES_H
#define WORDS_FILES_H

#include "progress.h"

#include <stddef.h>
#include <stdint.h>

struct text_file {
    char *path;
    uint64_t size;
    int64_t changed_ns; /* time of the last change to what is in it */

    /* Why it could not be counted after all, or 0: -ESTALE if it became shorter, or another
       -errno. */
    int failure;
};

enum { NAMED_FILES_MAX = 10 };

/* Files that were left out: how many, and the names of the first ones. */
struct left_out {
    uint64_t count;
    char *names[NAMED_FILES_MAX];
};

/* Starts as all zero, but for the progress to report to. */
struct file_list {
    struct progress *progress;
    struct text_file *files;
    size_t count;
    size_t capacity;
    uint64_t byte_count;
    uint64_t link_count;
    struct left_out binary;
    struct left_out unreadable;
};

/*
 * Adds a file, or what is below a folder. What cannot be read further down is noted as
 * unreadable; returns 0, -ENOMEM, or why `path` itself cannot be looked at.
 */
int file_list_add(struct file_list *list, const char *path);
void file_list_deinit(struct file_list *list);

/* Notes that file `index` could not be counted, once for each file. */
int file_list_note_failure(struct file_list *list, size_t index, int code);

/* The first file that is not what it was when it was found, or NULL: none. */
const struct text_file *file_list_find_changed(const struct file_list *list);

#endif
