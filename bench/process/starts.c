#include "process/starts.h"

#include <string.h>
#include <sys/mman.h>

#define WARM_UP_COUNT 20

static const starts_method *method_called(const char *name)
{
    const starts_method *method = starts_methods;
    while (method->name != NULL && strcmp(method->name, name) != 0) {
        method++;
    }
    if (method->name == NULL) {
        harness_die("no method '%s'", name);
    }
    return method;
}

/* As a program has it that has been at work for long: the pages are small, and all are there. */
static void touch_memory(uint64_t bytes)
{
    void *memory = bytes == 0 ? NULL
                              : mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        harness_die("no memory");
    }
    if (memory != NULL) {
        madvise(memory, bytes, MADV_NOHUGEPAGE);
        memset(memory, 1, bytes);
    }
}

static void start_children(const starts_method *method, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        method->start_and_join();
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], STARTS_NOTHING) == 0) {
        return 0;
    }
    if (starts_divert != NULL) {
        starts_divert(&argc, &argv);
    }
    harness_open(argc, argv);
    const starts_method *method = method_called(harness_word("method"));
    uint64_t count = harness_number("children");
    touch_memory(harness_number_or("memory", 0) << 20);
    if (method->open != NULL) {
        method->open();
    }
    start_children(method, WARM_UP_COUNT);
    int64_t begin_ns = harness_now_ns();
    start_children(method, count);
    harness_report((double)count * 1e9 / (double)(harness_now_ns() - begin_ns));
    return 0;
}
