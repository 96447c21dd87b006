#include "explore/schedule.h"

#include <string.h>

/* One point of a run of the search at which there was a choice. */
struct branch {
    uint32_t step;
    uint32_t choice;
    uint64_t untried; /* other choices, as bits */
};

enum mode { MODE_SEARCH, MODE_RANDOM, MODE_REPLAY };

#define CHANGES_MAX 8u

static struct {
    enum mode mode;
    struct schedule_bounds bounds; /* what is left of them in this run */
    struct schedule_bounds bounds_all;
    struct trace trace;

    struct branch branches[MACHINE_STEPS_MAX + 64];
    uint32_t branch_count; /* of the last run */
    uint32_t fixed_count;  /* of these, whose choice is given in this run */
    uint32_t next;         /* the one to come */
    bool is_first;

    uint64_t random;
    bool has_priorities;
    uint32_t one_in; /* switches at random points: one in so many */
    int32_t priorities[MACHINE_THREADS_MAX];
    uint32_t changes[CHANGES_MAX]; /* steps */
    uint32_t change_count;
    uint32_t kills[CHANGES_MAX];
    uint32_t kill_count;

    const struct trace *replayed;
    uint32_t replayed_next;
} schedule;

static uint64_t bit_of(uint32_t choice)
{
    return (uint64_t)1 << choice;
}

const struct trace *schedule_trace(void)
{
    return &schedule.trace;
}

static void begin(enum mode mode, struct schedule_bounds bounds)
{
    schedule.mode = mode;
    schedule.bounds = bounds;
    schedule.trace.count = 0;
}

/* --- what can be chosen --- */

static uint64_t switches(bool can_go_on)
{
    uint64_t choices = 0;
    for (uint32_t i = 0; i < machine->thread_count; i++) {
        if (machine_is_ready(i) && !(can_go_on && i == machine->current)) {
            choices |= bit_of(CHOICE_SWITCH + i);
        }
    }
    return choices;
}

static uint64_t kills(void)
{
    uint64_t choices = 0;
    for (uint32_t i = 0; i < machine->process_count; i++) {
        const struct machine_process *process = &machine->processes[i];
        if (process->is_mortal && !process->is_dead) {
            choices |= bit_of(CHOICE_KILL + i);
        }
    }
    return choices;
}

/* Threads of processes with others, of which nobody is dying. */
static uint64_t ends(void)
{
    uint64_t choices = 0;
    for (uint32_t i = 0; machine->dying == MACHINE_NOBODY && i < machine->thread_count; i++) {
        uint32_t process = machine->threads[i].process;
        if (machine->processes[process].is_mortal && machine_is_alive(i) &&
            machine_alive_count(process) > 1) {
            choices |= bit_of(CHOICE_END + i);
        }
    }
    return choices;
}

static uint64_t expiries(void)
{
    uint64_t choices = 0;
    for (uint32_t i = 0; i < machine->thread_count; i++) {
        const struct machine_thread *thread = &machine->threads[i];
        if (thread->state == THREAD_ASLEEP && thread->deadline_ns != INT64_MAX) {
            choices |= bit_of(CHOICE_EXPIRE + i);
        }
    }
    return choices;
}

/* All choices that the bounds leave, but the default. A switch or another's death makes a
 * difference only before the thread touches what others touch; its own death only before it
 * writes. */
static uint64_t choices_at(enum point point, bool can_go_on)
{
    uint64_t choices = 0;
    bool is_shared = point != POINT_WRITE && machine_is_shared();
    if (schedule.bounds.switches > 0 && is_shared) {
        choices |= switches(can_go_on);
    }
    if (schedule.bounds.deaths > 0) {
        uint64_t self = can_go_on ? bit_of(CHOICE_KILL + machine_self()->process) |
                                        bit_of(CHOICE_END + machine->current)
                                  : 0;
        choices |= (kills() | ends()) & ~(is_shared ? 0 : ~self) &
                   ~(point == POINT_LOAD ? self : 0);
    }
    if (schedule.bounds.may_expire && schedule.bounds.switches > 0 && is_shared) {
        choices |= expiries();
    }
    return choices;
}

static uint32_t first_of(uint64_t choices)
{
    return (uint32_t)__builtin_ctzll(choices);
}

static uint32_t default_of(bool can_go_on)
{
    return can_go_on ? (uint32_t)CHOICE_NONE : first_of(switches(false));
}

/* The default of this search: traces keep to the other. */
static uint32_t default_of_search(bool can_go_on)
{
    for (uint32_t i = 0; schedule.bounds.reaps_first && !can_go_on && i < machine->thread_count;
         i++) {
        if (machine->threads[i].is_reaper && machine_is_ready(i)) {
            return CHOICE_SWITCH + i;
        }
    }
    return default_of(can_go_on);
}

static uint32_t take(uint32_t choice, bool can_go_on)
{
    struct trace *trace = &schedule.trace;
    bool is_end = choice >= CHOICE_END && choice != CHOICE_NONE;
    if (is_end || (choice >= CHOICE_KILL && choice < CHOICE_EXPIRE)) {
        schedule.bounds.deaths -= schedule.bounds.deaths > 0;
    } else if (choice != default_of_search(can_go_on)) {
        schedule.bounds.switches -= schedule.bounds.switches > 0;
    }
    if (choice != default_of(can_go_on) && trace->count < DECISIONS_MAX) {
        trace->decisions[trace->count++] = (struct decision){machine->step, choice};
    }
    return choice;
}

/* --- depth first --- */

void schedule_begin_search(struct schedule_bounds bounds)
{
    begin(MODE_SEARCH, bounds);
    schedule.bounds_all = bounds;
    schedule.branch_count = 0;
    schedule.is_first = true;
}

