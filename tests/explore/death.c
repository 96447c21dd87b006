#include "explore/machine.h"
#include "explore/race.h"
#include "explore/region.h"

#include <stdlib.h>

#define DYING_STEPS 40u        /* how long threads of a process run on after the first has ended */
#define ROBUST_NODES_MAX 2048u /* Linux looks at no more */

/* What Linux does with a word of a robust list when the thread that listed it ends. */
static void release_word(_Atomic uint32_t *word, uint32_t id, bool is_pending)
{
    uint32_t value = atomic_load(word);
    if (is_pending && (value & KIN__OS_FUTEX_TID) == 0) {
        machine_wake(word, 1);
        return;
    }
    if ((value & KIN__OS_FUTEX_TID) != id) {
        return;
    }
    atomic_store(word, (value & KIN__OS_FUTEX_WAITERS) | KIN__OS_FUTEX_DIED);
    if (value & KIN__OS_FUTEX_WAITERS) {
        machine_wake(word, 1);
    }
}

static void release_node(uint32_t thread, const struct robust_list *node, bool is_pending)
{
    const struct robust_list_head *head = machine->threads[thread].robust;
    _Atomic uint32_t *word = (_Atomic uint32_t *)((uintptr_t)node + (uintptr_t)head->futex_offset);
    if (!region_has(word)) {
        machine_fail("the robust list of %s leads nowhere", machine->threads[thread].name);
        return;
    }
    race_release_of(thread, word);
    release_word(word, MACHINE_THREAD_ID(thread), is_pending);
}

/* As Linux does: first the list, without the pending one, then that. */
static void walk_robust_list(uint32_t thread)
{
    struct machine_thread *it = &machine->threads[thread];
    const struct robust_list_head *head = it->robust;
    const struct robust_list *node = head == NULL ? NULL : head->list.next;
    for (uint32_t i = 0; head != NULL && node != &head->list && i < ROBUST_NODES_MAX; i++) {
        if (!region_has(node)) {
            machine_fail("the robust list of %s leads nowhere", it->name);
            return;
        }
        const struct robust_list *next = node->next;
        if (node != head->list_op_pending) {
            release_node(thread, node, false);
        }
        node = next;
    }
    if (head != NULL && head->list_op_pending != NULL) {
        release_node(thread, head->list_op_pending, true);
    }
    it->has_ended = true;
}

bool machine_is_alive(uint32_t thread)
{
    const struct machine_thread *it = &machine->threads[thread];
    return it->state != THREAD_UNUSED && it->state != THREAD_DEAD && !it->has_ended;
}

uint32_t machine_alive_count(uint32_t process)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < machine->thread_count; i++) {
        count += machine->threads[i].process == process && machine_is_alive(i);
    }
    return count;
}

static void end_thread(uint32_t thread)
{
    struct machine_thread *it = &machine->threads[thread];
    it->state = THREAD_DEAD;
    it->wait_count = 0;
    walk_robust_list(thread);
}

static void end_process(uint32_t process)
{
    struct machine_process *it = &machine->processes[process];
    it->is_dead = true;
    machine->death_count++;
    machine->dying = machine->dying == process ? MACHINE_NOBODY : machine->dying;
    for (int i = 0; i < 2; i++) {
        if (it->life[i] != NULL) {
            release_word(it->life[i], MACHINE_SEEMING_ID(process), false);
        }
    }
}

void machine_kill(uint32_t process)
{
    for (uint32_t i = 0; i < machine->thread_count; i++) {
        if (machine->threads[i].process == process && machine_is_alive(i)) {
            end_thread(i);
        }
    }
    end_process(process);
}

void machine_end(uint32_t thread)
{
    uint32_t process = machine->threads[thread].process;
    if (machine->dying != MACHINE_NOBODY && machine->dying != process) {
        machine_kill(machine->dying);
    }
    if (machine->dying != process) {
        machine->dying = process;
        machine->dying_step = machine->step;
    }
    end_thread(thread);
    if (machine_alive_count(process) == 0) {
        end_process(process);
    }
}

/* A thread that has been killed gets no further than the end of its next system call; one that
 * sleeps in one may do so for a while, and be what a wake-up is spent on. */
bool machine_die(enum point point)
{
    struct machine_thread *self = machine_self();
    if (machine->step > machine->dying_step + DYING_STEPS) {
        machine_kill(machine->dying);
    } else if (self->process == machine->dying && self->has_called) {
        machine_end(machine->current);
    } else if (self->process == machine->dying) {
        self->has_called = point == POINT_CALL;
    }
    return self->state == THREAD_DEAD;
}

/* As the C library does: first what is its own, then it is the kernel's turn. */
void machine_end_by_itself(void)
{
    struct machine_thread *self = machine_self();
    void *user = self->end_user;
    self->end_user = NULL;
    if (user != NULL) {
        machine->on_thread_end(user);
    }
    machine_point(POINT_CALL, NULL);
    walk_robust_list(machine->current);
    if (machine_alive_count(self->process) == 0) {
        end_process(self->process);
    }
    machine_block(THREAD_DONE);
}

void machine_see_deaths(void)
{
    for (uint32_t i = 0; race_is_on && i < machine->thread_count; i++) {
        if (machine->processes[machine->threads[i].process].is_dead) {
            race_join(i);
        }
    }
}

void machine_watch(void)
{
    struct machine_thread *self = machine_self();
    if (self->deaths_seen == machine->death_count) {
        machine_block(THREAD_WATCHING);
    }
    self->deaths_seen = machine->death_count;
    machine_see_deaths();
}
