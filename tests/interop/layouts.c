/*
 * What multiprocessing keeps in shared memory, read and written by C: ShareableList, Value, Array,
 * and the lock of a Value.
 */
#define _GNU_SOURCE
#include "interop/peer.h"
#include "interop/python_lock.h"
#include "interop/shareable_list.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TURNS = 2000, ITEM_COUNT = 8, ARENA_BYTES = 4096, VALUE_AT = 64, NUMBERS_AT = 128 };

static void say(const struct peer *peer, const char *word)
{
    wire_send(peer->to, word, strlen(word));
}

/* A message of the peer's, as a text. */
static void hear(const struct peer *peer, char *text, size_t size)
{
    size_t received;
    unsigned char *message = wire_receive(peer->from, &received);
    REQUIRE(message != NULL && received < size);
    memcpy(text, message, received + 1);
    free(message);
}

static void *map(int fd, size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REQUIRE(memory != MAP_FAILED);
    return memory;
}

/* --- ShareableList --- */

static const int64_t one = 1, minus_seven = -7, ninety_nine = 99, least = INT64_MIN,
                     most = INT64_MAX;
static const double two_and_half = 2.5, minus_half = -0.5;
static const char true_[8] = {0, 0, 0, 0, 0, 0, 0, 1};
static const char false_[8] = {0};
static const char none[8] = {0};
static const char long_text[] = "more than eight bytes";

/* The same lists as in peer_layouts.py. */
static const struct shareable_item before[ITEM_COUNT] = {
    {"q", CODE_NUMBER, &one, 8, 8},
    {"d", CODE_NUMBER, &two_and_half, 8, 8},
    {"8s", CODE_STR, "abc", 4, 8},
    {"xxxxxx?x", CODE_NONE, none, 8, 8},
    {"8s", CODE_BYTES, "x", 2, 8},
    {"xxxxxxx?", CODE_NUMBER, true_, 8, 8},
    {"24s", CODE_STR, long_text, sizeof long_text, 24},
    {"q", CODE_NUMBER, &least, 8, 8},
};
static const struct shareable_item after[ITEM_COUNT] = {
    {"q", CODE_NUMBER, &minus_seven, 8, 8}, {"d", CODE_NUMBER, &minus_half, 8, 8},
    {"8s", CODE_STR, "xyz", 4, 8},          {"q", CODE_NUMBER, &ninety_nine, 8, 8},
    {"8s", CODE_BYTES, "seven b", 8, 8},    {"xxxxxxx?", CODE_NUMBER, false_, 8, 8},
    {"24s", CODE_STR, "short", 6, 24},      {"q", CODE_NUMBER, &most, 8, 8},
};

TEST(c_reads_and_changes_a_shareable_list_of_python)
{
    char name[256] = "/";
    struct stat status;
    struct peer peer = peer_start("peer_layouts.py", "make_list");
    hear(&peer, name + 1, sizeof name - 1);
    int fd = shm_open(name, O_RDWR | O_CLOEXEC, 0);
    REQUIRE(fd >= 0 && fstat(fd, &status) == 0);
    CHECK(shareable_list_bytes(before, ITEM_COUNT, peer_version() == 308) <=
          (size_t)status.st_size);
    struct shareable_list list = {map(fd, (size_t)status.st_size), peer_version() == 308};
    for (size_t i = 0; i < ITEM_COUNT; i++) {
        shareable_list_check(&list, i, &before[i]);
        shareable_list_set(&list, i, &after[i]);
    }
    say(&peer, "changed");
    munmap(list.memory, (size_t)status.st_size);
    close(fd);
    peer_join(&peer);
}

TEST(python_reads_and_changes_a_shareable_list_of_c)
{
    char name[64], word[16];
    bool has_sizes = peer_version() == 308;
    size_t bytes = shareable_list_bytes(before, ITEM_COUNT, has_sizes);
    snprintf(name, sizeof name, "/kin-interop-%d", (int)getpid());
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0 && ftruncate(fd, (off_t)bytes) == 0);
    struct shareable_list list = {map(fd, bytes), has_sizes};
    shareable_list_make(&list, before, ITEM_COUNT);
    struct peer peer = peer_start("peer_layouts.py", "attach_list");
    say(&peer, name + 1);
    hear(&peer, word, sizeof word);
    CHECK_STRING(word, "changed");
    for (size_t i = 0; i < ITEM_COUNT; i++) {
        shareable_list_check(&list, i, &after[i]);
    }
    munmap(list.memory, bytes);
    close(fd);
    peer_join(&peer);
    CHECK(shm_unlink(name) == 0);
}

/* --- Value and Array --- */

static void count_up(int *value, sem_t *lock)
{
    for (int turn = 0; turn < TURNS; turn++) {
        python_lock_acquire(lock);
        *(volatile int *)value += 1;
        python_lock_release(lock);
    }
}

TEST(c_and_python_change_a_value_of_python)
{
    char text[256], name[64], word[16];
    int fd = -1;
    size_t size, value_at, numbers_at;
    struct peer peer = peer_start("peer_layouts.py", "make_values");
    hear(&peer, text, sizeof text);
    REQUIRE(sscanf(text, "%zu %zu %zu %63s", &size, &value_at, &numbers_at, name) == 4);
    REQUIRE(peer_receive_fds(&peer, word, sizeof word, &fd, 1) == 1);
    char *arena = map(fd, size);
    int *value = (int *)(void *)(arena + value_at);
    double *numbers = (double *)(void *)(arena + numbers_at);
    sem_t *lock = python_lock_open(name);
    CHECK_EQUAL(*value, 5);
    CHECK(numbers[0] == 1.5 && numbers[1] == -2.5 && numbers[2] == 3.5);
    numbers[1] = 42.25;
    say(&peer, "begin");
    count_up(value, lock);
    say(&peer, "end");
    sem_close(lock);
    munmap(arena, size);
    close(fd);
    peer_join(&peer);
}

TEST(c_and_python_change_a_value_of_c)
{
    char text[256], name[64], word[16];
    int fd = memfd_create("arena", MFD_CLOEXEC);
    REQUIRE(fd >= 0 && ftruncate(fd, ARENA_BYTES) == 0);
    char *arena = map(fd, ARENA_BYTES);
    int *value = (int *)(void *)(arena + VALUE_AT);
    double *numbers = (double *)(void *)(arena + NUMBERS_AT);
    *value = 5;
    memcpy(numbers, (const double[]){1.5, -2.5, 3.5}, 3 * sizeof *numbers);
    snprintf(name, sizeof name, "/kin-interop-%d", (int)getpid());
    sem_t *lock = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
    REQUIRE(lock != SEM_FAILED);
    struct peer peer = peer_start("peer_layouts.py", "attach_values");
    snprintf(text, sizeof text, "%d %d %d %s", ARENA_BYTES, VALUE_AT, NUMBERS_AT, name);
    say(&peer, text);
    peer_send_fds(&peer, "arena", &fd, 1);
    hear(&peer, word, sizeof word);
    count_up(value, lock);
    peer_join(&peer);
    CHECK_EQUAL(*value, 5 + 2 * TURNS);
    CHECK(numbers[1] == 42.25);
    CHECK(sem_close(lock) == 0 && sem_unlink(name) == 0);
    munmap(arena, ARENA_BYTES);
    close(fd);
}
