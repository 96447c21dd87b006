/* A number in shared memory and the instructions of the processor for it: nothing can be faster. */

#include "shared/counting.h"

#include <stdatomic.h>

static _Atomic uint64_t *number;

static void open_number(void)
{
    number = harness_share(sizeof *number);
}

static void get(uint64_t count)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        sum += atomic_load(number);
    }
    if (sum != 0) {
        harness_die("it is not 0");
    }
}

static void add(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        atomic_fetch_add(number, 1);
    }
}

static uint64_t total(void)
{
    return atomic_load(number);
}

const counting_subject counting_measured = {open_number, get, NULL, add, total, &harness_forks};
