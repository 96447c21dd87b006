#include "family/runtime.h"

#include "base/runtime.h"

#include "family/reference.h"

KIN__FORK_STATE struct kin__process kin__family = {.fd = -1, .generation = KIN__GENERATION_FIRST};
_Thread_local struct kin__thread kin__thread_current;
KIN__FORK_STATE struct kin__log kin__log = {
    .threshold = INT32_MAX, .level = KIN_LOG_WARNING, .name = "MainProcess"};
_Thread_local bool kin__log_is_inside;
KIN__FORK_STATE struct kin__finalizers kin__finalizers;
KIN__FORK_STATE struct kin__fork_hooks kin__fork_hooks;
_Thread_local uint32_t kin__fork_hook_depth;
KIN__FORK_STATE struct kin__heap kin__heap;
KIN__FORK_STATE struct kin__interrupts kin__interrupts;
KIN__FORK_STATE struct kin__references kin__references;
const struct kin__type *kin__types[KIN__TYPE_COUNT];
kin_function_entry *kin__functions;
const struct kin__layer_hooks *kin__layers[KIN__LAYER_COUNT];

void kin__type_register(const struct kin__type *type)
{
    KIN_ASSERT(type->id > 0 && type->id < KIN__TYPE_COUNT && kin__types[type->id] == NULL);
    kin__types[type->id] = type;
}
