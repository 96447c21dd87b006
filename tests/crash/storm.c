/*
 * The storms: kin under signals, stops, forks, starts and process ids that come back.
 *
 *     storm [--seconds S] [--forks N] [--starts N] [signals|forks|starts|pids]
 *
 * Without arguments the short form. Closing line: "N passed, N failed".
 */
#define _GNU_SOURCE
#include "storm/storm.h"

#include <getopt.h>
#include <kin.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHORT_SECONDS = 2, SHORT_FORKS = 120, SHORT_STARTS = 300 };
enum { LIMIT_SECONDS = 60, LIMIT_MS_A_CHILD = 100 };

struct storm {
    const char *name;
    bool (*run)(const struct storm_options *options);
};

static const struct storm storms[] = {{"signals", storm_signals},
                                      {"forks", storm_forks},
                                      {"starts", storm_starts},
                                      {"pids", storm_pids}};

static struct storm_options options = {
    .seconds = SHORT_SECONDS, .forks = SHORT_FORKS, .starts = SHORT_STARTS};

static int limit_ms(void)
{
    const char *scale = getenv("KIN_TEST_LIMIT_SCALE");
    uint32_t children = options.forks + options.starts;
    uint32_t seconds = LIMIT_SECONDS + options.seconds + children * LIMIT_MS_A_CHILD / 1000;
    return (int)seconds * 1000 * (scale == NULL ? 1 : (int)strtol(scale, NULL, 10));
}

/* Runs it in a process group of its own, which is ended when it hangs. */
static bool run(const struct storm *storm)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        bool is_right = storm->run(&options);
        fflush(stdout);
        _exit(is_right ? 0 : 1);
    }
    setpgid(pid, pid);
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ends = {.fd = fd, .events = POLLIN};
    bool is_over = poll(&ends, 1, limit_ms()) == 1;
    close(fd);
    kill(-pid, SIGKILL); /* and what it has left */
    waitpid(pid, &status, 0);
    if (!is_over || status != 0) {
        printf("FAIL %s: %s\n", storm->name, is_over ? "see above" : "hangs");
    }
    return is_over && status == 0;
}

static const char *read_arguments(int argc, char **argv)
{
    static const struct option names[] = {{"seconds", required_argument, NULL, 's'},
                                          {"forks", required_argument, NULL, 'f'},
                                          {"starts", required_argument, NULL, 'n'},
                                          {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 's') {
            options.seconds = (uint32_t)strtoul(optarg, NULL, 10);
        } else if (option == 'f') {
            options.forks = (uint32_t)strtoul(optarg, NULL, 10);
        } else if (option == 'n') {
            options.starts = (uint32_t)strtoul(optarg, NULL, 10);
        } else {
            fprintf(stderr,
                    "usage: %s [--seconds S] [--forks N] [--starts N] "
                    "[signals|forks|starts|pids]\n",
                    argv[0]);
            exit(2);
        }
    }
    return optind < argc ? argv[optind] : "";
}

int main(int argc, char **argv)
{
    if (argc > 1 && strncmp(argv[1], "--kin-child=", 12) == 0) {
        return kin_init(&argc, &argv) == 0 ? 2 : 3; /* it runs what it is for, and ends there */
    }
    const char *filter = read_arguments(argc, argv);
    uint32_t passed = 0;
    uint32_t failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < sizeof storms / sizeof *storms; i++) {
        if (strstr(storms[i].name, filter) == NULL) {
            continue;
        }
        if (run(&storms[i])) {
            passed++;
        } else {
            failed++;
        }
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
