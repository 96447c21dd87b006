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
    kin_object *object;        /* what was given: by who runs the function, or made of `input` when
                                * it is asked for; owned */
    kin_error *argument_error; /* what was wrong with an argument that was asked for */
    struct kin__buffer output;
    kin_object *result; /* keeps alive what is named by the handles in `output`; NULL: none are */
    kin_handle *output_handles;
    uint32_t output_handle_count;
    kin_error *error;    /* set by kin_call_fail */
    bool has_backtraces; /* errors say how the function came to where they were made */
    const void *frame;   /* of kin__call_run: there such a backtrace ends */
};

#define KIN__CALL_HANDLES_MAX 255u

/* A function by its name, which is the first that is registered under it, and the name of one.
 * NULL: none is. */
kin_function *kin__function_find(const char *name);
const char *kin__function_name(kin_function *function);

/* Refuses two functions of one name: 0, or KIN_EFUNCTION. */
int kin__function_check(void);

/* Runs a function. Its code: 0 or more, or negative; then `error` says why, also if the
 * function itself did not. The caller has zeroed the call, set input and attempt, and ends it
 * with kin__call_end. */
int kin__call_run(kin_call *call, kin_function *function);

/* Gives back what the run has left, but for the buffer's memory, and all. */
void kin__call_reset(kin_call *call);
void kin__call_end(kin_call *call);

/* Forgets the handles of the result. */
void kin__call_drop_handles(kin_call *call);

#endif
