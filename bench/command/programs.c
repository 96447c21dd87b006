#define _GNU_SOURCE
#include "command/programs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define WARM_UP_COUNT 20

static unsigned char *given;
static size_t given_size;

void programs_check(const void *data, size_t size)
{
    if (size != given_size || memcmp(data, given, size) != 0) {
        harness_die("%zu other bytes came back than the %zu that were given", size, given_size);
    }
}

static void run(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        programs_run();
    }
}

/* A guest's memory that has been free for a while is its host's again: to touch it costs many times
 * as much as moving the bytes, in one run and not in the next. So what the answer will take, and
 * some more, is touched and freed just before. */
static void warm_memory(size_t bytes)
{
    unsigned char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                                 -1, 0);
    if (memory == MAP_FAILED) {
        harness_die("no memory for %zu bytes", bytes);
    }
    madvise(memory, bytes, MADV_HUGEPAGE);
    for (size_t i = 0; i < bytes; i += 4096) {
        memory[i] = 1;
    }
    munmap(memory, bytes);
}

/* The bytes are written before the time begins, and compared before it ends, by all subjects. */
static void prepare_to_feed(uint64_t count)
{
    given_size = (size_t)count;
    given = malloc(given_size);
    if (given == NULL) {
        harness_die("no memory for %zu bytes", given_size);
    }
    for (size_t i = 0; i < given_size; i++) {
        given[i] = (unsigned char)(i ^ i >> 11);
    }
    warm_memory(given_size + given_size / 4);
}

int main(int argc, char **argv)
{
    harness_open(argc, argv);
    uint64_t count = harness_number("count");
    int is_feed = strcmp(harness_word("work"), "feed") == 0;
    if (is_feed) {
        prepare_to_feed(count);
    } else {
        run(WARM_UP_COUNT);
    }
    int64_t begin_ns = harness_now_ns();
    if (is_feed) {
        programs_feed(given, given_size);
    } else {
        run(count);
    }
    harness_report((double)count * 1e9 / (double)(harness_now_ns() - begin_ns));
    free(given);
    return 0;
}
