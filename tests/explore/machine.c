#define _GNU_SOURCE
#include "explore/machine.h"

#include "base/allocate.h"
#include "explore/race.h"
#include "explore/region.h"
#include "explore/schedule.h"
#include "family/keeper.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define STACK_BYTES ((size_t)128 << 10)
#define START_NS 1000000000

struct machine *machine;
const void *machine_place;
void (*machine_tell)(uint32_t choice);

bool machine_is_learning;

static jmp_buf outside; /* where machine_run was called */

static unsigned char *stacks;
static struct kin__thread elsewhere; /* stands for what is another thread's own */

void machine_create(void)
{
    machine = region_take(sizeof *machine);
    machine->current = MACHINE_NOBODY;
    machine->loaded = MACHINE_NOBODY;
    machine->dying = MACHINE_NOBODY;
    machine->now_ns = START_NS;
    stacks = region_take(STACK_BYTES * MACHINE_THREADS_MAX);
}

/* --- whose turn it is --- */

static void load_process(uint32_t process)
{
    if (machine->loaded == process) {
        return;
    }
    if (machine->loaded != MACHINE_NOBODY) {
        struct machine_process *old = &machine->processes[machine->loaded];
        memcpy(&old->family, &kin__family, sizeof kin__family);
        memcpy(&old->heap, &kin__heap, sizeof kin__heap);
        memcpy(&old->references, &kin__references, sizeof kin__references);
    }
    if (process != MACHINE_NOBODY) {
        const struct machine_process *new = &machine->processes[process];
        memcpy(&kin__family, &new->family, sizeof kin__family);
        memcpy(&kin__heap, &new->heap, sizeof kin__heap);
        memcpy(&kin__references, &new->references, sizeof kin__references);
    }
    machine->loaded = process;
}

/* All threads have their own variables at one address, so which thread kin__family names is put in
 * its place. */
static void save_thread(void)
{
    const struct kin__thread *life = atomic_load(&kin__family.life_thread);
    if (life != &elsewhere) {
        machine_self_process()->life_thread = life == NULL ? MACHINE_NOBODY : machine->current;
    }
    machine_self()->own = kin__thread_current;
    machine_self()->endings = kin__endings_current;
    machine_self()->fork_depth = kin__fork_hook_depth;
}

static void load_thread(void)
{
    uint32_t life = machine_self_process()->life_thread;
    load_process(machine_self()->process);
    kin__thread_current = machine_self()->own;
    kin__endings_current = machine_self()->endings;
    kin__fork_hook_depth = machine_self()->fork_depth;
    atomic_store(&kin__family.life_thread, life == MACHINE_NOBODY     ? NULL
                                           : life == machine->current ? &kin__thread_current
                                                                      : &elsewhere);
}

/* Leaves the calling thread, or the outside, for a thread. */
static void go_to(uint32_t thread)
{
    jmp_buf *here = &outside;
    machine->threads[thread].state = THREAD_READY;
    if (thread == machine->current) {
        return;
    }
    if (machine->current != MACHINE_NOBODY) {
        here = &machine_self()->here;
        save_thread();
    }
    if (_setjmp(*here) == 0) {
        machine->current = thread;
        load_thread();
        _longjmp(machine_self()->here, 1);
    }
}

static void go_outside(void)
{
    if (machine->current == MACHINE_NOBODY) {
        return;
    }
    save_thread();
    if (_setjmp(machine_self()->here) == 0) {
        load_process(MACHINE_NOBODY);
        machine->current = MACHINE_NOBODY;
        _longjmp(outside, 1);
    }
}

void machine_fail(const char *format, ...)
{
    if (!machine->has_failed) {
        va_list values;
        va_start(values, format);
        vsnprintf(machine->failure, sizeof machine->failure, format, values);
        va_end(values);
    }
    machine->has_failed = true;
    go_outside();
}

/* --- threads --- */

static ucontext_t starter;
static uint32_t starting;

