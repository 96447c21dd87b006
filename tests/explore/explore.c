/*
 * Runs the real code of kin through interleavings and deaths; see docs/design/explore.md.
 *
 *     explore [--schedules N] [FILTER]   at most N runs a scenario, half of them at random
 *         --first                        no more scenarios after one that failed
 *         --list                         only their names
 *     explore --replay SCENARIO TRACE    one run again, with all its steps
 *
 * Prints a line for each scenario, with a trace to replay where one fails. "whole: 2+1" says that
 * all runs with two switches and one death were made ("r": where a reaper goes before others);
 * "nets", how often a reaper went on only because nobody sleeps on an internal lock for more than
 * a second, or to wake late sleepers again.
 */
#define _GNU_SOURCE
#include "explore/race.h"
#include "explore/race_report.h"
#include "explore/region.h"
#include "explore/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct scenario *const files[] = {
    lock_scenarios,      event_scenarios,     semaphore_scenarios, queue_scenarios,
    heap_scenarios,      directory_scenarios, member_scenarios,    claim_scenarios,
    local_scenarios,     condition_scenarios, barrier_scenarios,   rwlock_scenarios,
    reference_scenarios, keeper_scenarios,
};

/* How far the search goes, one after the other. */
static const struct schedule_bounds levels[] = {
    {.switches = 0, .deaths = 0},
    {.switches = 1, .deaths = 0},
    {.switches = 0, .deaths = 1},
    {.switches = 1, .deaths = 1},
    {.switches = 1, .deaths = 1, .reaps_first = true},
    {.switches = 2, .deaths = 0},
    {.switches = 2, .deaths = 1, .reaps_first = true},
    {.switches = 2, .deaths = 1},
    {.switches = 3, .deaths = 0},
    {.switches = 1, .deaths = 2},
    {.switches = 3, .deaths = 1, .reaps_first = true},
    {.switches = 2, .deaths = 2},
    {.switches = 4, .deaths = 0},
    {.switches = 3, .deaths = 1},
    {.switches = 3, .deaths = 2},
    {.switches = 4, .deaths = 1},
    {.switches = 5, .deaths = 0},
};
#define LEVEL_COUNT (sizeof levels / sizeof *levels)

#define WHOLE_EVERY 8u     /* runs without a death whose memory is looked at whole */
#define RACES_EVERY 16u    /* runs at random in which races are looked for */
#define LEARNING_RUNS 300u /* from which the search knows what threads share */

struct figures {
    uint64_t searched;
    uint64_t random;
    uint64_t step_sum;
    uint32_t steps_max;
    uint64_t nets;
    uint64_t deaths;
    char levels[128]; /* that were searched wholly */
};

static struct figures figures;
static const struct scenario *running;

/* --- traces --- */

static void print_trace(const struct trace *trace)
{
    for (uint32_t i = 0; i < trace->count; i++) {
        uint32_t choice = trace->decisions[i].choice;
        char kind = choice >= CHOICE_NONE     ? 'n'
                    : choice >= CHOICE_END    ? 'd'
                    : choice >= CHOICE_EXPIRE ? 'e'
                    : choice >= CHOICE_KILL   ? 'k'
                                              : 's';
        printf("%s%u%c%u", i == 0 ? "" : ",", trace->decisions[i].step, kind, choice % 16);
    }
    printf("%s\n", trace->count == 0 ? "-" : "");
}

static bool read_trace(const char *text, struct trace *trace)
{
    trace->count = 0;
    while (*text != '\0' && *text != '-' && trace->count < DECISIONS_MAX) {
        char *end = NULL;
        uint32_t step = (uint32_t)strtoul(text, &end, 10);
        char kind = *end;
        uint32_t index = (uint32_t)strtoul(end + 1, &end, 10);
        uint32_t base = kind == 'k'   ? CHOICE_KILL
                        : kind == 'e' ? CHOICE_EXPIRE
                        : kind == 'd' ? CHOICE_END
                        : kind == 'n' ? CHOICE_NONE - 15u
                                      : CHOICE_SWITCH;
        trace->decisions[trace->count++] = (struct decision){step, base + index};
        if (*end != ',' && *end != '\0') {
            return false;
        }
        text = *end == ',' ? end + 1 : end;
    }
    return true;
}

/* Leaves out of a failing trace whatever it fails without. */
static void shorten(struct trace *trace)
{
    static struct trace shorter;
    for (uint32_t i = trace->count; i-- > 0;) {
        shorter = *trace;
        memmove(&shorter.decisions[i], &shorter.decisions[i + 1],
                (shorter.count - i - 1) * sizeof shorter.decisions[0]);
        shorter.count--;
        schedule_begin_replay(&shorter);
        if (!stage_run(true)) {
            *trace = *schedule_trace();
            i = i < trace->count ? i : trace->count;
        }
    }
}

