/**
 * What the messages of a bench are made of, so that every subject does the same work: each
 * message is filled freshly, every byte written once, and read in full by who takes it, every
 * byte once. A queue that only hands out a pointer to bytes that nobody touches would win
 * otherwise.
 *
 * The words of message n are n, n + 1, n + 2 ... Their sum is known, so a message that was
 * torn, or mixed with another, is noticed.
 */
#ifndef BENCH_PAYLOAD_H
#define BENCH_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A word of a payload; it may stand in memory of any type. */
typedef uint64_t payload_word __attribute__((may_alias));

/* Eight words that are filled or added up at once: -O2 alone would not, and the slowness of a
 * scalar loop would hide that of a queue. */
typedef uint64_t payload_lanes __attribute__((vector_size(64)));
typedef uint64_t payload_block __attribute__((vector_size(64), aligned(8), may_alias));

#define PAYLOAD_LANE_COUNT 8

/** Fills `bytes` (a multiple of 8) at `place` with message number `number`. */
static inline void payload_write(void *place, size_t bytes, uint64_t number)
{
    size_t word_count = bytes / sizeof(payload_word);
    payload_word *words = (payload_word *)place;
    size_t at = 0;

    if (word_count >= PAYLOAD_LANE_COUNT) {
        payload_lanes lanes = {0, 1, 2, 3, 4, 5, 6, 7};
        lanes += number;
        for (; at + PAYLOAD_LANE_COUNT <= word_count; at += PAYLOAD_LANE_COUNT) {
            *(payload_block *)(words + at) = lanes;
            lanes += PAYLOAD_LANE_COUNT;
        }
    }
    for (; at < word_count; at++) {
        words[at] = number + at;
    }
}

/** The sum of the words at `place`. */
static inline uint64_t payload_sum(const void *place, size_t bytes)
{
    size_t word_count = bytes / sizeof(payload_word);
    const payload_word *words = (const payload_word *)place;
    uint64_t sum = 0;
    size_t at = 0;

    if (word_count >= PAYLOAD_LANE_COUNT) {
        payload_lanes lanes = {0, 0, 0, 0, 0, 0, 0, 0};
        for (; at + PAYLOAD_LANE_COUNT <= word_count; at += PAYLOAD_LANE_COUNT) {
            lanes += *(const payload_block *)(words + at);
        }
        for (size_t i = 0; i < PAYLOAD_LANE_COUNT; i++) {
            sum += lanes[i];
        }
    }
    for (; at < word_count; at++) {
        sum += words[at];
    }
    return sum;
}

/** Says on stderr that a message was damaged, and ends the bench. */
void payload_refuse(uint64_t number, size_t bytes);

/** Reads a message in full, refuses a damaged one, and returns its number. */
static inline uint64_t payload_read(const void *place, size_t bytes)
{
    uint64_t number = *(const payload_word *)place;
    uint64_t word_count = bytes / sizeof(payload_word);
    uint64_t expected = word_count * number + word_count * (word_count - 1) / 2;

    if (payload_sum(place, bytes) != expected) {
        payload_refuse(number, bytes);
    }
    return number;
}

#ifdef __cplusplus
}
#endif

#endif
