/*
 * The tally: what counting some ranges came to. It can be written as a record, which is how a
 * worker returns it, and be merged from such records.
 */
#ifndef WORDS_TALLY_H
#define WORDS_TALLY_H

#include "record.h"
#include "table.h"

/* A file that could not be read, while it was counted. */
struct read_failure {
    uint64_t file_index;
    int code;
};

struct tally {
    struct word_table table;
    uint64_t byte_count;
    struct read_failure *failures;
    size_t failure_count;
};

int tally_init(struct tally *tally);
void tally_deinit(struct tally *tally);

/* Counts the ranges of a task, as plan_write_task wrote them. Returns 0, -ENOMEM or -EBADMSG. */
int tally_count(struct tally *tally, kin_bytes task);

/* Writes bytes, failures, and for each word its hash, letters and count. */
void tally_write(const struct tally *tally, struct record_writer *writer);

/* Adds what tally_write has written. Returns 0, -ENOMEM or -EBADMSG. */
int tally_merge(struct tally *tally, kin_bytes record);

#endif
