/*
 * The plan: all text cut into tasks of about the same size. A task is a list of ranges, each a
 * stretch of one file: small files share a task, a large one is cut into many.
 *
 * Cuts are made without looking at the text. A range [start, end) stands for the words that
 * start in it: whoever counts it skips the rest of a word that starts before it, and goes on
 * past its end to finish a word that starts in it.
 */
#ifndef WORDS_PLAN_H
#define WORDS_PLAN_H

#include "files.h"
#include "record.h"

struct range {
    size_t file_index;
    uint64_t start;
    uint64_t end;
};

struct task {
    size_t first_range;
    size_t range_count;
    uint64_t byte_count;
};

struct plan {
    const struct file_list *files;
    struct range *ranges;
    size_t range_count;
    size_t range_capacity;
    struct task *tasks;
    size_t task_count;
    size_t task_capacity;
};

/* Cuts into tasks of `task_bytes` (> 0). The files must stay as long as the plan. */
int plan_init(struct plan *plan, const struct file_list *files, uint64_t task_bytes);
void plan_deinit(struct plan *plan);

/*
 * Writes the input of task `index`: for each range the index of its file, start, end, size of
 * the whole file, and path with a final NUL.
 */
void plan_write_task(const struct plan *plan, size_t index, struct record_writer *writer);

#endif
