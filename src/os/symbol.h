/* Names of places in the code. */
#ifndef KIN_OS_SYMBOL_H
#define KIN_OS_SYMBOL_H

#include <stddef.h>
#include <stdint.h>

/* Writes where an address in this process's code is, for people: "function+0x1c (program)";
 * "program+0x41c" if the function is not known by name there; else the number. */
void kin__os_symbol_format(uint64_t address, char *text, size_t size);

#endif
