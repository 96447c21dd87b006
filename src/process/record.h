/**
 * What is known of a process that kin has started, in the family's memory: for its parent, itself,
 * and who waits for it in its parent's place.
 *
 * Where the kernel tells the parent how a child ended, that counts. It does not when the program
 * ignores SIGCHLD, or waits for all children itself, or when the child is the forkserver's; so a
 * child that ends by itself notes its exit status here on its way out, and who has waited for it in
 * the parent's place notes what the kernel told him.
 */
#ifndef KIN_PROCESS_RECORD_H
#define KIN_PROCESS_RECORD_H

#include "base/assert.h"
#include "family/reference.h"
#include "os/crash.h"

#define KIN__TYPE_PROCESS 15u

/* How a process ended. */
enum kin__end_kind {
    KIN__END_NONE,   /* it runs, or has been killed */
    KIN__END_NOTED,  /* it ends by itself, with this status: noted by itself, before it has ended */
    KIN__END_WAITED, /* somebody has waited for it: its status, or minus its signal */
};

/* Peer death: a starter that dies leaves it to the child, or, if there is none, to the reaper,
 * which frees it with the blocks of who had it open. A child that is killed has noted its end, or
 * has not. */
struct process_shared {
    _Atomic uint32_t owner;     /* the child's member; by its starter, before it runs */
    _Atomic uint32_t pid;       /* by its starter; 0: not known yet */
    _Atomic uint32_t ends;      /* event count: raised when `end` is written */
    _Atomic uint32_t log_level; /* by its starter, before it runs: that of the child's log */
    _Atomic uint64_t end;       /* code : 32, kind : 32; by the child, and who waits for it */
    _Atomic uint64_t package;   /* block that it begins with; 0: none; by its starter */
    _Atomic uint32_t flags;     /* by its starter; none yet */
    _Atomic int32_t refusal;    /* why the child could not begin; 0: it did, or nobody knows */
    uint32_t reserved[22];

    /* Written by the child when it crashes. */
    _Alignas(KIN__MEMORY_LINE) struct kin__os_crash crash;
};

KIN_STATIC_ASSERT_OFFSET(struct process_shared, end, 16);
KIN_STATIC_ASSERT_OFFSET(struct process_shared, crash, 128);
KIN_STATIC_ASSERT_SIZE(struct process_shared, 1664);

/* A record that this process has open. */
struct kin__record {
    struct kin__object object;
};

/* Makes the record of a child that is about to be started. 0, -ENOMEM, KIN_EFAMILY. */
int kin__record_create(struct kin__record **ret_record);

/* Opens a record by its handle. 0, -EINVAL, -ESTALE, -ENOMEM. */
int kin__record_attach(kin_handle handle, struct kin__record **ret_record);

/* NULL is fine. */
void kin__record_free(struct kin__record *record);

/* In a forked child: lets go of what its parent has open. */
void kin__record_forget(struct kin__record *record);

/* What this process sees of it; NULL: it is gone. */
struct process_shared *kin__record_shared(const struct kin__record *record);

/* Names the record to the child that is about to run in a slot, and the slot to the record. */
void kin__record_set_owner(struct kin__record *record, uint32_t owner);

/* Whether children that are forked from now on have it open: it is for one of them. */
void kin__record_set_inherited(struct kin__record *record, bool is_inherited);

/* Notes how the process ended. What somebody has waited for counts more than what it has noted. */
void kin__record_note(struct kin__record *record, enum kin__end_kind kind, int code);

/* The record that the slot of this process names. Nobody need have it open for this process. 0, or
 * -ESTALE: it has none. */
int kin__record_find_own(struct process_shared **ret_shared);

/* In a child that lacks what it needs to begin, and ends: says what. */
void kin__record_refuse(int code);

/* What it lacked: a code; 0: nothing, or nobody knows. */
int kin__record_refusal(const struct kin__record *record);

/* How it ended, for who knows that it has. */
enum kin__end_kind kin__record_end(const struct kin__record *record, int *ret_code);

#endif
