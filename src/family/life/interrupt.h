/**
 * Ctrl-C, as the keeper carries it out; see kin/interrupt.h.
 */
#ifndef KIN_FAMILY_LIFE_INTERRUPT_H
#define KIN_FAMILY_LIFE_INTERRUPT_H

/* Takes the steps that have come and were not taken. In the keeper, without locks. */
void kin__interrupt_act(void);

/* In a child that was started: where another process handles it, it means nothing here. */
void kin__interrupt_leave_to_others(void);

/* The process is about to leave the family. */
void kin__interrupt_end(void);

#endif
