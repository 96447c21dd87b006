#include "base/allocate.h"
#include "os/process.h"
#include "process/method.h"
#include "process/runtime.h"

#include <errno.h>
#include <string.h>

static const kin_context contexts[] = {
    {&kin__method_fork},
    {&kin__method_spawn},
    {&kin__method_forkserver},
};

#define CONTEXT_COUNT (sizeof contexts / sizeof contexts[0])

const kin_context *kin_context_get(kin_start_method method)
{
    if (method == 0) {
        method = (kin_start_method)atomic_load(&kin__children.default_method);
        method = method == 0 ? KIN_FORK : method;
    }
    for (size_t i = 0; i < CONTEXT_COUNT; i++) {
        if (contexts[i].method->method == method) {
            return &contexts[i];
        }
    }
    return NULL;
}

static const struct kin__method *method_of(const kin_context *context)
{
    return (context == NULL ? kin_context_get(0) : context)->method;
}

kin_start_method kin_context_method(const kin_context *context)
{
    return method_of(context)->method;
}

const char *kin_context_name(const kin_context *context)
{
    return method_of(context)->name;
}

int kin_context_set_default(kin_start_method method, bool is_forced)
{
    uint32_t none = 0;
    if (method == 0 || kin_context_get(method) == NULL) {
        return -EINVAL;
    }
    if (is_forced) {
        atomic_store(&kin__children.default_method, method);
        return 0;
    }
    return atomic_compare_exchange_strong(&kin__children.default_method, &none, method) ? 0
                                                                                        : -EALREADY;
}

static int copy_path(const char *path, char **ret_copy)
{
    size_t bytes = path == NULL ? 0 : strlen(path) + 1;
    char *copy = bytes == 0 ? NULL : kin__allocate(bytes);
    if (copy != NULL) {
        memcpy(copy, path, bytes);
    } else if (bytes > 0) {
        return -ENOMEM;
    }
    *ret_copy = copy;
    return 0;
}

int kin__context_executable(char **ret_path)
{
    mtx_lock(&kin__children.lock);
    int r = copy_path(kin__children.executable, ret_path);
    mtx_unlock(&kin__children.lock);
    return r;
}

int kin_context_set_executable(const char *path)
{
    char *copy = NULL;
    int r = copy_path(path, &copy);
    if (r < 0) {
        return r;
    }
    mtx_lock(&kin__children.lock);
    char *former = kin__children.executable;
    kin__children.executable = copy;
    mtx_unlock(&kin__children.lock);
    kin__release(former);
    return 0;
}
