#define _GNU_SOURCE
#include "os/memory.h"
#include "os/clock.h"
#include "os/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nobody can take from it what others have mapped. */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* As most processors have them. */
#define LARGE_PAGE_BYTES (2u * 1024 * 1024)

static uint64_t limit_of(int resource)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return UINT64_MAX;
    }
    return limit.rlim_cur;
}

uint64_t kin__os_memory_bytes_max(void)
{
    /* Half of the address space: the program wants some for itself. */
    uint64_t space = limit_of(RLIMIT_AS);
    uint64_t file = limit_of(RLIMIT_FSIZE);
    space = space == UINT64_MAX ? (uint64_t)1 << 46 : space / 2;
    return space < file ? space : file;
}

/* Moves an fd behind those of the standard streams: where a program runs with one of them closed,
 * what it prints must not land in the memory. */
static int move_behind_streams(int *fd)
{
    if (*fd > STDERR_FILENO) {
        return 0;
    }
    int moved = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int r = moved < 0 ? -EMFILE : 0;
    close(*fd);
    *fd = moved;
    return r;
}

int kin__os_memory_create(const char *name, uint64_t bytes, int *ret_fd)
{
    KIN__OS_FAULT(EMFILE);
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return -errno;
    }
    int r = move_behind_streams(&fd);
    if (r < 0) {
        return r;
    }
    if (ftruncate(fd, (off_t)bytes) != 0) {
        r = -errno;
    } else if (fcntl(fd, F_ADD_SEALS, SEALS) != 0) {
        r = -errno;
    }
    if (r != 0) {
        close(fd);
        return r == -EFBIG ? -ENOMEM : r;
    }
    *ret_fd = fd;
    return 0;
}

/* What a program with more rights than its user must not take from that user. */
static bool is_trusted(const struct stat *file)
{
    return (file->st_uid == geteuid() || file->st_uid == 0) && getauxval(AT_SECURE) == 0;
}

int kin__os_memory_check(int fd, uint64_t *ret_bytes)
{
    struct stat file;
    if (fd <= STDERR_FILENO || fstat(fd, &file) != 0 || !S_ISREG(file.st_mode) ||
        file.st_nlink != 0 || fcntl(fd, F_GET_SEALS) != SEALS || !is_trusted(&file)) {
        return -EBADMSG;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    *ret_bytes = (uint64_t)file.st_size;
    return 0;
}

int kin__os_memory_map(int fd, uint64_t bytes, void **ret_base)
{
    KIN__OS_FAULT(ENOMEM);
    void *base = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd,
                      0);
    if (base == MAP_FAILED) {
        return -errno;
    }
    madvise(base, (size_t)bytes, MADV_DONTDUMP); /* a dump without it is larger, not wrong */
    *ret_base = base;
    return 0;
}

void kin__os_memory_unmap(void *base, uint64_t bytes)
{
    munmap(base, (size_t)bytes);
}

int kin__os_secret_create(uint64_t bytes, void **ret_memory)
{
    KIN__OS_FAULT(ENOMEM);
    void *memory = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                        -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    madvise(memory, (size_t)bytes, MADV_DONTDUMP);
    mlock(memory, (size_t)bytes); /* where it may */
    *ret_memory = memory;
    return 0;
}

void kin__os_secret_wipe(void *memory, uint64_t bytes)
{
    explicit_bzero(memory, (size_t)bytes);
}

void kin__os_secret_free(void *memory, uint64_t bytes)
{
    explicit_bzero(memory, (size_t)bytes);
    munmap(memory, (size_t)bytes);
}

int kin__os_pages_grow(void **pages, uint64_t *bytes, uint64_t wanted)
{
    KIN__OS_FAULT(ENOMEM);
    if (wanted > SIZE_MAX - LARGE_PAGE_BYTES) {
        return -ENOMEM;
    }
    /* Whole large pages: the kernel puts it where they fit. */
    size_t size = (size_t)(wanted + LARGE_PAGE_BYTES - 1) / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
    void *grown = *pages == NULL
                      ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                      : mremap(*pages, (size_t)*bytes, size, MREMAP_MAYMOVE);
    if (grown == MAP_FAILED) {
        return -ENOMEM;
    }
    if (*pages == NULL) {
        madvise(grown, size, MADV_HUGEPAGE);
    }
    *pages = grown;
    *bytes = size;
    return 0;
}

int kin__os_memory_commit(int fd, uint64_t offset, uint64_t bytes)
{
    KIN__OS_FAULT(ENOMEM);
    while (fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)bytes) != 0) {
        int code = errno;
        if (code != EINTR) {
            return code == ENOSPC || code == EDQUOT ? -ENOMEM : -code;
        }
    }
    return 0;
}

int kin__os_memory_decommit(int fd, uint64_t offset, uint64_t bytes)
{
    KIN__OS_FAULT(ENOMEM);
    while (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)bytes) !=
           0) {
        int code = errno;
        if (code != EINTR) {
            return -code;
        }
    }
    return 0;
}

void kin__os_close(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

uint64_t kin__os_random(void)
{
    uint64_t bits;
    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != (ssize_t)sizeof bits) {
        bits = (uint64_t)kin__os_now_ns() * 0x9E3779B97F4A7C15u;
    }
    return bits;
}

int kin__os_random_fill(void *memory, uint64_t bytes)
{
    KIN__OS_FAULT(EIO);
    unsigned char *place = memory;
    while (bytes > 0) {
        ssize_t got = getrandom(place, (size_t)bytes, 0);
        if (got < 0 && errno != EINTR) {
            return -EIO;
        }
        place += got < 0 ? 0 : got;
        bytes -= got < 0 ? 0 : (uint64_t)got;
    }
    return 0;
}
