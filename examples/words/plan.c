#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* To open a file costs time too, so that a task of tiny files is limited by their number. */
enum { RANGES_IN_TASK_MAX = 1024 };

/* Makes room for one more item in an array. Returns the array, or NULL: no memory. */
static void *grow(void *items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity) {
        return items;
    }
    size_t larger = *capacity == 0 ? 64 : *capacity * 2;
    void *grown = realloc(items, larger * item_bytes);
    if (grown != NULL) {
        *capacity = larger;
    }
    return grown;
}

static int add_task(struct plan *plan)
{
    struct task *tasks = grow(plan->tasks, plan->task_count, &plan->task_capacity, sizeof *tasks);
    if (tasks == NULL) {
        return -ENOMEM;
    }
    plan->tasks = tasks;
    plan->tasks[plan->task_count++] = (struct task){.first_range = plan->range_count};
    return 0;
}

/* Adds a range to the last task. */
static int add_range(struct plan *plan, struct range range)
{
    struct range *ranges = grow(plan->ranges, plan->range_count, &plan->range_capacity,
                                sizeof *ranges);
    if (ranges == NULL) {
        return -ENOMEM;
    }
    plan->ranges = ranges;
    plan->ranges[plan->range_count++] = range;
    struct task *last = &plan->tasks[plan->task_count - 1];
    last->range_count++;
    last->byte_count += range.end - range.start;
    return 0;
}

static int add_file(struct plan *plan, size_t file_index, uint64_t task_bytes)
{
    uint64_t size = plan->files->files[file_index].size;
    int code = 0;
    for (uint64_t start = 0, end; start < size && code == 0; start = end) {
        const struct task *last = plan->task_count == 0 ? NULL : &plan->tasks[plan->task_count - 1];
        if (last == NULL || last->byte_count == task_bytes ||
            last->range_count == RANGES_IN_TASK_MAX) {
            code = add_task(plan);
            if (code < 0) {
                break;
            }
            last = &plan->tasks[plan->task_count - 1];
        }
        uint64_t room = task_bytes - last->byte_count;
        end = size - start < room ? size : start + room;
        code = add_range(plan,
                         (struct range){.file_index = file_index, .start = start, .end = end});
    }
    return code;
}

int plan_init(struct plan *plan, const struct file_list *files, uint64_t task_bytes)
{
    *plan = (struct plan){.files = files};
    for (size_t i = 0; i < files->count; i++) {
        int code = add_file(plan, i, task_bytes);
        if (code < 0) {
            plan_deinit(plan);
            return code;
        }
    }
    return 0;
}

void plan_deinit(struct plan *plan)
{
    free(plan->ranges);
    free(plan->tasks);
    *plan = (struct plan){0};
}

void plan_write_task(const struct plan *plan, size_t index, struct record_writer *writer)
{
    const struct task *task = &plan->tasks[index];
    for (size_t i = 0; i < task->range_count; i++) {
        const struct range *range = &plan->ranges[task->first_range + i];
        const struct text_file *file = &plan->files->files[range->file_index];
        record_put_number(writer, range->file_index);
        record_put_number(writer, range->start);
        record_put_number(writer, range->end);
        record_put_number(writer, file->size);
        record_put_bytes(writer, file->path, strlen(file->path) + 1);
    }
}
