#include <kin.h>
int kin_one(void)
{
    return 1;
}
