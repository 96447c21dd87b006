#include "pool/runtime.h"

#include "base/runtime.h"

KIN__FORK_STATE struct kin__pools kin__pools;
