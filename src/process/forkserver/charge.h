/**
 * The children of a forkserver that run: whose ends it has to tell.
 */
#ifndef KIN_PROCESS_FORKSERVER_CHARGE_H
#define KIN_PROCESS_FORKSERVER_CHARGE_H

#include <kin/family.h>
#include <stdint.h>

struct kin__record;

struct kin__charge {
    uint32_t pid;
    uint32_t owner;
    struct kin__record *record; /* a reference: who started it may have let go of it */
};

/* The server's private memory, in no order. */
struct kin__charges {
    struct kin__charge *all;
    uint32_t count;
    uint32_t capacity;
};

/* Makes a place for a child that is about to be started, with its record opened. The next one gets
 * the same place, unless kin__charges_add keeps it. 0, -ENOMEM, -EINVAL or -ESTALE: there is no
 * such record. */
int kin__charges_prepare(struct kin__charges *charges, kin_handle record);

/* The child runs, or there is none. */
void kin__charges_add(struct kin__charges *charges, uint32_t pid, uint32_t owner);
void kin__charges_drop(struct kin__charges *charges);

/* The process id of the child in a slot; 0: it has ended. */
uint32_t kin__charges_find(const struct kin__charges *charges, uint32_t owner);

/* A process has ended: if it is one of them, its record says how. */
void kin__charges_end(struct kin__charges *charges, uint32_t pid, int code);

/* Gives the memory back. */
void kin__charges_deinit(struct kin__charges *charges);

#endif
