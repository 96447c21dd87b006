#define _GNU_SOURCE
#include "harness/line_list.h"

#include "harness/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void line_list_add(struct line_list *list, const char *line)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity * 2 + 16;
        list->lines = realloc(list->lines, list->capacity * sizeof *list->lines);
    }
    char *copy = list->lines != NULL ? strdup(line) : NULL;
    if (copy == NULL) {
        test_fail(TEST_HERE, "no memory to look for leaks");
        _exit(1);
    }
    list->lines[list->count++] = copy;
}

void line_list_clear(struct line_list *list)
{
    for (size_t index = 0; index < list->count; index++) {
        free(list->lines[index]);
    }
    free(list->lines);
    *list = (struct line_list){0};
}

bool line_list_contains(const struct line_list *list, const char *line)
{
    for (size_t index = 0; index < list->count; index++) {
        if (strcmp(list->lines[index], line) == 0) {
            return true;
        }
    }
    return false;
}

void line_list_report_missing(const struct line_list *list, const struct line_list *other,
                              const char *text)
{
    for (size_t index = 0; index < list->count; index++) {
        if (!line_list_contains(other, list->lines[index])) {
            test_fail("after the test", "%s %s", text, list->lines[index]);
        }
    }
}
