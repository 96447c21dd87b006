/**
 * Results in private memory.
 */
#ifndef KIN_POOL_RESULT_H
#define KIN_POOL_RESULT_H

#include "pool/job.h"

struct kin__result_page;

/* The bytes of the results lie one behind the other in pages that live as long as the results. */
struct kin_pool_results {
    size_t count;
    struct kin__result_page *pages;
    size_t page_used; /* of the first one */
    size_t page_bytes;
    kin_result items[];
};

/* So many empty results. NULL: no memory. */
kin_pool_results *kin__results_create(size_t count);

/* Keeps a copy of a result's bytes, or makes it one that could not be kept. */
void kin__results_keep(kin_pool_results *results, kin_result *result, kin_bytes bytes);

/* Fills in all but the bytes; `result` has the error from now on. */
void kin__result_set(kin_result *result, const struct kin__outcome *outcome);

/* Makes a result one that could not be kept. */
void kin__result_fail(kin_result *result, int code);

/* Gives back the error. */
void kin__result_clear(kin_result *result);

#endif
