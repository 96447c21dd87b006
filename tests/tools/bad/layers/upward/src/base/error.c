#include "family/lock.h"
