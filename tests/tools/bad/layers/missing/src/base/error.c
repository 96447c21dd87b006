#include "base/gone.h"
