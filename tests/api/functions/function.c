/* A function with a name given at build time, registered from wherever this file is linked into:
   a shared library, a module that is loaded with dlopen, a static archive. */
#include <kin.h>
#include <string.h>

#ifndef FACTOR
#define FACTOR 2
#endif

#define REGISTER(name) KIN_FUNCTION(name) /* expands NAME */

kin_function NAME;

int NAME(kin_call *call)
{
    int number = 0;
    memcpy(&number, kin_call_bytes(call).data, sizeof number);
    number *= FACTOR;
    return kin_call_return_bytes(call, &number, sizeof number);
}
REGISTER(NAME)
