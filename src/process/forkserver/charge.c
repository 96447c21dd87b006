#include "process/forkserver/charge.h"

#include "base/allocate.h"
#include "process/record.h"

#include <errno.h>

#define CAPACITY_FIRST 64u

int kin__charges_prepare(struct kin__charges *charges, kin_handle record)
{
    if (charges->count == charges->capacity) {
        uint32_t capacity = charges->capacity == 0 ? CAPACITY_FIRST : charges->capacity * 2;
        struct kin__charge *grown = kin__reallocate(charges->all, capacity * sizeof *grown);
        if (grown == NULL) {
            return -ENOMEM;
        }
        charges->all = grown;
        charges->capacity = capacity;
    }
    return kin__record_attach(record, &charges->all[charges->count].record);
}

void kin__charges_add(struct kin__charges *charges, uint32_t pid, uint32_t owner)
{
    struct kin__charge *charge = &charges->all[charges->count++];
    charge->pid = pid;
    charge->owner = owner;
}

void kin__charges_drop(struct kin__charges *charges)
{
    kin__record_free(charges->all[charges->count].record);
}

uint32_t kin__charges_find(const struct kin__charges *charges, uint32_t owner)
{
    for (uint32_t i = charges->count; i-- > 0;) {
        if (charges->all[i].owner == owner) {
            return charges->all[i].pid;
        }
    }
    return 0;
}

void kin__charges_end(struct kin__charges *charges, uint32_t pid, int code)
{
    for (uint32_t i = 0; i < charges->count; i++) {
        struct kin__charge *charge = &charges->all[i];
        if (charge->pid == pid) {
            kin__record_note(charge->record, KIN__END_WAITED, code);
            kin__record_free(charge->record);
            *charge = charges->all[--charges->count];
            return;
        }
    }
}

void kin__charges_deinit(struct kin__charges *charges)
{
    for (uint32_t i = 0; i < charges->count; i++) {
        kin__record_free(charges->all[i].record);
    }
    kin__release(charges->all);
    *charges = (struct kin__charges){0};
}
