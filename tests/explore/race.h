/*
 * Data races: two accesses to the same word by different threads, at least one of them a plain
 * write and none of them atomic, of which neither happens before the other by the memory orders
 * that the code asks for. The machine itself is sequentially consistent, so that an order is too
 * weak shows here only.
 *
 * Happens-before is kept as vector clocks. Beside atomics, what the kernel and the tests order
 * counts: mutexes of a process, a death and its proof, conditions of a scenario.
 */
#ifndef EXPLORE_RACE_H
#define EXPLORE_RACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern bool race_is_on;

/* Called for a race, by the addresses in the program; true: not again for these two. */
extern bool (*race_on_find)(const void *first, const void *second);

/* A new run. */
void race_begin(void);

void race_read(const volatile void *address, size_t size, const void *place);
void race_write(const volatile void *address, size_t size, const void *place);

/* An atomic operation with the order that the compiler passes. */
void race_load(const volatile void *address, int order);
void race_store(const volatile void *address, int order);
void race_update(const volatile void *address, int order);
void race_fence(int order);

/* What the calling thread has done happens before what another does that has seen it; by a key. */
void race_release(const volatile void *key);
void race_acquire(const volatile void *key);

/* All that a thread has done happens before all that the calling one will do. */
void race_join(uint32_t thread);

/* The kernel has changed a word in the name of a thread that is dead. */
void race_release_of(uint32_t thread, const volatile void *address);

#endif
