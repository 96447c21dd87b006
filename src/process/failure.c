/*
 * What a child says before it ends with an error: its name, then the error with where it comes
 * from. In one write, so that the lines of children that fail together do not mix.
 */
#include "base/allocate.h"
#include "process/process.h"

#include <kin/error.h>
#include <stdio.h>

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
