#define _GNU_SOURCE /* for program_invocation_short_name, and CPU sets */

/* Processes meet at a counter in shared memory: each adds itself and looks, yielding the core
 * in between, until the counter has reached the next multiple of their number. Begin and end
 * are kept there as well, as the smallest and the largest time that anybody wrote. */

#include "harness.h"
#include "payload.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Shared by all processes of the run. */
struct run {
    _Atomic uint64_t arrived_count;
    _Atomic int64_t begin_ns;
    _Atomic int64_t end_ns;
};

static struct {
    int argument_count;
    char **arguments;
    struct run *run;
    harness_body *body;
    unsigned process_count;
    pid_t first_pid;
    pid_t pids[HARNESS_PROCESS_COUNT_MAX];
    bool is_killed[HARNESS_PROCESS_COUNT_MAX];
    cpu_set_t cpus; /* that the program may use */
} harness;

void harness_open(int argc, char **argv)
{
    harness.argument_count = argc;
    harness.arguments = argv;
    harness.first_pid = getpid();
    sched_getaffinity(0, sizeof harness.cpus, &harness.cpus);
    harness.run = harness_share(sizeof *harness.run);
    atomic_store(&harness.run->begin_ns, INT64_MAX);
}

/* NULL: there is none. */
static const char *find_argument(const char *name)
{
    size_t size = strlen(name);
    for (int i = 1; i < harness.argument_count; i++) {
        const char *argument = harness.arguments[i];
        if (strncmp(argument, "--", 2) == 0 && strncmp(argument + 2, name, size) == 0 &&
            argument[2 + size] == '=') {
            return argument + 2 + size + 1;
        }
    }
    return NULL;
}

const char *harness_word(const char *name)
{
    const char *word = find_argument(name);
    if (word == NULL) {
        harness_die("the argument --%s=... is missing", name);
    }
    return word;
}

uint64_t harness_number(const char *name)
{
    const char *word = harness_word(name);
    char *end;
    errno = 0;
    unsigned long long number = strtoull(word, &end, 10);
    if (errno != 0 || end == word || *end != '\0' || number == 0 || word[0] == '-') {
        harness_die("--%s=%s is not a number above 0", name, word);
    }
    return number;
}

uint64_t harness_number_or(const char *name, uint64_t otherwise)
{
    return find_argument(name) == NULL ? otherwise : harness_number(name);
}

int64_t harness_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void *harness_share(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        harness_die("no %zu bytes of shared memory: %s", bytes, strerror(errno));
    }
    return memory;
}

void harness_report(double value)
{
    printf("%.6g\n", value);
}

void harness_die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    /* The others would wait for this one forever; they end with the first process. */
    if (harness.first_pid != 0 && getpid() != harness.first_pid) {
        kill(harness.first_pid, SIGTERM);
    }
    _exit(1);
}

void payload_refuse(uint64_t number, size_t bytes)
{
    harness_die("message %llu of %zu bytes is damaged", (unsigned long long)number, bytes);
}

static void fork_start(unsigned index)
{
    pid_t pid = fork();
    if (pid < 0) {
        harness_die("cannot fork: %s", strerror(errno));
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != harness.first_pid) {
            _exit(1);
        }
        harness_body_run(index);
        _exit(0);
    }
    harness.pids[index] = pid;
    harness.is_killed[index] = false;
}

static void fork_kill(unsigned index)
{
    harness.is_killed[index] = true;
    kill(harness.pids[index], SIGKILL);
}

static void fork_join(unsigned index)
{
    int status;
    while (waitpid(harness.pids[index], &status, 0) < 0) {
        if (errno != EINTR) {
            harness_die("cannot wait for process %u: %s", index, strerror(errno));
        }
    }
    if (status != (harness.is_killed[index] ? SIGKILL : 0)) {
        harness_die("process %u ended with status %#x", index, (unsigned)status);
    }
}

const harness_starter harness_forks = {fork_start, fork_kill, fork_join};

void harness_prepare(unsigned count, harness_body *body)
{
    if (count > HARNESS_PROCESS_COUNT_MAX) {
        harness_die("%u processes are more than %d", count, HARNESS_PROCESS_COUNT_MAX);
    }
    harness.process_count = count;
    harness.body = body;
}

void harness_run(const harness_starter *starter, unsigned count, harness_body *body)
{
    harness_prepare(count, body);
    for (unsigned index = 0; index < count; index++) {
        starter->start(index);
    }
    for (unsigned index = 0; index < count; index++) {
        starter->join(index);
    }
}

void harness_body_run(unsigned index)
{
    harness.body(index);
}

void harness_pin(unsigned number)
{
    int cpu = 0;
    for (unsigned passed = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &harness.cpus) && passed++ == number) {
            break;
        }
    }
    cpu_set_t chosen;
    CPU_ZERO(&chosen);
    if (cpu < CPU_SETSIZE) {
        CPU_SET(cpu, &chosen);
    }
    if (cpu == CPU_SETSIZE || sched_setaffinity(0, sizeof chosen, &chosen) != 0) {
        harness_die("this needs %u CPUs", number + 1);
    }
}

void harness_meet(void)
{
    uint64_t count = harness.process_count;
    uint64_t ticket = atomic_fetch_add(&harness.run->arrived_count, 1);
    uint64_t goal = (ticket / count + 1) * count;
    while (atomic_load(&harness.run->arrived_count) < goal) {
        sched_yield();
    }
}

void harness_begin(void)
{
    int64_t now_ns = harness_now_ns();
    int64_t first_ns = atomic_load(&harness.run->begin_ns);
    while (now_ns < first_ns &&
           !atomic_compare_exchange_weak(&harness.run->begin_ns, &first_ns, now_ns)) {
    }
}

void harness_end(void)
{
    int64_t now_ns = harness_now_ns();
    int64_t last_ns = atomic_load(&harness.run->end_ns);
    while (now_ns > last_ns &&
           !atomic_compare_exchange_weak(&harness.run->end_ns, &last_ns, now_ns)) {
    }
}

double harness_seconds(void)
{
    int64_t elapsed_ns = atomic_load(&harness.run->end_ns) - atomic_load(&harness.run->begin_ns);
    if (elapsed_ns <= 0) {
        harness_die("nothing was measured");
    }
    return (double)elapsed_ns / 1e9;
}
