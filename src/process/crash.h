/**
 * Crashes of children: noted by the child in its record, told by its parent; see os/crash.h.
 */
#ifndef KIN_PROCESS_CRASH_H
#define KIN_PROCESS_CRASH_H

#include "process/process.h"

#include <kin/crash.h>

/* In a child: from now on it leaves word when it crashes, or no longer. */
void kin__crash_watch(void);
void kin__crash_forget(void);

/* Of a child that has ended: prints how it crashed, if it did, to stderr, once. */
void kin__crash_tell(kin_process *process);

#endif
