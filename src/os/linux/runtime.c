#include "os/runtime.h"

struct kin__os kin__os;
