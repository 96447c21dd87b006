#include "processes.h"

int return_seven(kin_call *call)
{
    (void)call;
    return 7;
}
KIN_FUNCTION(return_seven)

int wait_for_ever(kin_call *call)
{
    say_so(call);
    while (pause() < 0) {
    }
    return 0;
}
KIN_FUNCTION(wait_for_ever)
