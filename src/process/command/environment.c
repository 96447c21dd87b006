#include "process/command/command.h"

#include "base/allocate.h"
#include "os/spawn.h"

#include <stdbool.h>
#include <string.h>

static size_t count_of(const char *const *variables)
{
    size_t count = 0;
    while (variables != NULL && variables[count] != NULL) {
        count++;
    }
    return count;
}

/* Whether two variables have the same name. */
static bool is_same(const char *variable, const char *other)
{
    size_t bytes = strcspn(variable, "=");
    return strncmp(variable, other, bytes) == 0 && (other[bytes] == '=' || other[bytes] == '\0');
}

/* Whether one of the changes, from `first` on, is about a variable. */
static bool is_changed(const char *variable, const char *const *changes, size_t first)
{
    for (size_t i = first; changes[i] != NULL; i++) {
        if (is_same(variable, changes[i])) {
            return true;
        }
    }
    return false;
}

static const char *find_no_variable(const char *const *entries, bool may_be_name,
                                    const char **ret_what)
{
    for (; entries != NULL && *entries != NULL; entries++) {
        size_t name_bytes = strcspn(*entries, "=");
        if (name_bytes == 0) {
            *ret_what = "has no name";
            return *entries;
        }
        if ((*entries)[name_bytes] == '\0' && !may_be_name) {
            *ret_what = "has no '='";
            return *entries;
        }
    }
    return NULL;
}

const char *kin__command_find_no_variable(const kin_command_options *options, const char **ret_what)
{
    const char *entry = find_no_variable(options->environment, false, ret_what);
    return entry != NULL ? entry : find_no_variable(options->environment_changes, true, ret_what);
}

int kin__command_environment(const kin_command_options *options, char ***ret_environment)
{
    static const char *const none[] = {NULL};
    const char *const *base = options->environment;
    const char *const *changes = options->environment_changes;
    *ret_environment = NULL;
    if (base == NULL && changes == NULL) {
        return 0;
    }
    base = base != NULL ? base : (const char *const *)kin__os_environment();
    changes = changes != NULL ? changes : none;
    size_t base_count = count_of(base);
    size_t change_count = count_of(changes);
    char **variables = kin__allocate_array(base_count + change_count + 1, sizeof *variables);
    if (variables == NULL) {
        return -ENOMEM;
    }
    size_t used = 0;
    for (size_t i = 0; i < base_count; i++) {
        if (!is_changed(base[i], changes, 0)) {
            variables[used++] = (char *)base[i];
        }
    }
    for (size_t i = 0; i < change_count; i++) { /* of those about the same name the last counts */
        if (strchr(changes[i], '=') != NULL && !is_changed(changes[i], changes, i + 1)) {
            variables[used++] = (char *)changes[i];
        }
    }
    variables[used] = NULL;
    *ret_environment = variables;
    return 0;
}
