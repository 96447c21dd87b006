/*
 * The random killer: producers and consumers of a queue, and a pool, at work while processes are
 * killed at random instants and replaced.
 *
 *     soak [--kills N] [--seconds S] [--seed N] [queue|claims|pool|ends]
 *
 * Runs until both are reached. Closing line: "N passed, N failed".
 */
#define _GNU_SOURCE
#include "soak/soak.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SHORT_KILLS = 150, SHORT_SECONDS = 3 };

struct arguments {
    struct soak_options soak;
    const char *filter;
};

static struct arguments read_arguments(int argc, char **argv)
{
    static const struct option options[] = {{"kills", required_argument, NULL, 'k'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {"seed", required_argument, NULL, 'r'},
                                            {0}};
    struct arguments arguments = {
        .soak = {.kills = SHORT_KILLS, .seconds = SHORT_SECONDS, .seed = (uint64_t)time(NULL)}};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        uint64_t value = optarg == NULL ? 0 : strtoull(optarg, NULL, 10);
        if (option == 'k') {
            arguments.soak.kills = (uint32_t)value;
        } else if (option == 's') {
            arguments.soak.seconds = (uint32_t)value;
        } else if (option == 'r') {
            arguments.soak.seed = value;
        } else {
            fprintf(stderr,
                    "usage: %s [--kills N] [--seconds S] [--seed N] [queue|claims|pool|ends]\n",
                    argv[0]);
            exit(2);
        }
    }
    arguments.filter = optind < argc ? argv[optind] : "";
    return arguments;
}

int main(int argc, char **argv)
{
    static bool (*const soaks[])(const struct soak_options *options) = {soak_queue, soak_claims,
                                                                        soak_pool, soak_ends};
    static const char *const names[] = {"queue", "claims", "pool", "ends"};
    struct arguments arguments = read_arguments(argc, argv);
    uint32_t passed = 0;
    uint32_t failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < sizeof soaks / sizeof *soaks; i++) {
        if (strstr(names[i], arguments.filter) == NULL) {
            continue;
        }
        if (soaks[i](&arguments.soak)) {
            passed++;
        } else {
            printf("FAIL soak of the %s, seed %lu\n", names[i], (unsigned long)arguments.soak.seed);
            failed++;
        }
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
