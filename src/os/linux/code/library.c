#include "os/library.h"

#include "os/fault.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static_assert(sizeof(void *) == sizeof(void (*)(void)), "POSIX: both are the same");

static int fail(const char *name, char ret_why[KIN__OS_LIBRARY_WHY_BYTES])
{
    const char *why = dlerror();
    snprintf(ret_why, KIN__OS_LIBRARY_WHY_BYTES, "%s", why != NULL ? why : name);
    return -ELIBACC;
}

int kin__os_library_load(const char *name, const char *symbols, void *ret_functions,
                         char ret_why[KIN__OS_LIBRARY_WHY_BYTES])
{
    unsigned char *place = ret_functions;
    snprintf(ret_why, KIN__OS_LIBRARY_WHY_BYTES, "%s", name);
    KIN__OS_FAULT(ELIBACC);
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL); /* later: again in each forked child */
    if (library == NULL) {
        return fail(name, ret_why);
    }
    for (const char *symbol = symbols; *symbol != '\0'; symbol += strlen(symbol) + 1) {
        void *function = dlsym(library, symbol);
        if (function == NULL) {
            int r = fail(name, ret_why);
            dlclose(library);
            return r;
        }
        memcpy(place, &function, sizeof function);
        place += sizeof function;
    }
    return 0;
}
