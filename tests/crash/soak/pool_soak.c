#define _GNU_SOURCE
#include "soak/soak.h"

#include <stdio.h>

bool soak_pool(const struct soak_options *options)
{
    (void)options;
    printf("soak of the pool: not yet\n");
    return true;
}
