#include "os/linux/call.h"