static void run_thread(void)
{
    struct machine_thread *self = &machine->threads[starting];
    if (_setjmp(self->here) == 0) {
        ucontext_t unused;
        swapcontext(&unused, &starter);
    }
    self->run(self->user);
    if (self->is_keeper) {
        machine_end_by_itself();
    }
    machine_block(THREAD_DONE);
}

static uint32_t free_thread(void)
{
    for (uint32_t i = 0; i < machine->thread_count; i++) {
        if (machine->threads[i].state == THREAD_UNUSED) {
            return i;
        }
    }
    return machine->thread_count++;
}

/* As the C library does it where kin relies on that; else kin finds that it does not. */
static struct robust_list_head *create_robust_list(void)
{
    struct robust_list_head *head = kin__allocate_zeroed(sizeof *head);
    head->list.next = &head->list;
    if (machine->has_keepers) {
        head->futex_offset = -(long)(KIN__OS_LIFE_NODE + offsetof(struct kin__os_life_node, next));
    }
    return head;
}

uint32_t machine_add_thread(uint32_t process, const char *name, void *(*run)(void *user),
                            void *user)
{
    ucontext_t context;
    uint32_t index = free_thread();
    if (index >= MACHINE_THREADS_MAX) {
        fprintf(stderr, "explore: too many threads\n");
        exit(2);
    }
    struct machine_thread *thread = &machine->threads[index];
    *thread = (struct machine_thread){
        .state = THREAD_READY, .process = process, .name = name, .run = run, .user = user};
    thread->library = create_robust_list();
    thread->robust = thread->library;
    starting = index;
    getcontext(&context);
    context.uc_stack.ss_sp = stacks + index * STACK_BYTES;
    context.uc_stack.ss_size = STACK_BYTES;
    context.uc_link = NULL;
    makecontext(&context, run_thread, 0);
    swapcontext(&starter, &context);
    return index;
}

uint32_t machine_add_process(bool is_mortal)
{
    uint32_t index = machine->process_count++;
    if (index >= MACHINE_PROCESSES_MAX) {
        fprintf(stderr, "explore: too many processes\n");
        exit(2);
    }
    struct machine_process *process = &machine->processes[index];
    *process = (struct machine_process){.is_mortal = is_mortal, .life_thread = MACHINE_NOBODY};
    process->family = (struct kin__process){.fd = -1, .generation = 1};
    if (index > 0) { /* as in the child of a plain fork; see member/child.c */
        load_process(MACHINE_NOBODY);
        process->family = machine->processes[0].family;
        process->family.parent = process->family.owner;
        process->family.pid = 0;
        process->family.owner = 0;
        process->family.member = NULL;
        atomic_store(&process->family.keeper_state, KIN__KEEPER_NONE);
        atomic_store(&process->family.keeper_is_due, false);
        atomic_store(&process->family.is_entered, false);
    }
    return index;
}

static uint64_t *copy_of(const uint64_t *array, uint32_t count)
{
    uint64_t *copy = array == NULL ? NULL : kin__allocate((count + 1) * sizeof *copy);
    return copy == NULL ? NULL : memcpy(copy, array, count * sizeof *copy);
}

/* The child's own steps forget what is the parent's. Its mutexes are free, which fork sees to. Of
 * private memory it has a copy of what it goes on with. */
void machine_fork(struct machine_child *child)
{
    machine_point(POINT_CALL, NULL);
    uint32_t index = machine->process_count++;
    if (index >= MACHINE_PROCESSES_MAX) {
        machine_fail("too many processes");
    }
    struct machine_process *process = &machine->processes[index];
    struct kin__references *references = &process->references;
    *process = (struct machine_process){
        .is_mortal = child->is_mortal, .life_thread = MACHINE_NOBODY, .owner = child->owner};
    process->family = kin__family;
    *references = kin__references;
    references->blocks = copy_of(references->blocks, references->block_count);
    references->child_blocks = copy_of(references->child_blocks, references->child_block_count);
    memset(&references->lock, 0, sizeof references->lock);
    memset(&process->family.keeper_lock, 0, sizeof process->family.keeper_lock);
    memset(&process->family.enter_lock, 0, sizeof process->family.enter_lock);
    memset(&process->family.reap_lock, 0, sizeof process->family.reap_lock);
    memset(&process->family.errand_lock, 0, sizeof process->family.errand_lock);
    child->process = index;
    child->thread = machine_add_thread(index, child->name, child->run, child->user);
    race_release(process);
}

