/*
 * The stepping killer: kills each operation of kin at each of its instructions.
 *
 *     step [--all] [--points N] [--busy] [--list] [FILTER]
 *
 * Without arguments the short form: some points of each scenario. --all goes to every point,
 * --points N to at most N of a scenario; --busy lets a process work beside. FILTER is a part of
 * "name, context".
 * Closing line: "N passed, N failed"; a scenario passes when no point was bad and none hung.
 */
#define _GNU_SOURCE
#include "step/engine.h"

#include <getopt.h>
#include <kin/family.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_POINTS = 24, SHORT_HITS = 1, LONG_HITS = 3, FAILURES_MAX = 5 };

static const struct scenario *const scenarios[] = {
    lock_scenarios,        mutex_scenarios,        heap_scenarios,
    directory_scenarios,   event_scenarios,        queue_scenarios,
    reaper_scenarios,      process_scenarios,      forkserver_scenarios,
    pool_scenarios,        semaphore_scenarios,    barrier_scenarios,
    rwlock_scenarios,      shared_scenarios,       condition_scenarios,
    queue_batch_scenarios, queue_claim_scenarios,  queue_task_scenarios,
    connection_scenarios,  queue_object_scenarios, connection_object_scenarios,
};

struct arguments {
    struct engine_options engine;
    const char *filter;
    bool is_list;
};

static struct arguments read_arguments(int argc, char **argv)
{
    static const struct option options[] = {{"all", no_argument, NULL, 'a'},
                                            {"points", required_argument, NULL, 'p'},
                                            {"busy", no_argument, NULL, 'b'},
                                            {"list", no_argument, NULL, 'l'},
                                            {0}};
    struct arguments arguments = {.engine = {.points_max = SHORT_POINTS,
                                             .hits_max = SHORT_HITS,
                                             .failures_max = FAILURES_MAX}};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'a') {
            arguments.engine.points_max = 0;
            arguments.engine.hits_max = LONG_HITS;
        } else if (option == 'p') {
            arguments.engine.points_max = (uint32_t)strtoul(optarg, NULL, 10);
            arguments.engine.hits_max = LONG_HITS;
        } else if (option == 'b') {
            arguments.engine.is_busy = true;
        } else if (option == 'l') {
            arguments.is_list = true;
        } else {
            fprintf(stderr, "usage: %s [--all] [--points N] [--busy] [--list] [FILTER]\n", argv[0]);
            exit(2);
        }
    }
    arguments.filter = optind < argc ? argv[optind] : NULL;
    return arguments;
}

static bool run_one(const struct scenario *scenario, const struct engine_options *options,
                    struct engine_result *sum)
{
    struct engine_result result = {0};
    bool has_run = engine_run(scenario, options, &result);
    bool is_good = has_run && result.bad_count == 0 && result.hang_count == 0;
    printf("%s %s, %s: %u instructions, %u points, %u kills, %u bad, %u hang (%.1f s)\n",
           is_good ? "ok  " : "FAIL", scenario->name, scenario->context, result.step_count,
           result.point_count, result.kill_count, result.bad_count, result.hang_count,
           result.seconds);
    fflush(stdout);
    sum->point_count += result.point_count;
    sum->kill_count += result.kill_count;
    sum->bad_count += result.bad_count;
    sum->hang_count += result.hang_count;
    return is_good;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strncmp(argv[1], "--kin-child=", 12) == 0) {
        kin_init(&argc, &argv); /* a child that a scenario has spawned */
    }
    struct arguments arguments = read_arguments(argc, argv);
    struct engine_result sum = {0};
    uint32_t passed = 0;
    uint32_t failed = 0;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        for (const struct scenario *scenario = scenarios[i]; scenario->name != NULL; scenario++) {
            char title[256];
            snprintf(title, sizeof title, "%s, %s", scenario->name, scenario->context);
            if (arguments.filter != NULL && strstr(title, arguments.filter) == NULL) {
                continue;
            }
            if (arguments.is_list) {
                puts(title);
            } else if (run_one(scenario, &arguments.engine, &sum)) {
                passed++;
            } else {
                failed++;
            }
        }
    }
    if (arguments.is_list) {
        return 0;
    }
    if (passed + failed == 0) {
        fprintf(stderr, "no scenario has \"%s\" in its name\n", arguments.filter);
        return 2;
    }
    printf("%u points, %u kills, %u bad, %u hang\n", sum.point_count, sum.kill_count, sum.bad_count,
           sum.hang_count);
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
