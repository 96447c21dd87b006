/*
 * A progress bar on stderr, if that is a terminal; otherwise nothing is printed. Where the total
 * is not known, it is a number without a bar.
 */
#ifndef WORDS_PROGRESS_H
#define WORDS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *title;
    uint64_t done;
    uint64_t total;  /* in bytes; 0: not known */
    int64_t next_ns; /* when to draw again */
    bool is_visible;
};

struct progress progress_start(const char *title, uint64_t total);
void progress_add(struct progress *progress, uint64_t more);

/* Takes the bar away. */
void progress_end(const struct progress *progress);

#endif
