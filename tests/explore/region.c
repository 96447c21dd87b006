#define _GNU_SOURCE
#include "explore/region.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_BYTES ((size_t)4096)
#define REGION_BYTES (REGION_SHARED_BYTES + ((size_t)16 << 20))

unsigned char *region_family = (unsigned char *)((uintptr_t)1 << 62); /* nothing is there */
void (*region_on_fault)(const void *address);

static unsigned char *copy;
static size_t taken = REGION_SHARED_BYTES;
static uint32_t dirty[REGION_BYTES / PAGE_BYTES];
static bool is_dirty[REGION_BYTES / PAGE_BYTES];
static size_t dirty_count;

static void on_write(int number, siginfo_t *fault, void *context)
{
    size_t offset = (size_t)((unsigned char *)fault->si_addr - region_family);
    (void)number;
    (void)context;
    if (offset >= REGION_BYTES || is_dirty[offset / PAGE_BYTES]) {
        region_on_fault(fault->si_addr);
    }
    size_t page = offset / PAGE_BYTES;
    is_dirty[page] = true;
    dirty[dirty_count++] = (uint32_t)page;
    mprotect(region_family + page * PAGE_BYTES, PAGE_BYTES, PROT_READ | PROT_WRITE);
}

static void *map(int protection)
{
    void *base = mmap(NULL, REGION_BYTES, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                      -1, 0);
    if (base == MAP_FAILED) {
        perror("explore: no address space");
        exit(2);
    }
    return base;
}

void region_create(void)
{
    static unsigned char stack[65536]; /* the fault may be on a stack in the region */
    struct sigaction action = {.sa_sigaction = on_write, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    region_family = map(PROT_READ);
    copy = map(PROT_READ | PROT_WRITE);
    sigaltstack(&other, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

void *region_take(size_t bytes)
{
    void *place = region_family + taken;
    taken += (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
    if (taken > REGION_BYTES) {
        fprintf(stderr, "explore: the region is too small\n");
        exit(2);
    }
    return place;
}

static void copy_pages(unsigned char *to, const unsigned char *from)
{
    for (size_t i = 0; i < dirty_count; i++) {
        memcpy(to + dirty[i] * PAGE_BYTES, from + dirty[i] * PAGE_BYTES, PAGE_BYTES);
    }
}

void region_keep(void)
{
    copy_pages(copy, region_family);
    mprotect(region_family, REGION_BYTES, PROT_READ);
    memset(is_dirty, 0, sizeof is_dirty);
    dirty_count = 0;
}

void region_restore(void)
{
    copy_pages(region_family, copy);
}

bool region_has(const volatile void *address)
{
    return (size_t)((const volatile unsigned char *)address - region_family) < taken;
}

size_t region_dirty_count(void)
{
    return dirty_count;
}
