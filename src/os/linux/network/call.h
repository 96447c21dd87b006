/**
 * The system calls that are made for each message, without the way through the C library.
 *
 * A processor remembers return addresses on a stack of its own, to go on at once where a `ret` will
 * lead. On AMD's family 19h the kernel guards its own returns ("safe RET") in a way that leaves
 * addresses of the kernel there. The first `ret` behind a system call, that of the C library's
 * function, is expected to go to one of them, and to find out that it does not takes 90 to 130 ns:
 * a third of a small write. So there the call stands in the function that wants it, and behind it
 * addresses that lead nowhere are put on top of the kernel's: about 10 ns, and some 7 for each
 * return that follows, which is expected to go there. (Without returns, in one loop, a write of 68
 * bytes takes 207 ns, through the C library 294.)
 *
 * Where sanitizers have to see what the kernel writes, and on other machines than x86-64, it is the
 * C library's function. Each is as that, but returns a negative code, and cannot be cancelled.
 */
#ifndef KIN_OS_LINUX_NETWORK_CALL_H
#define KIN_OS_LINUX_NETWORK_CALL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define KIN__OS_IS_WATCHED 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KIN__OS_IS_WATCHED 1
#endif

#if defined(__x86_64__) && defined(__LP64__) && !defined(KIN__OS_IS_WATCHED)

#define KIN__OS_CALL static inline __attribute__((always_inline)) int64_t

/* Puts addresses that lead nowhere on top of the processor's stack of return addresses. */
static inline __attribute__((always_inline)) void kin__os_cover_returns(void)
{
#if !defined(__CET__)
    if (__builtin_cpu_is("amdfam19h")) {
        __asm__ volatile("lea -128(%%rsp), %%rsp\n\t" /* the function's own, behind its stack */
                         ".rept 12\n\t"
                         "call 1f\n\t"
                         "2: pause\n\t"
                         "lfence\n\t"
                         "jmp 2b\n\t"
                         "1:\n\t"
                         ".endr\n\t"
                         "lea 128 + 12 * 8(%%rsp), %%rsp" ::
                             : "memory");
    }
#endif
}

KIN__OS_CALL kin__os_call(int64_t number, const int64_t arguments[6])
{
    register int64_t fourth __asm__("r10") = arguments[3];
    register int64_t fifth __asm__("r8") = arguments[4];
    register int64_t sixth __asm__("r9") = arguments[5];
    int64_t r = number;
    __asm__ volatile("syscall"
                     : "+a"(r)
                     : "D"(arguments[0]), "S"(arguments[1]), "d"(arguments[2]), "r"(fourth),
                       "r"(fifth), "r"(sixth)
                     : "rcx", "r11", "cc", "memory");
    kin__os_cover_returns();
    return r;
}

KIN__OS_CALL kin__os_call_readv(int fd, const struct iovec *rooms, int count)
{
    return kin__os_call(SYS_readv, (const int64_t[6]){fd, (int64_t)rooms, count});
}

/* Both: at the fd's own position. */
KIN__OS_CALL kin__os_call_preadv2(int fd, const struct iovec *rooms, int count, int flags)
{
    return kin__os_call(SYS_preadv2, (const int64_t[6]){fd, (int64_t)rooms, count, -1, -1, flags});
}

KIN__OS_CALL kin__os_call_pwritev2(int fd, const struct iovec *pieces, int count, int flags)
{
    return kin__os_call(SYS_pwritev2,
                        (const int64_t[6]){fd, (int64_t)pieces, count, -1, -1, flags});
}

KIN__OS_CALL kin__os_call_send(int fd, const void *data, size_t size, int flags)
{
    return kin__os_call(SYS_sendto, (const int64_t[6]){fd, (int64_t)data, (int64_t)size, flags});
}

/* Both: one message. */
KIN__OS_CALL kin__os_call_sendmmsg(int fd, struct mmsghdr *message, int flags)
{
    return kin__os_call(SYS_sendmmsg, (const int64_t[6]){fd, (int64_t)message, 1, flags});
}

KIN__OS_CALL kin__os_call_recvmmsg(int fd, struct mmsghdr *message, int flags)
{
    return kin__os_call(SYS_recvmmsg, (const int64_t[6]){fd, (int64_t)message, 1, flags});
}

#else

#define KIN__OS_CALL static inline int64_t

KIN__OS_CALL kin__os_call_result(int64_t r)
{
    return r < 0 ? -errno : r;
}

KIN__OS_CALL kin__os_call_readv(int fd, const struct iovec *rooms, int count)
{
    return kin__os_call_result(readv(fd, rooms, count));
}

KIN__OS_CALL kin__os_call_preadv2(int fd, const struct iovec *rooms, int count, int flags)
{
    return kin__os_call_result(preadv2(fd, rooms, count, -1, flags));
}

KIN__OS_CALL kin__os_call_pwritev2(int fd, const struct iovec *pieces, int count, int flags)
{
    return kin__os_call_result(pwritev2(fd, pieces, count, -1, flags));
}

KIN__OS_CALL kin__os_call_send(int fd, const void *data, size_t size, int flags)
{
    return kin__os_call_result(send(fd, data, size, flags));
}

KIN__OS_CALL kin__os_call_sendmmsg(int fd, struct mmsghdr *message, int flags)
{
    return kin__os_call_result(sendmmsg(fd, message, 1, flags));
}

KIN__OS_CALL kin__os_call_recvmmsg(int fd, struct mmsghdr *message, int flags)
{
    return kin__os_call_result(recvmmsg(fd, message, 1, flags, NULL));
}

#endif

#endif
