/* Time. Deadlines are absolute, in ns, on the monotonic clock; see also kin_now_ns. */
#ifndef KIN_OS_CLOCK_H
#define KIN_OS_CLOCK_H

#include <stdint.h>

int64_t kin__os_now_ns(void);

/* Tells the processor that this is a loop that waits for another core. */
static inline void kin__os_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
