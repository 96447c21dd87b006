#include "sync/runtime.h"

#include "base/runtime.h"

KIN__FORK_STATE struct kin__deadlocks kin__deadlocks;
