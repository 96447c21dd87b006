#include "family/call.h"

#include "base/error.h"
#include "family/runtime.h"
#include "os/symbol.h"

#include <errno.h>
#include <kin/class.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BACKTRACE_CALLS 16
#define BACKTRACE_LINE_BYTES 128

void kin_function_register(kin_function_entry *entry)
{
    for (const kin_function_entry *known = kin__functions; known != NULL; known = known->next) {
        if (known == entry) { /* a second time: the list would lead back to it */
            return;
        }
    }
    if (entry != NULL && entry->name != NULL && entry->function != NULL) {
        entry->next = kin__functions;
        kin__functions = entry;
    }
}

kin_function *kin__function_find(const char *name)
{
    for (const kin_function_entry *entry = kin__functions; entry != NULL; entry = entry->next) {
        if (strcmp(entry->name, name) == 0) {
            return entry->function;
        }
    }
    return NULL;
}

const char *kin__function_name(kin_function *function)
{
    for (const kin_function_entry *entry = kin__functions; entry != NULL; entry = entry->next) {
        if (entry->function == function) {
            return entry->name;
        }
    }
    return NULL;
}

int kin__function_check(void)
{
    for (const kin_function_entry *a = kin__functions; a != NULL; a = a->next) {
        for (const kin_function_entry *b = a->next; b != NULL; b = b->next) {
            if (strcmp(a->name, b->name) == 0 && a->function != b->function) {
                return KIN_EFUNCTION;
            }
        }
    }
    return 0;
}

kin_bytes kin_call_bytes(const kin_call *call)
{
    return call == NULL ? (kin_bytes){0} : call->input;
}

kin_handle kin_call_handle(const kin_call *call, uint32_t index)
{
    return call == NULL || index >= call->handle_count ? (kin_handle){0} : call->handles[index];
}

uint32_t kin_call_handle_count(const kin_call *call)
{
    return call == NULL ? 0 : call->handle_count;
}

int kin_call_fd(const kin_call *call, uint32_t index)
{
    return call == NULL || index >= call->fd_count ? -EINVAL : call->fds[index];
}

uint32_t kin_call_fd_count(const kin_call *call)
{
    return call == NULL ? 0 : call->fd_count;
}

uint32_t kin_call_attempt(const kin_call *call)
{
    return call == NULL ? 0 : call->attempt;
}

int kin_call_return_bytes(kin_call *call, const void *data, size_t size)
{
    if (call == NULL || (data == NULL && size != 0)) {
        return -EINVAL;
    }
    kin__call_drop_handles(call);
    call->output.size = 0;
    return kin__buffer_append(&call->output, data, size);
}

/* Writes how the function came to the place with a return address, one call a line. Nothing if the
 * function itself is that place, which the error tells anyway. */
static const char *write_backtrace(const kin_call *call, const void *from, char *text, size_t size)
{
    uint64_t addresses[BACKTRACE_CALLS];
    uint32_t count = kin__os_symbol_trace(from, call->frame, addresses, BACKTRACE_CALLS);
    size_t length = 0;
    for (uint32_t i = 0; count > 1 && i < count && length < size; i++) {
        char place[BACKTRACE_LINE_BYTES];
        kin__os_symbol_format(addresses[i], place, sizeof place);
        length += (size_t)snprintf(text + length, size - length, "at %s\n", place);
    }
    return count > 1 ? text : NULL;
}

int kin_call_fail_at(kin_call *call, int code, const char *file, int line, const char *function,
                     const char *format, ...)
{
    if (call == NULL) {
        return -EINVAL;
    }
    char text[BACKTRACE_CALLS * BACKTRACE_LINE_BYTES];
    struct kin__error_place place = {.file = file, .line = line, .function = function};
    kin_error_options options = {.size = sizeof options};
    if (call->has_backtraces) {
        options.backtrace = write_backtrace(call, __builtin_return_address(0), text, sizeof text);
    }
    code = code < 0 ? code : -EINVAL;
    va_list values;
    va_start(values, format);
    kin_error_free(call->error);
    call->error = kin__error_create(&place, &options, code, format, values);
    va_end(values);
    return code;
}

/* An argument that is not what it was taken for makes a failure of what was made of it. */
static int end_run(kin_call *call, int code)
{
    if (code >= 0 && call->argument_error != NULL) {
        kin_error_free(call->error);
        call->error = kin_error_ref(call->argument_error);
        return kin_error_code(call->error);
    }
    if (code < 0 && call->error == NULL) {
        kin_error_options options = {.size = sizeof options,
                                     .cause = kin_error_ref(call->argument_error)};
        call->error = KIN_ERROR_WITH(&options, code, "%s", kin_code_text(code));
        if (call->error == NULL) {
            kin_error_free(options.cause);
        }
    }
    return code;
}

int kin__call_run(kin_call *call, kin_function *function)
{
    call->frame = __builtin_frame_address(0);
    return end_run(call, function(call));
}

int kin_object_run(kin_object *instance, kin_call *call)
{
    const kin_class *class_ = kin_instance_class(instance);
    if (class_ == NULL || class_->run == NULL) {
        return -EINVAL;
    }
    if (call != NULL) {
        return class_->run(instance, call);
    }
    kin_call own = {.object = kin_object_ref(instance), .attempt = 1};
    int code = end_run(&own, class_->run(instance, &own));
    kin__call_end(&own);
    return code;
}

void kin__call_reset(kin_call *call)
{
    kin__call_drop_handles(call);
    call->output.size = 0;
    call->object = kin_object_free(call->object);
    call->argument_error = kin_error_free(call->argument_error);
    call->error = kin_error_free(call->error);
}

void kin__call_end(kin_call *call)
{
    kin__call_reset(call);
    kin__buffer_deinit(&call->output);
}
