/* How far a member is. */
#ifndef KIN_PROCESS_STATE_H
#define KIN_PROCESS_STATE_H

#include <kin/member.h>

/* Of a member, process or thread, that was started. Terminated, if it is no more. */
kin_state kin__state_of(uint32_t owner);

#endif
