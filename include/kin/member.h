/**
 * Who takes part in the family, and what each is doing: a look at the table that crash recovery
 * and deadlock detection read. It costs those that are looked at nothing.
 */
#ifndef KIN_MEMBER_H
#define KIN_MEMBER_H

#include <kin/export.h>
#include <kin/family.h>
#include <stdbool.h>

KIN_BEGIN

/** How far a process or thread is. */
typedef enum kin_state {
    KIN_STATE_NEW = 1,   /**< made by kin_process_create, and not started */
    KIN_STATE_READY,     /**< started; has not come to its function yet */
    KIN_STATE_RUNNING,   /**< runs, or waits for something that is not kin's */
    KIN_STATE_BLOCKED,   /**< asleep in a call of kin; of a process: all its members are */
    KIN_STATE_TERMINATED /**< ended, or about to be, with nothing left to run */
} kin_state;

/** "new", "ready", "running", "blocked", "terminated"; "unknown" for anything else. */
KIN_API const char *kin_state_name(kin_state state);

/** One member: a process, or a thread that has used kin. */
typedef struct kin_member {
    uint32_t id;          /* nobody else's as long as it lives */
    uint32_t process_id;  /* `id` of its process; its own, if it is one */
    uint32_t parent_id;   /* of a process: `id` of its parent; 0: none, or gone */
    bool is_process;      /* else a thread */
    kin_state state;      /* at a moment during the call */
    int32_t pid;          /* 0: not known yet */
    int32_t tid;          /* as the kernel has it; of a process: its first thread's */
    char name[32];        /* of its process */
    uint32_t claim_count; /* objects that it holds, or is just about to hold or to let go of */

    /* What a blocked one waits for: the word for it ("lock", "queue", "process" ...), valid as
     * long as the program runs; NULL: it is not blocked, or that is not known. */
    const char *waits_for;
    kin_handle object; /* the object; all zero: none, or it is private to its process */
    uint32_t holder;   /* `id` of who has it, or of the process; 0: nobody, or not known */
} kin_member;

/**
 * Writes who takes part now, in the order of their ids' slots, at most `capacity` of them, to
 * `members` (NULL if that is 0). Others go on meanwhile: what is told of each one was true at some
 * moment during the call, not at the same.
 *
 * Returns how many there are, which may be more than `capacity`, or KIN_EFAMILY, -EINVAL.
 *
 * Peer death: one that is dead and was not taken back yet is told as terminated.
 */
KIN_API int kin_members(kin_member *members, size_t capacity);

KIN_END

#endif
