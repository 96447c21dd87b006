#include "explore/machine.h"
#include "explore/race.h"
#include "explore/region.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

int replaced_mutex_init(mtx_t *mutex);
int replaced_mutex_lock(mtx_t *mutex);
int replaced_mutex_unlock(mtx_t *mutex);
void *replaced_copy(void *to, const void *from, size_t size);

/* --- mutexes of a process: its first int is 1 when it is held --- */

int replaced_mutex_init(mtx_t *mutex)
{
    memset(mutex, 0, sizeof *mutex);
    return thrd_success;
}

/* Those that are not part of what the machine exchanges are all processes' at one address: for them
 * the process says which are held. */
static bool is_exchanged(const mtx_t *mutex)
{
    uintptr_t place = (uintptr_t)mutex;
    return region_is_shared(mutex) || place - (uintptr_t)&kin__family < sizeof kin__family ||
           place - (uintptr_t)&kin__heap < sizeof kin__heap ||
           place - (uintptr_t)&kin__references < sizeof kin__references;
}

static bool is_held(const mtx_t *mutex)
{
    const struct machine_process *process = machine_self_process();
    bool is_held = is_exchanged(mutex) && *(const int *)mutex != 0;
    for (uint32_t i = 0; i < MACHINE_MUTEXES_MAX; i++) {
        is_held |= process->mutexes[i] == mutex;
    }
    return is_held;
}

/* Puts one mutex in the place of another in the process's list; NULL: none. */
static void replace(const mtx_t *from, const mtx_t *to)
{
    struct machine_process *process = machine_self_process();
    for (uint32_t i = 0; i < MACHINE_MUTEXES_MAX; i++) {
        if (process->mutexes[i] == from) {
            process->mutexes[i] = to;
            return;
        }
    }
    machine_fail("too many mutexes");
}

int replaced_mutex_lock(mtx_t *mutex)
{
    while (is_held(mutex)) {
        machine_self()->mutex = mutex;
        machine_block(THREAD_LOCKED);
    }
    if (is_exchanged(mutex)) {
        *(int *)mutex = 1;
    } else {
        replace(NULL, mutex);
    }
    race_acquire(machine_self_process());
    return thrd_success;
}

int replaced_mutex_unlock(mtx_t *mutex)
{
    if (is_exchanged(mutex)) {
        *(int *)mutex = 0;
    } else {
        replace(mutex, NULL);
    }
    race_release(machine_self_process());
    for (uint32_t i = 0; i < machine->thread_count; i++) {
        struct machine_thread *thread = &machine->threads[i];
        if (thread->state == THREAD_LOCKED && thread->mutex == mutex &&
            thread->process == machine_self()->process) {
            thread->state = THREAD_READY;
        }
    }
    return thrd_success;
}

/* --- copying messages: can be cut off in the middle --- */

void *replaced_copy(void *to, const void *from, size_t size)
{
    bool is_shared = region_is_shared(to) || region_is_shared(from);
    size_t half = is_shared ? size / 2 : 0;
    if (is_shared) {
        machine_point(POINT_ATOMIC, NULL);
        memcpy(to, from, half);
        machine_point(POINT_ATOMIC, NULL);
    }
    memcpy((unsigned char *)to + half, (const unsigned char *)from + half, size - half);
    if (is_shared) {
        machine_point(POINT_WRITE, NULL);
        race_read(from, size, __builtin_return_address(0));
        race_write(to, size, __builtin_return_address(0));
    }
    return to;
}

/* --- private memory: in the region, so that it is put back too --- */

#define ARENA_CLASSES 32u

struct piece {
    size_t bytes;
    struct piece *next; /* free */
};

struct arena {
    size_t used;
    struct piece *free[ARENA_CLASSES]; /* by the power of two */
    unsigned char bytes[];
};

static struct arena *arena;

void *kin__allocate(size_t bytes)
{
    if (arena == NULL) {
        arena = (struct arena *)(void *)(region_family + REGION_FAMILY_BYTES);
    }
    uint32_t class = 5;
    while (((size_t)1 << class) < bytes + sizeof(struct piece)) {
        class ++;
    }
    struct piece *piece = arena->free[class];
    if (piece != NULL) {
        arena->free[class] = piece->next;
        race_acquire(piece);
    } else {
        piece = (struct piece *)(void *)(arena->bytes + arena->used);
        arena->used += (size_t)1 << class;
        if (arena->used + sizeof *arena > REGION_PRIVATE_BYTES) {
            fprintf(stderr, "explore: the arena is too small\n");
            exit(2);
        }
    }
    piece->bytes = (size_t)1 << class;
    return piece + 1;
}

void *kin__allocate_zeroed(size_t bytes)
{
    return memset(kin__allocate(bytes), 0, bytes);
}

void *kin__allocate_array(size_t count, size_t size)
{
    return kin__allocate(count * size);
}

void kin__release(void *memory)
{
    if (memory == NULL) {
        return;
    }
    struct piece *piece = (struct piece *)memory - 1;
    uint32_t class = (uint32_t)__builtin_ctzll(piece->bytes);
    race_release(piece);
    piece->next = arena->free[class];
    arena->free[class] = piece;
}

void *kin__reallocate(void *memory, size_t bytes)
{
    void *grown = kin__allocate(bytes);
    if (memory != NULL) {
        size_t old = ((struct piece *)memory - 1)->bytes - sizeof(struct piece);
        memcpy(grown, memory, old < bytes ? old : bytes);
        kin__release(memory);
    }
    return grown;
}

_Noreturn void kin__assert_fail(const char *condition, const char *file, int line)
{
    machine_fail("%s:%d: assertion failed: %s", file, line, condition);
    exit(2);
}
