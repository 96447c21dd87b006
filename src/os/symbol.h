/* Names of places in the code. */
#ifndef KIN_OS_SYMBOL_H
#define KIN_OS_SYMBOL_H

#include <stddef.h>
#include <stdint.h>

/* Writes where an address in this process's code is, for people: "function (file.c:12)" where the
 * program has its debugging information; "function+0x1c (program)"; "program+0x41c" if the
 * function is not known by name; else the number. Of a return address, ask for the byte before. */
void kin__os_symbol_format(uint64_t address, char *text, size_t size);

/**
 * Finds out who called whom, the innermost first: addresses to be formatted, from the caller with
 * the return address `from` to the one before that whose frame begins at `until`
 * (__builtin_frame_address). The number of addresses, at most `capacity`.
 */
uint32_t kin__os_symbol_trace(const void *from, const void *until, uint64_t *addresses,
                              uint32_t capacity);

/* Says which build a module is of: one whose file is mapped from `header` on, at addresses that are
 * `base` more than those in it. 0: nobody knows. For signal handlers too. */
uint64_t kin__os_build_at(const void *header, uint64_t base);

/* Says which build the code at a place is of, where that is a shared library of its own. 0: it is
 * part of the program, or nobody knows. */
uint64_t kin__os_build_of(const void *place);

#endif
