/*
 * What the processes of the queue's soak do: producers put messages that say whose and the how
 * many-th they are, and have bytes that can be checked; consumers take them. On the way both
 * use a lock, and make and free objects.
 */
#ifndef CRASH_LOAD_H
#define CRASH_LOAD_H

#include <kin/lock.h>
#include <kin/queue.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { LOAD_PLACES = 16 };

/* How a consumer stands to the message that it is about to get. */
struct load_hand {
    _Atomic uint32_t is_getting;
    kin_message message; /* kin_queue_get_bytes writes it before the message leaves the queue */
};

/* Seen by all; outside of the family. */
struct load_board {
    _Atomic uint32_t is_ending; /* producers stop */
    _Atomic uint64_t received_count;
    _Atomic uint64_t bad_count;  /* messages with wrong bytes, codes that should not be */
    _Atomic uint64_t torn_count; /* pairs behind the lock that differ, though nobody died */
    _Atomic uint64_t died_count; /* times that the lock's holder had died */
    volatile uint64_t pair[2];   /* behind the lock */
    struct load_hand hands[LOAD_PLACES];
};

struct load {
    struct load_board *board;
    const char *folder;
    kin_queue *queue;
    kin_lock *lock;
};

/* The head of each message. */
struct load_head {
    uint32_t producer;
    uint32_t size; /* with the head */
    uint64_t sequence;
    uint64_t hash; /* of the bytes behind */
};

/* Run in a process of their own. `process` numbers all processes of the run, `place` is that of
   a consumer's hand. */
void load_produce(const struct load *load, uint32_t process);
void load_consume(const struct load *load, uint32_t process, uint32_t place);

/* The same with reservations and batches, and with claims, of which some are refused. */
void load_reserve(const struct load *load, uint32_t process);
void load_claim(const struct load *load, uint32_t process);

/* A message: how many bytes one has by chance, its writing, and whether it is whole. */
size_t load_choose_size(uint64_t random);
void load_write(void *message, struct load_head head, uint64_t random);
bool load_is_whole(kin_bytes bytes, struct load_head *ret_head);
void load_count_bad(const struct load *load);

#endif
