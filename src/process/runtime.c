#include "process/runtime.h"

struct kin__children kin__children;
struct kin__forkserver kin__forkserver = {.socket = -1, .server_socket = -1};
kin_function_entry kin__run_entry;
kin_function_entry kin__serve_entry;