/* --- sleeping and waking --- */

static bool waits_on(const struct machine_thread *thread, const _Atomic uint32_t *word)
{
    for (uint32_t i = 0; !thread->is_woken && i < thread->wait_count; i++) {
        bool is_same = region_is_shared(word) || thread->process == machine_self()->process;
        if (is_same && thread->waits[i].word == word) {
            return true;
        }
    }
    return false;
}

static void wake_thread(struct machine_thread *thread, int result)
{
    thread->is_woken = true;
    thread->result = result;
    if (thread->state == THREAD_ASLEEP) {
        thread->state = THREAD_READY;
    }
}

uint32_t machine_wake(const _Atomic uint32_t *word, uint32_t count)
{
    uint32_t woken = 0;
    while (woken < count) {
        struct machine_thread *first = NULL;
        for (uint32_t i = 0; i < machine->thread_count; i++) {
            struct machine_thread *thread = &machine->threads[i];
            if (waits_on(thread, word) &&
                (first == NULL || thread->sleep_number < first->sleep_number)) {
                first = thread;
            }
        }
        if (first == NULL) {
            break;
        }
        wake_thread(first, 0);
        woken++;
    }
    return woken;
}

void machine_expire(uint32_t thread)
{
    struct machine_thread *it = &machine->threads[thread];
    machine->now_ns = it->deadline_ns > machine->now_ns ? it->deadline_ns : machine->now_ns;
    wake_thread(it, -ETIMEDOUT);
}

/* --- points --- */

/* Words of the region, then those of kin__family, of each process. */
#define REGION_WORDS (REGION_SHARED_BYTES / sizeof(uint32_t))
#define PROCESS_WORDS (sizeof(struct kin__process) / sizeof(uint32_t))
#define ALL_WORDS (REGION_WORDS + PROCESS_WORDS * MACHINE_PROCESSES_MAX)

static uint16_t readers[ALL_WORDS]; /* threads, as bits */
static uint16_t writers[ALL_WORDS];
static size_t last_word; /* of the last point; SIZE_MAX: of no one word */

/* Nobody can run: time moves, or this is the end. False: it is the end. A reaper that sleeps on a
 * lock of the dead may have missed its wake-up by another death, which nobody but it would tell:
 * so it looks again after a while. */
static bool move_clock(void)
{
    uint32_t earliest = MACHINE_NOBODY;
    bool is_over = true;
    for (uint32_t i = 0; i < machine->thread_count; i++) {
        const struct machine_thread *thread = &machine->threads[i];
        bool is_waiting = thread->state == THREAD_ASLEEP || thread->state == THREAD_LOCKED ||
                          thread->state == THREAD_WAITING || thread->state == THREAD_JOINING;
        is_over &= !is_waiting || thread->is_keeper;
        if (thread->state == THREAD_ASLEEP && thread->deadline_ns != INT64_MAX &&
            (earliest == MACHINE_NOBODY ||
             thread->deadline_ns < machine->threads[earliest].deadline_ns)) {
            earliest = i;
        }
    }
    if (is_over && (earliest == MACHINE_NOBODY || !machine->threads[earliest].is_keeper)) {
        return false;
    }
    if (earliest == MACHINE_NOBODY) {
        machine_fail("all sleep for ever");
        return false;
    }
    const struct machine_thread *next = &machine->threads[earliest];
    if (next->is_reaper && machine->death_count > 0) {
        machine->net_count++;
    } else if (next->deadline_ns - machine->now_ns > machine->patience_ns && !next->is_keeper) {
        machine_fail("all sleep; %s would look again at its deadline only", next->name);
        return false;
    }
    machine->clock_moves++;
    machine_expire(earliest);
    return true;
}

