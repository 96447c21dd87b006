#define _GNU_SOURCE
#include "os/symbol.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

void kin__os_symbol_format(uint64_t address, char *text, size_t size)
{
    Dl_info found = {0};
    void *place = (void *)(uintptr_t)address;
    if (address == 0 || dladdr(place, &found) == 0 || found.dli_fname == NULL) {
        snprintf(text, size, "%#" PRIx64, address);
    } else if (found.dli_sname == NULL) {
        snprintf(text, size, "%s+%#" PRIx64, base_name(found.dli_fname),
                 address - (uint64_t)(uintptr_t)found.dli_fbase);
    } else {
        snprintf(text, size, "%s+%#" PRIx64 " (%s)", found.dli_sname,
                 address - (uint64_t)(uintptr_t)found.dli_saddr, base_name(found.dli_fname));
    }
}
