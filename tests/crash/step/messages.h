/*
 * What the scenarios of the queue share: messages that say by their bytes which one they are, and
 * counts on the board of how often each was put and taken.
 */
#ifndef CRASH_MESSAGES_H
#define CRASH_MESSAGES_H

#include "step/scenario.h"

#define SEED_FIRST 1u
#define SEED_VICTIM 2u
#define SEED_SURVIVOR 3u
#define SEED_CONTEXT 4u
#define SEED_PREY 5u

#define BYTES_SMALL 20u
#define BYTES_LARGE 3000u

typedef int put_function(kin_queue *queue, const void *data, size_t size, kin_timeout timeout);
typedef int get_function(kin_queue *queue, kin_timeout timeout, kin_message *ret_message);

/* The put and get in use: kin's, or with a defect. */
extern put_function *put_variant;
extern get_function *get_variant;

/* Size of the messages of this scenario, and whether each comes with a handle of scene.event; set
   in its setup. */
extern size_t message_bytes;
extern bool message_has_handle;

void messages_create(uint64_t item_count_max);
void messages_create_with(const kin_queue_options *options);
void messages_put(uint32_t seed);
/* Takes one, waiting for it, counts it and, in a joinable queue, does it. Its seed; 0: there is
   none for `timeout`. */
uint32_t messages_take(kin_timeout timeout);
uint64_t messages_received(uint32_t seed);

/* Claims the oldest one, or the oldest dead letter. Its seed; 0: there is none. */
uint32_t messages_claim(kin_timeout timeout, kin_claim *ret_claim);
uint32_t messages_claim_dead_letter(kin_claim *ret_claim);
void messages_acknowledge(kin_claim *claim, uint32_t seed);

/* Starts a process of the context; returns when it sleeps. It says that it is on its way. */
void messages_start_sleeper(void (*run)(void));
void messages_say_waiting(void);

/* The victim is reaped; what is left are at most `count` of its messages, and others as the seeds
   say, up to 0: in this order. */
void messages_check_order(uint64_t count, const uint32_t *others);

/* Takes what is left, dead letters too, checks that what was put was taken, each message once, in
   so far as the dead have not taken it along or cut its put short, and frees the queue. */
void messages_finish(void);

/* Fills the slots of the queue's first segment. Their number. */
uint64_t messages_fill_segment(void);

#endif
