#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void kin__assert_fail(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: kin: assertion failed: %s\n", file, line, condition);
    abort();
}
