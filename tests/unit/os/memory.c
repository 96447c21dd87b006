#define _GNU_SOURCE
#include "os/memory.h"

#include "harness/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHUNK = 65536 };

static int create(uint64_t bytes)
{
    int fd = -1;
    REQUIRE(kin__os_memory_create("test", bytes, &fd) == 0);
    return fd;
}

static long long committed_bytes(int fd)
{
    struct stat stat = {0};
    REQUIRE(fstat(fd, &stat) == 0);
    return (long long)stat.st_blocks * 512;
}

TEST(a_shared_memory_has_its_full_size_and_no_pages)
{
    int fd = create((uint64_t)64 << 30);
    struct stat stat = {0};
    fstat(fd, &stat);
    CHECK_EQUAL(stat.st_size, (long long)64 << 30);
    CHECK_EQUAL(committed_bytes(fd), 0);
    kin__os_close(fd);
}

TEST(its_size_is_sealed)
{
    int fd = create(CHUNK);
    CHECK_EQUAL(ftruncate(fd, 0), -1);
    CHECK_EQUAL(ftruncate(fd, 2 * CHUNK), -1);
    CHECK_EQUAL(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    kin__os_close(fd);
}

TEST(its_fd_is_closed_by_exec)
{
    int fd = create(CHUNK);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    kin__os_close(fd);
}

TEST(its_fd_is_none_of_the_standard_streams_where_these_are_closed)
{
    int input = dup(STDIN_FILENO);
    close(STDIN_FILENO);
    int fd = create(CHUNK);
    CHECK(fd > STDERR_FILENO);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK_EQUAL(fcntl(STDIN_FILENO, F_GETFD), -1);
    dup2(input, STDIN_FILENO);
    close(input);
    kin__os_close(fd);
}

TEST(committed_pages_are_zero_and_are_there)
{
    int fd = create(16 * CHUNK);
    void *base = NULL;
    REQUIRE(kin__os_memory_map(fd, 16 * CHUNK, &base) == 0);
    CHECK_EQUAL(kin__os_memory_commit(fd, CHUNK, 2 * CHUNK), 0);
    CHECK_EQUAL(committed_bytes(fd), 2 * CHUNK);
    CHECK_EQUAL(kin__os_memory_commit(fd, CHUNK, 2 * CHUNK), 0); /* again: nothing changes */
    CHECK_EQUAL(committed_bytes(fd), 2 * CHUNK);
    unsigned char *bytes = base;
    CHECK_EQUAL(bytes[CHUNK], 0);
    bytes[CHUNK] = 1;
    kin__os_memory_unmap(base, 16 * CHUNK);
    kin__os_close(fd);
}

TEST(decommitted_pages_are_gone_and_come_back_as_zero)
{
    int fd = create(4 * CHUNK);
    void *base = NULL;
    REQUIRE(kin__os_memory_map(fd, 4 * CHUNK, &base) == 0);
    REQUIRE(kin__os_memory_commit(fd, 0, CHUNK) == 0);
    unsigned char *bytes = base;
    bytes[5] = 9;
    CHECK_EQUAL(kin__os_memory_decommit(fd, 0, CHUNK), 0);
    CHECK_EQUAL(committed_bytes(fd), 0);
    REQUIRE(kin__os_memory_commit(fd, 0, CHUNK) == 0);
    CHECK_EQUAL(bytes[5], 0);
    kin__os_memory_unmap(base, 4 * CHUNK);
    kin__os_close(fd);
}

TEST(what_one_process_writes_another_reads)
{
    int fd = create(CHUNK);
    void *base = NULL;
    REQUIRE(kin__os_memory_map(fd, CHUNK, &base) == 0);
    REQUIRE(kin__os_memory_commit(fd, 0, CHUNK) == 0);
    unsigned char *bytes = base;
    pid_t pid = fork();
    if (pid == 0) {
        bytes[7] = 77;
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    CHECK_EQUAL(bytes[7], 77);
    kin__os_memory_unmap(base, CHUNK);
    kin__os_close(fd);
}

TEST(it_is_kept_out_of_core_dumps)
{
    int fd = create(CHUNK);
    void *base = NULL;
    char line[256];
    unsigned long start = 0;
    unsigned long end = 0;
    bool is_found = false;
    bool is_ours = false;
    REQUIRE(kin__os_memory_map(fd, CHUNK, &base) == 0);
    FILE *maps = fopen("/proc/self/smaps", "re");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%lx-%lx", &start, &end) == 2) {
            is_ours = start == (unsigned long)base;
        } else if (is_ours && strncmp(line, "VmFlags:", 8) == 0) {
            is_found = strstr(line, " dd") != NULL;
        }
    }
    if (maps != NULL) {
        fclose(maps);
    }
    CHECK(is_found);
    kin__os_memory_unmap(base, CHUNK);
    kin__os_close(fd);
}

