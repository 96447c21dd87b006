#include "process/runtime.h"

struct kin__children kin__children;
kin_function_entry kin__run_entry;
