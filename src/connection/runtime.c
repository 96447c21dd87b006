#include "connection/runtime.h"

struct kin__listeners kin__listeners;
