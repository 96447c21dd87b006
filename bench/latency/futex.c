/* The bound of all that sleep: a word to sleep on, and a word to hand over, for each direction. One
 * system call to wake, one to sleep; no looking around, safe against nothing. */

#define _GNU_SOURCE /* for syscall */

#include "latency/round_trip.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINE_BYTES 128

/* What one side sends. The word is written before `is_there`; the release pairs with the
 * receiver's acquire. */
struct direction {
    _Alignas(LINE_BYTES) _Atomic uint32_t is_there;
    uint64_t word;
};

static struct direction *to; /* side 0, side 1 */

static void open_words(void)
{
    to = harness_share(2 * sizeof *to);
}

static void send_word(unsigned side, uint64_t word)
{
    struct direction *direction = &to[1 - side];
    direction->word = word;
    atomic_store_explicit(&direction->is_there, 1, memory_order_release);
    syscall(SYS_futex, &direction->is_there, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static uint64_t receive_word(unsigned side)
{
    struct direction *direction = &to[side];
    while (atomic_load_explicit(&direction->is_there, memory_order_acquire) == 0) {
        syscall(SYS_futex, &direction->is_there, FUTEX_WAIT, 0, NULL, NULL, 0);
    }
    atomic_store_explicit(&direction->is_there, 0, memory_order_relaxed);
    return direction->word;
}

const round_trip_subject round_trip_measured = {open_words, send_word, receive_word,
                                                &harness_forks};
