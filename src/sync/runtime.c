#include "sync/runtime.h"

struct kin__deadlocks kin__deadlocks;