/* The first thread that can run, or MACHINE_NOBODY. */
static uint32_t first_ready(void)
{
    for (uint32_t i = 0; i < machine->thread_count; i++) {
        if (machine_is_ready(i)) {
            return i;
        }
    }
    return MACHINE_NOBODY;
}

/* Does what was chosen; true: there is another choice to make. */
static bool apply(uint32_t choice)
{
    if (choice >= CHOICE_END) {
        machine_end(choice - CHOICE_END);
        return true;
    }
    if (choice >= CHOICE_EXPIRE) {
        machine_expire(choice - CHOICE_EXPIRE);
        go_to(choice - CHOICE_EXPIRE);
        return false;
    }
    if (choice >= CHOICE_KILL) {
        machine_kill(choice - CHOICE_KILL);
        return true;
    }
    go_to(choice - CHOICE_SWITCH);
    return false;
}

static bool can_go_on(void)
{
    return machine->current != MACHINE_NOBODY && machine_self()->state == THREAD_READY;
}

/* Lets others run until the calling thread, or the outside, gets its turn again. */
static void choose_next(void)
{
    uint32_t choice = CHOICE_NONE;
    do {
        if (first_ready() == MACHINE_NOBODY && machine->dying != MACHINE_NOBODY) {
            machine_kill(machine->dying);
        }
        if (first_ready() == MACHINE_NOBODY && !move_clock()) {
            go_outside();
            return;
        }
        last_word = SIZE_MAX;
        choice = machine->is_exploring ? schedule_choose(POINT_CALL, can_go_on())
                                       : CHOICE_SWITCH + first_ready();
    } while (choice != CHOICE_NONE && apply(choice));
}

static void note_touch(enum point point)
{
    uint16_t thread = (uint16_t)(1u << machine->current);
    if (last_word != SIZE_MAX) {
        readers[last_word] |= thread;
        writers[last_word] |= point == POINT_LOAD ? 0 : thread;
    }
}

bool machine_is_shared(void)
{
    uint16_t threads = last_word == SIZE_MAX ? 0 : readers[last_word];
    return last_word == SIZE_MAX || (writers[last_word] != 0 && (threads & (threads - 1)) != 0);
}

static size_t word_of(const volatile void *address)
{
    const volatile unsigned char *place = address;
    if (address == NULL) {
        return SIZE_MAX;
    }
    if (region_is_shared(address)) {
        return (size_t)(place - region_family) / sizeof(uint32_t);
    }
    return REGION_WORDS + machine_self()->process * PROCESS_WORDS +
           (size_t)(place - (unsigned char *)&kin__family) / sizeof(uint32_t);
}

void machine_point(enum point point, const volatile void *address)
{
    if (!machine->is_exploring || machine->current == MACHINE_NOBODY) {
        return;
    }
    if (machine->dying != MACHINE_NOBODY && machine_die(point)) {
        choose_next();
    }
    last_word = word_of(address);
    if (machine_is_learning) {
        note_touch(point);
    }
    uint32_t choice = schedule_choose(point, true);
    if (__builtin_expect(choice != CHOICE_NONE, 0) && apply(choice)) {
        choose_next();
    }
    if (machine->step > MACHINE_STEPS_MAX) {
        machine_fail("goes on for ever");
    }
}

void machine_block(enum thread_state state)
{
    machine_self()->state = state;
    if (machine->dying != MACHINE_NOBODY && machine_self()->process == machine->dying) {
        machine_end(machine->current);
    }
    choose_next();
}

void machine_run(void)
{
    choose_next();
}
