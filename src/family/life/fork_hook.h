/**
 * The program's own hooks around a fork of this process.
 */
#ifndef KIN_FAMILY_FORK_HOOK_H
#define KIN_FAMILY_FORK_HOOK_H

#include "family/runtime.h"

/* Runs them, by the thread that forks, outside of kin's own locks. After each of the first follows
 * one of the second. */
void kin__fork_hooks_before(void);
void kin__fork_hooks_after(bool is_child);

#endif
