#include "explore/stage.h"

#include "explore/race.h"
#include "explore/region.h"
#include "family/death.h"
#include "family/family.h"
#include "family/member.h"
#include "family/reference.h"
#include "family/sleep.h"
#include "family/verify.h"
#include "os/clock.h"
#include "os/futex.h"

#include <stdio.h>
#include <stdlib.h>

#define LATE_SLICE_NS 1000000

void *scenario_world;

static struct {
    const struct scenario *scenario;
    uint32_t founder; /* thread */
    uint32_t role_count;
    uint32_t processes[SCENARIO_ROLES_MAX];
    uint32_t threads[SCENARIO_ROLES_MAX];
    bool is_whole;
} stage;

bool scenario_is_dead(uint32_t role)
{
    return machine->processes[stage.processes[role]].is_dead;
}

bool scenario_is_asleep(uint32_t role)
{
    enum thread_state state = machine->threads[stage.threads[role]].state;
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

static void check_dead(void)
{
    for (uint32_t i = 0; i < machine->process_count; i++) {
        if (is_left(&machine->processes[i])) {
            machine_fail("process %u is dead and not reaped", i);
        }
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
    check_dead();
    if (stage.scenario->check != NULL) {
        stage.scenario->check();
    }
    if (stage.is_whole || machine->death_count != 0) {
        verify();
    }
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
        process = role->is_beside ? process : machine_add_process(role->is_mortal);
        stage.processes[i] = process;
        stage.threads[i] = machine_add_thread(process, role->name, play, (void *)(uintptr_t)i);
        stage.role_count++;
        settle();
    }
}

void stage_begin(const struct scenario *scenario)
{
    stage.scenario = scenario;
    region_create();
    machine_create();
    scenario_world = region_take(SCENARIO_WORLD_BYTES);
    machine->has_keepers = scenario->has_keepers;
    machine->is_old = scenario->is_old;
    stage.founder = machine_add_thread(machine_add_process(false), "founder", found, NULL);
    settle();
    add_roles();
    if (!scenario->has_keepers) {
        add_reapers();
    }
    for (uint32_t i = 0; i < machine->thread_count; i++) {
        struct machine_thread *thread = &machine->threads[i];
        bool is_actor = thread->state == THREAD_PARKED && i != stage.founder;
        thread->state = is_actor ? THREAD_READY : thread->state;
    }
    machine->patience_ns = (int64_t)scenario->patience_ms * 1000000;
    machine->is_exploring = true;
    region_keep();
}

/* --- running --- */

static void end(void)
{
    machine->is_exploring = false;
    machine->patience_ns = 0;
    machine->threads[stage.founder].state = THREAD_READY;
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
