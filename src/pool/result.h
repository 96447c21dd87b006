/**
 * Results in private memory.
 */
#ifndef KIN_POOL_RESULT_H
#define KIN_POOL_RESULT_H

#include "pool/job.h"

/* Fills in all but the bytes; `result` has the error from now on. */
void kin__result_set(kin_result *result, const struct kin__outcome *outcome);

/* Makes a result one that could not be kept. */
void kin__result_fail(kin_result *result, int code);

/* Gives back the error. */
void kin__result_clear(kin_result *result);

#endif
