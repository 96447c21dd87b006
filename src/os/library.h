/**
 * Shared libraries that are loaded when they are first needed.
 *
 * What a program needs in this way is said in a note in the file that needs it, for those who make
 * packages: https://uapi-group.org/specifications/specs/elf_dlopen_metadata
 */
#ifndef KIN_OS_LIBRARY_H
#define KIN_OS_LIBRARY_H

#include <stdint.h>

enum { KIN__OS_LIBRARY_WHY_BYTES = 256 };

/* Loads the shared library `name`, which stays until the process ends, and finds functions in it.
 * `symbols`: their names, each ended by NUL, and an empty one at the end. `ret_functions`: an array
 * of as many pointers to functions, or a struct that is laid out like one; some of it is written on
 * failure too. 0; or -ELIBACC: `ret_why` has the words of the system. */
int kin__os_library_load(const char *name, const char *symbols, void *ret_functions,
                         char ret_why[KIN__OS_LIBRARY_WHY_BYTES]);

/* Notes stand one behind the other, without what the address sanitizer puts around variables. */
#ifdef __clang__
#define KIN__OS_NOTE_ALONE __attribute__((no_sanitize("address")))
#else
#define KIN__OS_NOTE_ALONE
#endif

/* The note, to stand at file scope once in a library or program; `json` as the specification has
 * it. */
#define KIN__OS_LIBRARY_NOTE(json)                                                   \
    __attribute__((used, aligned(4), section(".note.dlopen"))) static const struct { \
        uint32_t name_bytes;                                                         \
        uint32_t text_bytes;                                                         \
        uint32_t type;                                                               \
        char name[4];                                                                \
        _Alignas(4) char text[sizeof(json)];                                         \
    } library_note KIN__OS_NOTE_ALONE = {4, sizeof(json), 0x407c0c0a, "FDO", json}

#endif
