#include "process/runtime.h"

#include "base/runtime.h"

KIN__FORK_STATE struct kin__children kin__children;
KIN__FORK_STATE struct kin__forkserver kin__forkserver = {
    .socket = -1, .server_socket = -1, .answer_ms = 30000, .ready_ms = 300000, .leave_ms = 2000};
kin_function_entry kin__run_entry;
kin_function_entry kin__serve_entry;
