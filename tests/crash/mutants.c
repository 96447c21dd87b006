/*
 * Whether the stepping killer would find anything: kin with a defect must fail in it.
 *
 *     mutants [FILTER]
 *
 * A mutant passes when at least one point of its scenario was bad or hung.
 */
#include "step/engine.h"
#include "step/messages.h"
#include "step/mutant.h"

#include <stdio.h>
#include <string.h>

struct mutant {
    const char *name;
    const struct lock_variant *lock; /* NULL: kin's */
    put_function *put;
    get_function *get;
    const struct scenario *scenarios;
    const char *scenario; /* its name and context */
};

static const struct mutant mutants[] = {
    {"lock: pending after the acquire", &mutant_lock_late_pending, NULL, NULL, lock_scenarios,
     "internal lock, idle"},
    {"lock: pending ends before the release", &mutant_lock_early_end, NULL, NULL, lock_scenarios,
     "internal lock, idle"},
    {"lock: a release wakes nobody", &mutant_lock_no_wake, NULL, NULL, lock_scenarios,
     "internal lock, held, one waits"},
    {"lock: a death is not told", &mutant_lock_silent, NULL, NULL, lock_scenarios,
     "internal lock, idle"},
    {"queue: commit before the bytes", NULL, mutant_put_early_commit, NULL, queue_scenarios,
     "queue put, small"},
    {"queue: done before the bytes", NULL, NULL, mutant_get_early_done, queue_scenarios,
     "queue get, small"},
};

static const struct scenario *find(const struct mutant *mutant)
{
    for (const struct scenario *scenario = mutant->scenarios; scenario->name != NULL; scenario++) {
        char title[256];
        snprintf(title, sizeof title, "%s, %s", scenario->name, scenario->context);
        if (strcmp(title, mutant->scenario) == 0) {
            return scenario;
        }
    }
    return NULL;
}

static bool is_caught(const struct mutant *mutant)
{
    struct engine_options options = {.failures_max = 1, .hang_ms = 1000, .is_quiet = true};
    struct engine_result result = {0};
    const struct lock_variant lock = lock_variant;
    const struct scenario *scenario = find(mutant);
    lock_variant = mutant->lock != NULL ? *mutant->lock : lock_variant;
    put_variant = mutant->put != NULL ? mutant->put : kin_queue_put_bytes;
    get_variant = mutant->get != NULL ? mutant->get : kin_queue_get_bytes;
    if (scenario != NULL) {
        engine_run(scenario, &options, &result);
    }
    lock_variant = lock;
    put_variant = kin_queue_put_bytes;
    get_variant = kin_queue_get_bytes;
    bool is = result.bad_count + result.hang_count != 0;
    printf("%s %s: %s after %u points\n", is ? "ok  " : "FAIL", mutant->name,
           result.bad_count != 0    ? "bad"
           : result.hang_count != 0 ? "hang"
                                    : "not seen",
           result.point_count);
    fflush(stdout);
    return is;
}

int main(int argc, char **argv)
{
    uint32_t passed = 0;
    uint32_t failed = 0;
    for (size_t i = 0; i < sizeof mutants / sizeof *mutants; i++) {
        if (argc > 1 && strstr(mutants[i].name, argv[1]) == NULL) {
            continue;
        }
        if (is_caught(&mutants[i])) {
            passed++;
        } else {
            failed++;
        }
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
