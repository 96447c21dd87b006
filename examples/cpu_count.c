/*
 * How many cores a program may use: those that it may run on, cut by what its control group allows.
 * See docs/guide/pools.md.
 */
#define _GNU_SOURCE
#include <kin.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

static const char *yes_or_no(int is_true)
{
    return is_true ? "yes" : "no";
}

/* Leaves this process the core that it runs on, as `taskset` does. */
static int keep_one_core(void)
{
    cpu_set_t one;
    int core = sched_getcpu();
    CPU_ZERO(&one);
    CPU_SET(core < 0 ? 0 : (size_t)core, &one);
    return sched_setaffinity(0, sizeof one, &one);
}

int main(void)
{
    uint32_t cores = kin_cpu_count(); /* also before kin_init */
    printf("at least one: %s\n", yes_or_no(cores >= 1));
    printf("no more than the machine has: %s\n",
           yes_or_no(cores <= (uint32_t)sysconf(_SC_NPROCESSORS_CONF)));
    if (keep_one_core() != 0) {
        return 1;
    }
    printf("kept to one: %u\n", (unsigned)kin_cpu_count());
}
