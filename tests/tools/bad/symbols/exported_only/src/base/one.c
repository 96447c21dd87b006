#include <kin.h>
int kin_one(void)
{
    return 1;
}
KIN_API int kin_two(void)
{
    return 2;
}
