/*
 * Failures in words: of a start, by who started it; and of a child, by itself before it ends.
 */
#include "base/allocate.h"
#include "process/process.h"
#include "process/runtime.h"

#include <kin/context.h>
#include <kin/error.h>
#include <kin/process.h>
#include <stdio.h>

kin_error *kin_process_error(kin_process *process)
{
    kin_error *error = NULL;
    if (process == NULL) {
        return NULL;
    }
    mtx_lock(&kin__children.lock);
    int refusal = kin__record_refusal(process->record);
    if (!process->is_starting && process->start_code < 0) {
        error = kin_error_create_at(NULL, 0, NULL, NULL, process->start_code,
                                    "%s cannot be started by %s: %s failed: %s", process->name,
                                    kin_context_name(process->plan.context), process->stage,
                                    kin_code_text(process->start_code));
    } else if (refusal < 0) {
        error = kin_error_create_at(NULL, 0, NULL, NULL, refusal, "%s could not begin: %s",
                                    process->name, kin_code_text(refusal));
    }
    mtx_unlock(&kin__children.lock);
    return error;
}

/* Its name, then the error with where it comes from; in one write, so that the lines of children
 * that fail together do not mix. */
void kin__process_print_failure(const kin_error *error)
{
    const char *name = kin__family.member->name;
    int name_bytes = snprintf(NULL, 0, "%s: ", name);
    int error_bytes = kin_error_format(error, NULL, 0);
    size_t size = (size_t)name_bytes + (size_t)error_bytes + 1;
    char *text = kin__allocate(size);
    if (text == NULL) {
        kin_error_print(error, stderr);
        return;
    }
    snprintf(text, size, "%s: ", name);
    kin_error_format(error, text + name_bytes, size - (size_t)name_bytes);
    fputs(text, stderr);
    kin__release(text);
}
