/*
 * Comes before each source of kin that is explored: what the simulated machine does itself
 * although no operation on atomics shows it.
 */
#ifndef EXPLORE_REPLACED_H
#define EXPLORE_REPLACED_H

#include <stddef.h>
#include <string.h>
#include <threads.h>

int replaced_mutex_init(mtx_t *mutex);
int replaced_mutex_lock(mtx_t *mutex);
int replaced_mutex_unlock(mtx_t *mutex);
void *replaced_copy(void *to, const void *from, size_t size);

#define mtx_init(mutex, type) replaced_mutex_init(mutex)
#define mtx_lock(mutex) replaced_mutex_lock(mutex)
#define mtx_unlock(mutex) replaced_mutex_unlock(mutex)
#define memcpy(to, from, size) replaced_copy(to, from, size)

#endif
