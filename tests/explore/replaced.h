/*
 * Comes before each source of kin that is explored: what the simulated machine does itself
 * although no operation on atomics shows it.
 */
#ifndef EXPLORE_REPLACED_H
#define EXPLORE_REPLACED_H

#define _GNU_SOURCE /* some of them define it, behind this */
#include <stddef.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>

int replaced_mutex_init(mtx_t *mutex);
int replaced_mutex_lock(mtx_t *mutex);
int replaced_mutex_unlock(mtx_t *mutex);
void *replaced_copy(void *to, const void *from, size_t size);
long replaced_call(long number, ...);

#define mtx_init(mutex, type) replaced_mutex_init(mutex)
#define mtx_lock(mutex) replaced_mutex_lock(mutex)
#define mtx_unlock(mutex) replaced_mutex_unlock(mutex)
#define syscall(...) replaced_call(__VA_ARGS__)
#define memcpy(to, from, size) replaced_copy(to, from, size)

#endif
