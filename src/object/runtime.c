#include "object/runtime.h"

#include <stddef.h>

struct kin__handle_hooks kin__handle_hooks;
kin__view_hook_function *kin__view_hook;
_Atomic uint64_t kin__hash_secret[2];
_Thread_local struct kin__effort *kin__effort_current;
_Thread_local struct container **kin__circles_later;
struct kin__registry kin__registry;
_Atomic(struct region *) kin__spare_regions[KIN__SPARE_REGION_COUNT];

void kin__handle_let_go(void *held)
{
    if (held != NULL && kin__handle_hooks.let_go != NULL) {
        kin__handle_hooks.let_go(held);
    }
}
