#include "pool/runtime.h"

struct kin__pools kin__pools;
