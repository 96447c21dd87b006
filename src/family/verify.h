/**
 * The verifier: checks every invariant of a family's memory. For a quiet family, or a copy of
 * its memory: beside running members it can report what is only half done.
 */
#ifndef KIN_FAMILY_VERIFY_H
#define KIN_FAMILY_VERIFY_H

#include "family/memory.h"

#include <kin/export.h>

struct kin__verifier {
    struct kin__memory memory;
    uint32_t failure_count;
    char *report; /* lines; what does not fit is dropped */
    size_t report_bytes;
    size_t report_used;
};

/* Checks all of it. The number of broken invariants; `report` (may be NULL) gets a line each. */
uint32_t kin__family_verify(struct kin__memory memory, char *report, size_t report_bytes);

/* Notes a broken invariant: for the verify functions of types. */
void kin__verify_fail(struct kin__verifier *verifier, const char *format, ...) KIN_PRINTF(2, 3);

/* Who has the block at an offset; 0 if there is no block in use. */
uint64_t kin__verify_block_owner(const struct kin__verifier *verifier, uint64_t offset);

/* Whether an owner id names a live member. */
bool kin__verify_is_live(const struct kin__verifier *verifier, uint32_t owner);

#endif
