#include "explore/stage.h"

#include "explore/race.h"
#include "explore/region.h"
#include "family/death.h"
#include "family/family.h"
#include "family/keeper.h"
#include "family/member.h"
#include "family/reference.h"
#include "family/sleep.h"
#include "family/verify.h"
#include "os/clock.h"
#include "os/futex.h"
#include "os/process.h"

#include <stdio.h>
#include <stdlib.h>

#define LATE_SLICE_NS 1000000

void *scenario_world;

static struct {
    const struct scenario *scenario;
    uint32_t founder; /* thread */
    uint32_t checker; /* thread that looks in the end */
    uint32_t role_count;
    bool is_whole;
} stage;

/* Who plays a role, in the region. */
struct actor {
    uint32_t process; /* 0: not started */
    uint32_t thread;
};

static struct actor *actors;

bool scenario_is_started(uint32_t role)
{
    return actors[role].process != 0;
}

bool scenario_is_dead(uint32_t role)
{
    return machine->processes[actors[role].process].is_dead ||
           (scenario_is_started(role) && actors[role].process == machine->dying);
}

bool scenario_is_founder_dead(void)
{
    return machine->processes[0].is_dead || machine->dying == 0;
}

bool scenario_is_asleep(uint32_t role)
{
    enum thread_state state = machine->threads[actors[role].thread].state;
    return state == THREAD_ASLEEP || state == THREAD_DONE || state == THREAD_DEAD;
}

void scenario_wait(bool (*condition)(void))
{
    if (!condition()) {
        machine_self()->condition = condition;
        machine_block(THREAD_WAITING);
    }
    for (uint32_t i = 0; race_is_on && i < machine->thread_count; i++) {
        race_join(i);
    }
}

/* --- what the threads do --- */

static void verify(void)
{
    static char report[2048];
    if (kin__family_verify(kin__family.memory, report, sizeof report) != 0) {
        machine_fail("%s", report);
    }
}

static bool is_left(const struct machine_process *process)
{
    return process->is_dead && process->owner != 0 &&
           kin__member_state_of(process->owner) != KIN__MEMBER_FREE;
}

/* All dead are reaped, if anybody who lives has a keeper. */
static bool is_reaped(void)
{
    for (uint32_t i = 0; i < machine->process_count; i++) {
        const struct machine_process *process = &machine->processes[i];
        if (is_left(process)) {
            if (kin__death_watcher_of(process->owner) != 0) {
                machine_fail("process %u is dead and not reaped", i);
            }
            return false;
        }
    }
    return true;
}

static void look_at_end(void)
{
    bool is_complete = is_reaped();
    if (stage.scenario->check != NULL) {
        stage.scenario->check();
    }
    if (is_complete && (stage.is_whole || machine->death_count != 0)) {
        verify();
    }
}

/* Founds the family, and in the end looks at what became of it. */
static void *found(void *user)
{
    (void)user;
    kin_family_options options = {.size = sizeof options, .memory_bytes_max = REGION_FAMILY_BYTES};
    SCENARIO_CHECK(kin_init_with(NULL, NULL, &options) == 0);
    machine_self_process()->owner = kin__family.owner;
    stage.scenario->create();
    machine_block(THREAD_PARKED);
    look_at_end();
    return NULL;
}

/* The same, by who is in no family. */
static void *look(void *user)
{
    (void)user;
    machine_block(THREAD_PARKED);
    look_at_end();
    return NULL;
}

/* Makes the process and the thread members. */
static void join_family(void)
{
    if (kin__family.pid == 0) {
        kin__list_init(&kin__references.objects);
    }
    SCENARIO_CHECK(kin__thread_register() == 0);
    machine_self_process()->owner = kin__family.owner;
}

static void *play(void *user)
{
    uint32_t role = (uint32_t)(uintptr_t)user;
    join_family();
    stage.scenario->attach(role);
    machine_block(THREAD_PARKED);
    stage.scenario->roles[role].run(role);
    return NULL;
}

/* The child's side of a start, as begin_child in member/child.c. The fork has freed the locks. Of
 * what it is given it has the blocks, but not the parent's objects. */
static void *play_child(void *user)
{
    uint32_t role = (uint32_t)(uintptr_t)user;
    race_acquire(machine_self_process());
    kin__heap_forget();
    kin__keeper_forget();
    kin__list_init(&kin__references.objects);
    kin__references_adopt();
    if (kin__child_begin(machine_self_process()->owner) < 0) {
        kin__os_die();
    }
    stage.scenario->roles[role].run(role);
    return NULL;
}

/* As process/method/fork.c does. */
uint32_t scenario_start(uint32_t role, uint32_t flags)
{
    const struct scenario_role *it = &stage.scenario->roles[role];
    struct machine_child child = {.name = it->name,
                                  .run = play_child,
                                  .user = (void *)(uintptr_t)role,
                                  .is_mortal = it->is_mortal};
    SCENARIO_CHECK(kin__child_prepare(it->name, flags, &child.owner) == 0);
    machine_self()->child = &child;
    int pid = kin__child_fork(child.owner);
    SCENARIO_CHECK(pid > 0);
    actors[role] = (struct actor){.process = child.process, .thread = child.thread};
    kin__child_started(child.owner, (uint32_t)pid);
    return child.owner;
}

