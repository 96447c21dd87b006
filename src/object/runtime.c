#include "object/runtime.h"

#include <stddef.h>

struct kin__handle_hooks kin__handle_hooks;

void kin__handle_let_go(void *held)
{
    if (held != NULL && kin__handle_hooks.let_go != NULL) {
        kin__handle_hooks.let_go(held);
    }
}
