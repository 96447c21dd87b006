/*
 * The journals of the soak: each process appends what it is about to do and what it has done to a
 * file of its own. A write survives the death of the writer at any later instruction, so what is
 * in the files is what must be true of the queue.
 */
#ifndef CRASH_JOURNAL_H
#define CRASH_JOURNAL_H

#include <stdint.h>

enum journal_kind {
    JOURNAL_INTENT = 1,
    JOURNAL_SENT,
    JOURNAL_RECEIVED,
    JOURNAL_CLAIMED,
    JOURNAL_CLAIMED_AGAIN, /* not the first time */
    JOURNAL_ENDING,        /* before the acknowledgement */
    JOURNAL_ENDED,         /* when it has returned */
};

/* What somebody did with message `sequence` of producer `producer`. */
struct journal_record {
    uint32_t kind;
    uint32_t producer;
    uint64_t sequence;
};

/* Opens the journal of a process for appending; ends the process on failure. */
int journal_open(const char *folder, uint32_t process);
void journal_write(int fd, enum journal_kind kind, uint32_t producer, uint64_t sequence);

/* Reads a journal, in order. */
typedef void journal_visit(void *user, uint32_t process, const struct journal_record *record);
void journal_read(const char *folder, uint32_t process, journal_visit *visit, void *user);

#endif
