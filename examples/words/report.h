/*
 * What is printed at the end.
 */
#ifndef WORDS_REPORT_H
#define WORDS_REPORT_H

#include "run.h"

/* Words by how often they occur, files left out, and totals. */
void report_words(const struct tally *tally, const struct file_list *files);

/* Seconds, and the table of workers. */
void report_runs(const struct run *alone, const struct run *pool);

void report_kills(const struct run *pool, uint64_t kill_count);

/* Says whether both runs counted the same, and if not, where they differ. Returns whether. */
bool report_comparison(const struct run *alone, const struct run *pool,
                       const struct file_list *files);

#endif
