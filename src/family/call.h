/**
 * The functions that are registered, and one run of one of them.
 */
#ifndef KIN_FAMILY_CALL_H
#define KIN_FAMILY_CALL_H

#include "base/buffer.h"

#include <kin/call.h>
#include <kin/error.h>

/* A run, made by whoever runs the function: a child process, a worker. */
struct kin_call {
    kin_bytes input;
    const kin_handle *handles; /* counted references that came with the input */
    const int *fds;            /* and fds */
    uint32_t handle_count;
    uint32_t fd_count;
    uint32_t attempt;
    struct kin__buffer output;
    kin_error *error; /* set by kin_call_fail */
};

/* Refuses two functions of one name: 0, or KIN_EFUNCTION. */
int kin__function_check(void);

/* Runs a function. Its code: 0 or more, or negative; then `error` says why, also if the
 * function itself did not. The caller has zeroed the call, set input and attempt, and ends it
 * with kin__call_end. */
int kin__call_run(kin_call *call, kin_function *function);
void kin__call_end(kin_call *call);

#endif
