#define _GNU_SOURCE
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_BYTES = 1 << 16 };

static bool read_all(struct input *input, int fd, size_t bytes_max)
{
    unsigned char *data = NULL;
    size_t capacity = 0;
    for (;;) {
        if (input->size == capacity) {
            capacity = capacity == 0 ? FIRST_BYTES : capacity * 2;
            unsigned char *more = realloc(data, capacity);
            if (more == NULL) {
                free(data);
                return false;
            }
            data = more;
        }
        ssize_t count = read(fd, data + input->size, capacity - input->size);
        if (count < 0 && errno != EINTR) {
            free(data);
            return false;
        }
        input->size += count > 0 ? (size_t)count : 0;
        if (count == 0 || input->size > bytes_max) {
            break;
        }
    }
    input->allocated = data;
    input->data = data;
    return true;
}

/* Regular files are mapped: a private copy, so that who writes to them does no harm. */
static bool map(struct input *input, int fd)
{
    struct stat status;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size == 0 ||
        (uintmax_t)status.st_size > SIZE_MAX || lseek(fd, 0, SEEK_CUR) != 0) {
        return false;
    }
    void *mapped = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapped == MAP_FAILED) {
        return false;
    }
    input->mapped = mapped;
    input->data = mapped;
    input->size = (size_t)status.st_size;
    return true;
}

bool input_open(struct input *input, const char *name, size_t bytes_max)
{
    bool is_standard = strcmp(name, "-") == 0;
    int fd = is_standard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    *input = (struct input){.size = 0};
    if (fd < 0) {
        return false;
    }
    bool is_read = map(input, fd) || read_all(input, fd, bytes_max);
    if (!is_standard) {
        int error = errno;
        close(fd);
        errno = error;
    }
    return is_read;
}

void input_close(struct input *input)
{
    if (input->mapped != NULL) {
        munmap(input->mapped, input->size);
    }
    free(input->allocated);
}