bool schedule_next_search(void)
{
    begin(MODE_SEARCH, schedule.bounds_all);
    schedule.next = 0;
    if (schedule.is_first) {
        schedule.is_first = false;
        schedule.fixed_count = 0;
        return true;
    }
    while (schedule.branch_count > 0) {
        struct branch *last = &schedule.branches[schedule.branch_count - 1];
        if (last->untried != 0) {
            last->choice = first_of(last->untried);
            last->untried &= ~bit_of(last->choice);
            schedule.fixed_count = schedule.branch_count;
            return true;
        }
        schedule.branch_count--;
    }
    return false;
}

static uint32_t search(enum point point, bool can_go_on)
{
    if (schedule.next < schedule.fixed_count) {
        const struct branch *branch = &schedule.branches[schedule.next];
        if (branch->step != machine->step) {
            return default_of_search(can_go_on);
        }
        schedule.next++;
        return branch->choice;
    }
    uint32_t choice = default_of_search(can_go_on);
    uint64_t others = choices_at(point, can_go_on) & ~bit_of(choice);
    if (others != 0) {
        schedule.branches[schedule.next++] = (struct branch){machine->step, choice, others};
        schedule.branch_count = schedule.next;
    }
    return choice;
}

/* --- at random --- */

static uint64_t next_random(void)
{
    uint64_t z = schedule.random += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static uint32_t random_below(uint32_t limit)
{
    return (uint32_t)((next_random() >> 32) * limit >> 32);
}

void schedule_begin_random(struct schedule_bounds bounds, uint64_t seed, uint32_t steps)
{
    begin(MODE_RANDOM, bounds);
    schedule.random = seed;
    schedule.has_priorities = random_below(2) == 0;
    schedule.one_in = 2u << random_below(6);
    for (uint32_t i = 0; i < MACHINE_THREADS_MAX; i++) {
        schedule.priorities[i] = (int32_t)random_below(1 << 20);
    }
    schedule.change_count = random_below(5);
    for (uint32_t i = 0; i < schedule.change_count; i++) {
        schedule.changes[i] = random_below(steps);
    }
    schedule.kill_count = random_below(bounds.deaths + 1);
    for (uint32_t i = 0; i < schedule.kill_count; i++) {
        schedule.kills[i] = random_below(steps);
    }
}

static uint32_t random_of(uint64_t choices)
{
    for (uint32_t skip = random_below((uint32_t)__builtin_popcountll(choices)); skip > 0; skip--) {
        choices &= choices - 1;
    }
    return first_of(choices);
}

static bool is_at(const uint32_t *steps, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (steps[i] == machine->step) {
            return true;
        }
    }
    return false;
}

static uint32_t by_priority(bool can_go_on)
{
    uint32_t best = can_go_on ? machine->current : MACHINE_NOBODY;
    if (can_go_on && is_at(schedule.changes, schedule.change_count)) {
        schedule.priorities[machine->current] = -(int32_t)machine->step - 1;
    }
    for (uint32_t i = 0; i < machine->thread_count; i++) {
        if (machine_is_ready(i) &&
            (best == MACHINE_NOBODY || schedule.priorities[i] > schedule.priorities[best])) {
            best = i;
        }
    }
    return can_go_on && best == machine->current ? (uint32_t)CHOICE_NONE : CHOICE_SWITCH + best;
}

static uint32_t at_random(bool can_go_on)
{
    if (is_at(schedule.kills, schedule.kill_count)) {
        bool is_whole = random_below(2) == 0 || ends() == 0;
        uint64_t victims = is_whole ? kills() : ends();
        bool is_here = can_go_on && random_below(2) == 0; /* not one that sleeps, or waits */
        uint32_t self = is_whole ? CHOICE_KILL + machine_self()->process
                                 : CHOICE_END + machine->current;
        if (victims != 0) {
            return is_here && (victims & bit_of(self)) ? self : random_of(victims);
        }
    }
    if (schedule.bounds.may_expire && random_below(64) == 0 && expiries() != 0) {
        return random_of(expiries());
    }
    if (schedule.has_priorities) {
        return by_priority(can_go_on);
    }
    uint64_t others = switches(can_go_on);
    bool is_switch = others != 0 && (!can_go_on || random_below(schedule.one_in) == 0);
    return is_switch ? random_of(others) : (uint32_t)CHOICE_NONE;
}

/* --- again --- */

void schedule_begin_replay(const struct trace *trace)
{
    begin(MODE_REPLAY, (struct schedule_bounds){0});
    schedule.replayed = trace;
    schedule.replayed_next = 0;
}

/* Whether a choice can be made here: a trace may be one of another build, or shortened. */
static bool is_possible(uint32_t choice, bool can_go_on)
{
    uint64_t possible = switches(false) | kills() | ends() | expiries();
    return choice == CHOICE_NONE ? can_go_on : (possible & bit_of(choice)) != 0;
}

static uint32_t replay(bool can_go_on)
{
    const struct trace *trace = schedule.replayed;
    while (schedule.replayed_next < trace->count) {
        const struct decision *decision = &trace->decisions[schedule.replayed_next];
        if (decision->step > machine->step) {
            break;
        }
        schedule.replayed_next++;
        if (decision->step == machine->step && is_possible(decision->choice, can_go_on)) {
            return decision->choice;
        }
    }
    return default_of(can_go_on);
}

uint32_t schedule_choose(enum point point, bool can_go_on)
{
    machine->step++;
    uint32_t choice = schedule.mode == MODE_SEARCH   ? search(point, can_go_on)
                      : schedule.mode == MODE_RANDOM ? at_random(can_go_on)
                                                     : replay(can_go_on);
    if (__builtin_expect(machine_tell != NULL, 0)) {
        machine_tell(choice);
    }
    return take(choice, can_go_on);
}