/* --- one scenario, in a process of its own --- */

static void say_failure(struct trace *trace)
{
    schedule_begin_replay(trace);
    bool is_the_same = !stage_run(true);
    printf("FAIL %s: %s\n", running->name, machine->failure);
    printf("     after %llu runs; %s: ", (unsigned long long)(figures.searched + figures.random),
           is_the_same ? "replay" : "does not fail again");
    print_trace(trace);
    fflush(stdout);
}

static void on_fault(const void *address)
{
    printf("FAIL %s: touches %p in step %u; replay: ", running->name, address, machine->step);
    print_trace(schedule_trace());
    fflush(stdout);
    _exit(1);
}

static bool run_one(void)
{
    bool is_well = stage_run((figures.searched + figures.random) % WHOLE_EVERY == 0);
    figures.step_sum += machine->step;
    figures.steps_max = machine->step > figures.steps_max ? machine->step : figures.steps_max;
    figures.nets += machine->net_count;
    figures.deaths += machine->death_count;
    return is_well;
}

static struct schedule_bounds bounds_of(struct schedule_bounds bounds)
{
    bounds.may_expire = running->may_expire;
    return bounds;
}

/* False: a run failed. */
static bool learn(void)
{
    struct schedule_bounds bounds = {.deaths = running->deaths};
    uint32_t steps = 100;
    machine_is_learning = true;
    race_is_on = true;
    for (uint64_t seed = 1; seed <= LEARNING_RUNS; seed++) {
        schedule_begin_random(bounds_of(bounds), seed << 32, steps);
        figures.random++;
        if (!run_one()) {
            return false;
        }
        steps = (uint32_t)(figures.step_sum / seed) + 2;
    }
    machine_is_learning = false;
    race_is_on = false;
    return true;
}

static bool search(uint64_t most)
{
    size_t used = 0;
    for (size_t i = 0; i < LEVEL_COUNT && figures.searched < most; i++) {
        if (levels[i].deaths > running->deaths) {
            continue;
        }
        schedule_begin_search(bounds_of(levels[i]));
        bool is_done = false;
        while (figures.searched < most && !is_done) {
            is_done = !schedule_next_search();
            if (!is_done && (figures.searched++, !run_one())) {
                return false;
            }
        }
        if (is_done && used + 8 < sizeof figures.levels) {
            used += (size_t)snprintf(figures.levels + used, sizeof figures.levels - used,
                                     "%s%u+%u%s", used == 0 ? "" : " ", levels[i].switches,
                                     levels[i].deaths, levels[i].reaps_first ? "r" : "");
        }
    }
    return true;
}

static bool run_at_random(uint64_t count)
{
    uint64_t runs = figures.searched + figures.random;
    uint32_t steps = (uint32_t)(figures.step_sum / runs) + 2;
    struct schedule_bounds bounds = {.deaths = running->deaths};
    for (uint64_t seed = 1; figures.random < count; seed++) {
        schedule_begin_random(bounds_of(bounds), seed, steps);
        figures.random++;
        race_is_on = figures.random % RACES_EVERY == 0;
        if (!run_one()) {
            return false;
        }
    }
    return true;
}

static bool explore(const struct scenario *scenario, uint64_t schedules)
{
    struct timespec before;
    struct timespec after;
    running = scenario;
    region_on_fault = on_fault;
    race_on_find = race_report;
    clock_gettime(CLOCK_MONOTONIC, &before);
    stage_begin(scenario);
    if (!learn() || !search(schedules / 2) || !run_at_random(schedules / 2)) {
        static struct trace trace;
        trace = *schedule_trace();
        race_is_on = true;
        shorten(&trace);
        say_failure(&trace);
        return false;
    }
    clock_gettime(CLOCK_MONOTONIC, &after);
    double seconds = (double)(after.tv_sec - before.tv_sec) +
                     (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    uint64_t runs = figures.searched + figures.random;
    printf("ok   %s: %llu runs, %llu deaths; whole: %s; %llu steps a run, at most %u; %llu nets; "
           "%.1f s\n",
           scenario->name, (unsigned long long)runs, (unsigned long long)figures.deaths,
           figures.levels, (unsigned long long)(figures.step_sum / (runs == 0 ? 1 : runs)),
           figures.steps_max, (unsigned long long)figures.nets, seconds);
    return true;
}

/* The number of runs comes back through the pipe. */
static bool explore_apart(const struct scenario *scenario, uint64_t schedules, uint64_t *runs)
{
    int ends[2];
    uint64_t count = 0;
    int status = 0;
    if (pipe(ends) != 0) {
        return false;
    }
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        bool is_well = explore(scenario, schedules);
        count = figures.searched + figures.random;
        is_well &= write(ends[1], &count, sizeof count) == (ssize_t)sizeof count;
        fflush(stdout);
        _exit(is_well ? 0 : 1);
    }
    close(ends[1]);
    waitpid(pid, &status, 0);
    if (read(ends[0], &count, sizeof count) == (ssize_t)sizeof count) {
        *runs += count;
    }
    close(ends[0]);
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
        printf("FAIL %s: ended with status %#x\n", scenario->name, (unsigned)status);
    }
    return status == 0;
}