_Noreturn void scenario_end_thread(void)
{
    machine_end_by_itself();
    exit(2); /* never comes here */
}

_Noreturn void scenario_exit(void)
{
    kin__family_leave_at_exit(0);
    kin__os_die();
}

/* Until somebody dies; or, as a keeper does, for a while, if not all have looked since the last
 * death. */
static void await_work(void)
{
    static _Atomic uint32_t never;
    if (kin__sleep_wake_late()) {
        kin__os_futex_wait(&never, 0, kin__os_now_ns() + LATE_SLICE_NS);
    } else {
        machine_watch();
    }
}

/* Reaps as a keeper would, without a life of its own to watch over. */
static void *reap(void *user)
{
    (void)user;
    join_family();
    machine_self()->is_reaper = true;
    machine_block(THREAD_PARKED);
    for (;;) {
        await_work();
        for (uint32_t i = 0; i < machine->process_count; i++) {
            if (is_left(&machine->processes[i])) {
                machine_see_deaths();
                kin__death_reap(machine->processes[i].owner);
            }
        }
    }
    return NULL;
}

/* What the dead have can wait until somebody sleeps, or is short of something. */
static void *wake_up(void *user)
{
    (void)user;
    SCENARIO_CHECK(kin__keeper_need() == 0);
    return NULL;
}

/* --- setting up --- */

/* Runs until all are parked or asleep. */
static void settle(void)
{
    machine_run();
    if (machine->has_failed) {
        printf("FAIL %s: cannot be set up: %s\n", stage.scenario->name, machine->failure);
        exit(1);
    }
}

static void add_reapers(void)
{
    machine_add_thread(0, "reaper", reap, NULL);
    if (stage.scenario->has_mortal_reaper) {
        machine_add_thread(machine_add_process(true), "mortal reaper", reap, NULL);
    }
    settle();
}

static void add_roles(void)
{
    uint32_t process = 0;
    for (uint32_t i = 0; i < SCENARIO_ROLES_MAX; i++) {
        const struct scenario_role *role = &stage.scenario->roles[i];
        if (role->name == NULL) {
            break;
        }
        stage.role_count++;
        if (role->is_child) {
            continue;
        }
        process = role->is_beside ? process : machine_add_process(role->is_mortal);
        actors[i].process = process;
        actors[i].thread = machine_add_thread(process, role->name, play, (void *)(uintptr_t)i);
        settle();
    }
}

void stage_begin(const struct scenario *scenario)
{
    stage.scenario = scenario;
    region_create();
    machine_create();
    scenario_world = region_take(SCENARIO_WORLD_BYTES);
    actors = region_take(SCENARIO_ROLES_MAX * sizeof *actors);
    machine->has_keepers = scenario->has_keepers;
    machine->is_old = scenario->is_old;
    stage.founder = machine_add_thread(machine_add_process(false), "founder", found, NULL);
    settle();
    add_roles();
    if (scenario->has_keepers) {
        stage.checker = machine_add_thread(machine_add_process(false), "checker", look, NULL);
        settle();
    } else {
        stage.checker = stage.founder;
        add_reapers();
    }
    machine->processes[0].is_mortal = scenario->has_mortal_founder;
    for (uint32_t i = 0; i < machine->thread_count; i++) {
        struct machine_thread *thread = &machine->threads[i];
        bool is_actor = thread->state == THREAD_PARKED && i != stage.founder && i != stage.checker;
        thread->state = is_actor ? THREAD_READY : thread->state;
    }
    machine->patience_ns = (int64_t)scenario->patience_ms * 1000000;
    machine->has_no_threads = scenario->has_no_threads;
    machine->is_exploring = true;
    region_keep();
}

/* --- running --- */

static bool has_left(void)
{
    bool has_left = false;
    for (uint32_t i = 0; i < machine->process_count; i++) {
        has_left |= is_left(&machine->processes[i]);
    }
    return has_left;
}

/* Somebody who lives gets a keeper, if there is anybody. */
static void wake_somebody_up(void)
{
    for (uint32_t i = 0; i < machine->process_count; i++) {
        const struct machine_process *process = &machine->processes[i];
        if (!process->is_dead && process->owner != 0 &&
            kin__member_state_of(process->owner) == KIN__MEMBER_LIVE) {
            machine_add_thread(i, "waker", wake_up, NULL);
            machine_run();
            return;
        }
    }
}

static void end(void)
{
    machine->is_exploring = false;
    machine->patience_ns = 0;
    machine->has_no_threads = false;
    if (stage.scenario->has_keepers && has_left()) {
        wake_somebody_up();
    }
    machine->threads[stage.checker].state = THREAD_READY;
    machine_run();
}

bool stage_run(bool is_whole)
{
    stage.is_whole = is_whole;
    region_restore();
    race_begin();
    machine_run();
    if (!machine->has_failed) {
        end();
    }
    return !machine->has_failed;
}
