#define _GNU_SOURCE
#include "os/symbol.h"
#include "os/linux/runtime.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#ifdef KIN_BACKTRACE
#include <backtrace.h>
#endif

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

#ifdef KIN_BACKTRACE

struct place {
    char *text;
    size_t size;
    bool is_known;
};

/* The first that is told is the innermost: of inlined functions, the one that the line is in. */
static int tell_place(void *user, uintptr_t address, const char *file, int line,
                      const char *function)
{
    struct place *place = user;
    (void)address;
    if (file == NULL || function == NULL) {
        return 0;
    }
    snprintf(place->text, place->size, "%s (%s:%d)", function, base_name(file), line);
    place->is_known = true;
    return 1;
}

static void ignore_error(void *user, const char *message, int number)
{
    (void)user;
    (void)message;
    (void)number;
}

/* libbacktrace reads the program's file once, and has no way to give that back. Two threads may do
 * so at the same time: then one reading is lost. */
static bool format_by_debugging_information(uint64_t address, char *text, size_t size)
{
    struct place place = {.text = text, .size = size};
    struct backtrace_state *state = atomic_load(&kin__os.symbols);
    if (state == NULL) {
        state = backtrace_create_state(NULL, 1, ignore_error, NULL);
        atomic_store(&kin__os.symbols, state);
    }
    if (state != NULL) {
        backtrace_pcinfo(state, (uintptr_t)address, tell_place, ignore_error, &place);
    }
    return place.is_known;
}

#else

static bool format_by_debugging_information(uint64_t address, char *text, size_t size)
{
    (void)address;
    (void)text;
    (void)size;
    return false;
}

#endif

void kin__os_symbol_format(uint64_t address, char *text, size_t size)
{
    Dl_info found = {0};
    void *place = (void *)(uintptr_t)address;
    if (address == 0 || dladdr(place, &found) == 0 || found.dli_fname == NULL) {
        snprintf(text, size, "%#" PRIx64, address);
    } else if (format_by_debugging_information(address, text, size)) {
        return;
    } else if (found.dli_sname == NULL) {
        snprintf(text, size, "%s+%#" PRIx64, base_name(found.dli_fname),
                 address - (uint64_t)(uintptr_t)found.dli_fbase);
    } else {
        snprintf(text, size, "%s+%#" PRIx64 " (%s)", found.dli_sname,
                 address - (uint64_t)(uintptr_t)found.dli_saddr, base_name(found.dli_fname));
    }
}