/* --- a run, told step by step --- */

static FILE *told_places;
static FILE *told_steps;

static void tell(uint32_t choice)
{
    if (machine->current == MACHINE_NOBODY) {
        return;
    }
    fprintf(told_places, "%p\n", machine_place);
    fprintf(told_steps, "%4u %-8s", machine->step, machine_self()->name);
    if (choice >= CHOICE_NONE) {
        fprintf(told_steps, "\n");
    } else if (choice >= CHOICE_END) {
        fprintf(told_steps, " %s dies before its process\n",
                machine->threads[choice - CHOICE_END].name);
    } else if (choice >= CHOICE_EXPIRE) {
        fprintf(told_steps, " -> %s, at its deadline\n",
                machine->threads[choice - CHOICE_EXPIRE].name);
    } else if (choice >= CHOICE_KILL) {
        fprintf(told_steps, " process %u dies\n", choice - CHOICE_KILL);
    } else {
        fprintf(told_steps, " -> %s\n", machine->threads[choice].name);
    }
}

/* Prints each step beside the place in kin that is about to be executed. */
static bool run_told(const struct trace *trace)
{
    char folder[] = "/tmp/kin-explore-XXXXXX";
    char command[512];
    if (mkdtemp(folder) == NULL) {
        return stage_run(true);
    }
    snprintf(command, sizeof command, "%s/places", folder);
    told_places = fopen(command, "w");
    snprintf(command, sizeof command, "%s/steps", folder);
    told_steps = fopen(command, "w");
    machine_tell = told_places == NULL || told_steps == NULL ? NULL : tell;
    schedule_begin_replay(trace);
    bool is_well = stage_run(true);
    fclose(told_places);
    fclose(told_steps);
    fflush(stdout);
    snprintf(command, sizeof command,
             "cd %s && addr2line -f -s -p -e /proc/%d/exe <places | paste steps -; rm -r %s",
             folder, (int)getpid(), folder);
    if (system(command) != 0) {
        printf("(no addr2line)\n");
    }
    return is_well;
}

/* --- the program --- */

static int replay(const char *name, const char *text)
{
    static struct trace trace;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        for (const struct scenario *scenario = files[i]; scenario->name != NULL; scenario++) {
            if (strcmp(scenario->name, name) == 0 && read_trace(text, &trace)) {
                running = scenario;
                region_on_fault = on_fault;
                race_on_find = race_report;
                race_is_on = true;
                stage_begin(scenario);
                bool is_well = run_told(&trace);
                printf("%s %s: %s after %u steps\n", is_well ? "ok  " : "FAIL", name,
                       is_well ? "nothing" : machine->failure, machine->step);
                return is_well ? 0 : 1;
            }
        }
    }
    fprintf(stderr, "explore: no scenario '%s', or no trace '%s'\n", name, text);
    return 2;
}

int main(int argc, char **argv)
{
    uint64_t schedules = 2000;
    uint64_t runs = 0;
    const char *filter = "";
    uint32_t passed = 0;
    uint32_t failed = 0;
    bool is_list = false;
    bool stops_first = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--schedules") == 0 && i + 1 < argc) {
            schedules = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--replay") == 0 && i + 2 < argc) {
            return replay(argv[i + 1], argv[i + 2]);
        } else if (strcmp(argv[i], "--first") == 0) {
            stops_first = true;
        } else if (strcmp(argv[i], "--list") == 0) {
            is_list = true;
        } else {
            filter = argv[i];
        }
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        for (const struct scenario *scenario = files[i]; scenario->name != NULL; scenario++) {
            if (strstr(scenario->name, filter) == NULL || (stops_first && failed != 0)) {
                continue;
            }
            if (is_list) {
                puts(scenario->name);
            } else if (explore_apart(scenario, schedules, &runs)) {
                passed++;
            } else {
                failed++;
            }
        }
    }
    if (!is_list) {
        printf("%llu runs\n%u passed, %u failed\n", (unsigned long long)runs, passed, failed);
    }
    return failed == 0 ? 0 : 1;
}
