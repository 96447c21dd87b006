/* A list of lines, as what there is before a test and after it is noted. Internal to the runner. */
#ifndef LINE_LIST_H
#define LINE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct line_list {
    char **lines;
    size_t count;
    size_t capacity;
};

/**
 * Adds a copy of a line.
 */
void line_list_add(struct line_list *list, const char *line);

/**
 * Frees all lines; the list is empty then.
 */
void line_list_clear(struct line_list *list);

bool line_list_contains(const struct line_list *list, const char *line);

/**
 * Fails the test for each line of `list` that is not in `other`: "after the test: TEXT LINE".
 */
void line_list_report_missing(const struct line_list *list, const struct line_list *other,
                              const char *text);

#endif
