/* Threads of this process: who am I, starting one of kin's own, hearing that one ends. */
#ifndef KIN_OS_THREAD_H
#define KIN_OS_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* A thread of kin's own, and the notice that a thread ends. */
struct kin__os_thread {
    pthread_t id;
};

struct kin__os_thread_end {
    pthread_key_t key;
};

/* The kernel's id of the calling thread. */
uint32_t kin__os_thread_id(void);

/* The calling thread's errno: what the program calls in between is not to change it. */
int kin__os_thread_errno(void);
void kin__os_thread_errno_set(int code);

/* Lets another thread have the core, if one wants it. */
void kin__os_thread_yield(void);

/* Number of threads that the process has now; 0: it cannot be told (no /proc). */
uint32_t kin__os_thread_count(void);

/* Whether the calling thread is the only one of the process. False also if it cannot be told. */
bool kin__os_thread_is_alone(void);

/* Starts a thread with all signals blocked and a small stack. 0, or -EAGAIN, -ENOMEM. */
int kin__os_thread_start(void *(*run)(void *user), void *user, struct kin__os_thread *ret_thread);

/* Waits for the end of a thread. */
void kin__os_thread_join(struct kin__os_thread thread);

/* Arranges for `on_end` to run on each thread that ends after it called set with a value that
 * is not NULL. 0, or -EAGAIN, -ENOMEM. */
int kin__os_thread_end_create(struct kin__os_thread_end *ret_end, void (*on_end)(void *user));
int kin__os_thread_end_set(struct kin__os_thread_end end, void *user);

/* Runs hooks around every fork of the process, for ever. 0, or -ENOMEM. */
int kin__os_fork_hooks(void (*before)(void), void (*after_parent)(void), void (*after_child)(void));

#endif
