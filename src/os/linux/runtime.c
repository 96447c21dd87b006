#include "os/linux/runtime.h"

struct kin__os kin__os;
