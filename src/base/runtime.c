#include "base/runtime.h"

_Thread_local struct kin__endings kin__endings_current;
mtx_t kin__weak_lock;
