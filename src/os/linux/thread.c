#define _GNU_SOURCE
#include "os/thread.h"
#include "os/fault.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STACK_BYTES = 256 * 1024 };

/* The thread sanitizer has a thread of its own, from the program's first one on. */
#if defined(__has_feature)
#define HAS_SANITIZER_THREAD __has_feature(thread_sanitizer)
#elif defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER_THREAD 1
#else
#define HAS_SANITIZER_THREAD 0
#endif

uint32_t kin__os_thread_id(void)
{
    return (uint32_t)syscall(SYS_gettid);
}

int kin__os_thread_errno(void)
{
    return errno;
}

void kin__os_thread_errno_set(int code)
{
    errno = code;
}

void kin__os_thread_yield(void)
{
    sched_yield();
}

/* To leave a group of threads is allowed to one that is alone in it, and does nothing then. A look
 * into /proc takes longer than a short child lives. */
bool kin__os_thread_is_alone(void)
{
    return __libc_single_threaded || unshare(CLONE_THREAD) == 0;
}

uint32_t kin__os_thread_count(void)
{
    enum { LINKS_OF_EMPTY = 2 }; /* a folder has a link in its parent, and one in itself */
    struct stat tasks;
    if (stat("/proc/self/task", &tasks) != 0 || tasks.st_nlink <= LINKS_OF_EMPTY) {
        return 0;
    }
    uint32_t count = (uint32_t)tasks.st_nlink - LINKS_OF_EMPTY;
    count -= HAS_SANITIZER_THREAD && count > 1;
    return count;
}

int kin__os_thread_start(void *(*run)(void *user), void *user, struct kin__os_thread *ret_thread)
{
    KIN__OS_FAULT(EAGAIN);
    pthread_attr_t attributes;
    int r = pthread_attr_init(&attributes);
    if (r != 0) {
        return -r;
    }
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the new thread inherits the mask */
    r = pthread_create(&ret_thread->id, &attributes, run, user);
    if (r == EINVAL) { /* the program's thread-local variables, which lie in there, are large */
        r = pthread_create(&ret_thread->id, NULL, run, user);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return -r;
}

void kin__os_thread_join(struct kin__os_thread thread)
{
    pthread_join(thread.id, NULL);
}

int kin__os_thread_end_create(struct kin__os_thread_end *ret_end, void (*on_end)(void *user))
{
    KIN__OS_FAULT(EAGAIN);
    return -pthread_key_create(&ret_end->key, on_end);
}

int kin__os_thread_end_set(struct kin__os_thread_end end, void *user)
{
    KIN__OS_FAULT(ENOMEM);
    return -pthread_setspecific(end.key, user);
}

int kin__os_fork_hooks(void (*before)(void), void (*after_parent)(void), void (*after_child)(void))
{
    KIN__OS_FAULT(ENOMEM);
    return -pthread_atfork(before, after_parent, after_child);
}