static void limit(int resource, uint64_t bytes)
{
    struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
    REQUIRE(setrlimit(resource, &limit) == 0);
}

TEST(the_largest_size_follows_the_limits)
{
    uint64_t most = kin__os_memory_bytes_max();
    CHECK(most > (uint64_t)64 << 30);
    limit(RLIMIT_FSIZE, (uint64_t)100 << 20);
    CHECK_EQUAL(kin__os_memory_bytes_max(), (long long)100 << 20);
    limit(RLIMIT_FSIZE, RLIM_INFINITY);
#ifndef __SANITIZE_ADDRESS__
#ifndef __SANITIZE_THREAD__
    limit(RLIMIT_AS, (uint64_t)1 << 30);
    CHECK_EQUAL(kin__os_memory_bytes_max(), (long long)512 << 20);
    limit(RLIMIT_AS, RLIM_INFINITY);
#endif
#endif
    CHECK_EQUAL(kin__os_memory_bytes_max(), (long long)most);
}

TEST(more_address_space_than_there_is_is_no_memory)
{
    int fd = create(CHUNK);
    void *base = NULL;
    CHECK_EQUAL(kin__os_memory_map(fd, (uint64_t)1 << 60, &base), -ENOMEM);
    kin__os_close(fd);
}

TEST(a_wrong_fd_is_an_error_and_not_a_crash)
{
    void *base = NULL;
    CHECK_EQUAL(kin__os_memory_map(-1, CHUNK, &base), -EBADF);
    CHECK_EQUAL(kin__os_memory_commit(-1, 0, CHUNK), -EBADF);
    CHECK_EQUAL(kin__os_memory_decommit(-1, 0, CHUNK), -EBADF);
    kin__os_close(-1);
}

TEST(two_random_numbers_differ)
{
    CHECK(kin__os_random() != kin__os_random());
}

TEST(with_all_fds_in_use_there_is_no_memory_but_a_code)
{
    struct rlimit before;
    int fd = -1;
    getrlimit(RLIMIT_NOFILE, &before);
    int next = dup(0);
    REQUIRE(next >= 0);
    close(next);
    struct rlimit few = {.rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
    CHECK_EQUAL(kin__os_memory_create("test", CHUNK, &fd), -EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
}

/* The flags of the mapping that has an address, as the kernel tells them. */
static void find_flags(const void *at, char flags[256])
{
    char line[256];
    bool is_inside = false;
    FILE *maps = fopen("/proc/self/smaps", "re");
    REQUIRE(maps != NULL);
    flags[0] = '\0';
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long from = 0;
        unsigned long to = 0;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
            is_inside = (unsigned long)at >= from && (unsigned long)at < to;
        } else if (is_inside && strncmp(line, "VmFlags:", 8) == 0) {
            snprintf(flags, 256, "%s", line + 8);
        }
    }
    fclose(maps);
}

TEST(a_secret_is_zeroed_and_in_no_core_dump)
{
    char flags[256];
    void *memory = NULL;
    REQUIRE(kin__os_secret_create(100, &memory) == 0);
    unsigned char *secret = memory;
    for (int i = 0; i < 100; i++) {
        CHECK_EQUAL(secret[i], 0);
    }
    memset(secret, 7, 100);
    find_flags(memory, flags);
    CHECK(strstr(flags, " dd") != NULL);
    kin__os_secret_free(memory, 100);
}

TEST(pages_grow_and_keep_what_is_in_them)
{
    void *pages = NULL;
    uint64_t bytes = 0;
    for (uint64_t wanted = 1; wanted < 40 << 20; wanted *= 3) {
        uint64_t before = bytes;
        REQUIRE(kin__os_pages_grow(&pages, &bytes, wanted) == 0);
        CHECK(bytes >= wanted && bytes >= before);
        for (uint64_t i = before; i < bytes; i += 4096) {
            CHECK_EQUAL(((unsigned char *)pages)[i], 0);
            memcpy((char *)pages + i, &i, sizeof i);
        }
    }
    for (uint64_t i = 0; i < bytes; i += 4096) {
        CHECK(memcmp((char *)pages + i, &i, sizeof i) == 0);
    }
    void *same = pages;
    uint64_t as_before = bytes;
    CHECK_EQUAL(kin__os_pages_grow(&pages, &bytes, UINT64_MAX), -ENOMEM);
    CHECK_EQUAL(kin__os_pages_grow(&pages, &bytes, (uint64_t)1 << 62), -ENOMEM);
    CHECK(pages == same && bytes == as_before);
    kin__os_memory_unmap(pages, bytes);
}
