#include "process/runtime.h"

struct kin__children kin__children;
