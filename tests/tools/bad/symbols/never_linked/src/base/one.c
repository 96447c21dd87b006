#include <kin.h>

__attribute__((constructor)) static void begin(void)
{
}
