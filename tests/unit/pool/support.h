/* Functions that the pool's tests run in workers, and small helpers. */
#ifndef POOL_SUPPORT_H
#define POOL_SUPPORT_H

#include "harness/test.h"

#include <errno.h>
#include <kin.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

kin_function square; /* of 8 bytes; above UINT32_MAX it fails with -ERANGE */
kin_function echo;   /* the input */
kin_function fill;   /* as many bytes as the 8-byte input says, all of its low byte */
kin_function nap;    /* sleeps for so many microseconds */
kin_function wait_for_ever;
kin_function kill_itself;        /* each time */
kin_function kill_itself_once;   /* at the first attempt; then returns the attempt */
kin_function kill_itself_often;  /* before the twelfth attempt */
kin_function kill_itself_on_odd; /* inputs; squares the others */
kin_function exit_itself;
kin_function return_positive;
kin_function return_bare_code;
kin_function write_pid; /* to the fd that the input names, then waits for ever */

/* A pool of two workers, without retries if NULL. */
kin_pool *pool_with(const kin_pool_options *options);

/* Inputs 0 .. count - 1 as 8 bytes each. */
struct numbers {
    uint64_t *values;
    kin_bytes *inputs;
    size_t count;
};

struct numbers numbers_create(size_t count);
void numbers_free(struct numbers *numbers);

uint64_t result_number(const kin_result *result);

/* Maps over numbers and checks that all were squared. */
void check_squares(kin_pool *pool, size_t count);

/* A source of numbers for imap. */
struct counter {
    uint64_t next;
    uint64_t end;
    uint64_t value;
    int code; /* at the end */
};

int counter_next(void *user, kin_bytes *ret_input);

/* Waits until there is no such process, or only its zombie. */
bool is_gone(int32_t pid);

int32_t worker_pid(const kin_pool *pool, uint32_t index);

/* Waits until worker `index` is at a task. */
void wait_until_busy(const kin_pool *pool, uint32_t index);

#endif
