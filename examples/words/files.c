#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <kin.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 8 * 1024, PIECE_BYTES = 64 * 1024 };

/* Notes a file that is left out; the reason is NULL where it goes without saying. */
static int leave_out(struct left_out *group, const char *path, const char *reason)
{
    if (group->count < NAMED_FILES_MAX) {
        size_t size = strlen(path) + (reason == NULL ? 0 : strlen(reason)) + sizeof ": ";
        char *name = malloc(size);
        if (name == NULL) {
            return -ENOMEM;
        }
        snprintf(name, size, reason == NULL ? "%s" : "%s: %s", path, reason);
        group->names[group->count] = name;
    }
    group->count++;
    return 0;
}

static int leave_out_unreadable(struct file_list *list, const char *path, int code)
{
    return leave_out(&list->unreadable, path,
                     code == -ESTALE ? "became shorter" : kin_code_text(code));
}

static int64_t change_time(const struct stat *status)
{
    return status->st_mtim.tv_sec * INT64_C(1000000000) + status->st_mtim.tv_nsec;
}

static int append(struct file_list *list, const char *path, const struct stat *status)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 1024 : list->capacity * 2;
        struct text_file *files = realloc(list->files, capacity * sizeof *files);
        if (files == NULL) {
            return -ENOMEM;
        }
        list->files = files;
        list->capacity = capacity;
    }
    struct text_file file = {
        .path = strdup(path),
        .size = (uint64_t)status->st_size,
        .changed_ns = change_time(status),
    };
    if (file.path == NULL) {
        return -ENOMEM;
    }
    list->files[list->count++] = file;
    list->byte_count += file.size;
    progress_add(list->progress, file.size);
    return 0;
}

/* Reads the file to its end, unless it is binary. Returns 1: text, 0: binary, or -errno. */
static int read_through(int fd)
{
    char piece[PIECE_BYTES];
    ssize_t size = read(fd, piece, HEAD_BYTES);
    if (size > 0 && memchr(piece, 0, (size_t)size) != NULL) {
        return 0;
    }
    while (size > 0) {
        size = read(fd, piece, sizeof piece);
    }
    return size < 0 ? -errno : 1;
}

static int add_file(struct file_list *list, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return leave_out_unreadable(list, path, -errno);
    }
    struct stat status;
    int kind = fstat(fd, &status) < 0 ? -errno : read_through(fd);
    close(fd);
    if (kind < 0) {
        return leave_out_unreadable(list, path, kind);
    }
    return kind == 0 ? leave_out(&list->binary, path, NULL) : append(list, path, &status);
}

static int add(struct file_list *list, const char *path, bool follow_link);

static bool is_self_or_parent(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int add_entry(struct file_list *list, const char *folder, const char *name)
{
    size_t folder_length = strlen(folder);
    const char *separator = folder[folder_length - 1] == '/' ? "" : "/";
    size_t size = folder_length + strlen(name) + 2;
    char *path = malloc(size);
    if (path == NULL) {
        return -ENOMEM;
    }
    snprintf(path, size, "%s%s%s", folder, separator, name);
    int code = add(list, path, false);
    if (code < 0 && code != -ENOMEM) {
        code = leave_out_unreadable(list, path, code);
    }
    free(path);
    return code;
}

static int add_folder(struct file_list *list, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        return -errno;
    }
    int code = 0;
    for (int i = 0; i < count; i++) {
        if (code == 0 && !is_self_or_parent(entries[i]->d_name)) {
            code = add_entry(list, path, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    return code;
}

/* Sockets, devices and the like are passed over: they are not files that hold text. */
static int add(struct file_list *list, const char *path, bool follow_link)
{
    struct stat status;
    if (fstatat(AT_FDCWD, path, &status, follow_link ? 0 : AT_SYMLINK_NOFOLLOW) < 0) {
        return -errno;
    }
    if (S_ISLNK(status.st_mode)) {
        list->link_count++;
        return 0;
    }
    if (S_ISDIR(status.st_mode)) {
        return add_folder(list, path);
    }
    return S_ISREG(status.st_mode) ? add_file(list, path) : 0;
}

int file_list_add(struct file_list *list, const char *path)
{
    return add(list, path, true);
}

int file_list_note_failure(struct file_list *list, size_t index, int code)
{
    struct text_file *file = &list->files[index];
    if (file->failure != 0) {
        return 0;
    }
    file->failure = code;
    return leave_out_unreadable(list, file->path, code);
}

const struct text_file *file_list_find_changed(const struct file_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct text_file *file = &list->files[i];
        struct stat status;
        if (stat(file->path, &status) < 0 || (uint64_t)status.st_size != file->size ||
            change_time(&status) != file->changed_ns) {
            return file;
        }
    }
    return NULL;
}

static void left_out_deinit(struct left_out *group)
{
    for (size_t i = 0; i < NAMED_FILES_MAX; i++) {
        free(group->names[i]);
    }
}

void file_list_deinit(struct file_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->files[i].path);
    }
    free(list->files);
    left_out_deinit(&list->binary);
    left_out_deinit(&list->unreadable);
    *list = (struct file_list){0};
}
