/**
 * The arguments of a call. They are made of bytes when the function first asks for one. What it
 * asks for and does not get is noted, and fails the call.
 */
#include <kin/list.h>

#include "base/error.h"
#include "family/call.h"
#include "object/pickle.h"

#include <errno.h>
#include <stdarg.h>

/* Notes why the call fails, unless something else was wrong before. */
KIN_PRINTF(3, 4)
static void refuse(kin_call *call, int code, const char *format, ...)
{
    if (call->argument_error == NULL) {
        va_list values;
        va_start(values, format);
        struct kin__error_place nowhere = {0};
        call->argument_error = kin__error_create(&nowhere, NULL, code, format, values);
        va_end(values);
    }
}

kin_object *kin_call_object(kin_call *call)
{
    if (call == NULL || call->object != NULL || call->argument_error != NULL) {
        return call == NULL ? NULL : call->object;
    }
    struct kin__decode_input input = {
        .takes_handles = true, .fds = call->fds, .fd_count = call->fd_count};
    kin_pickle_fault fault = {0};
    int r = kin__pickle_decode(call->input, &input, &call->object, NULL, &fault);
    if (r < 0) {
        refuse(call, r, "the arguments are no object: %s %s at byte %llu", fault.opcode,
               fault.reason, (unsigned long long)fault.offset);
    }
    return call->object;
}

size_t kin_call_argument_count(kin_call *call)
{
    const kin_object *object = kin_call_object(call);
    return kin_object_kind(object) == KIN_KIND_TUPLE ? kin_object_count(object) : object != NULL;
}

kin_object *kin_call_argument(kin_call *call, size_t index)
{
    size_t count = kin_call_argument_count(call);
    if (call == NULL || index >= count) {
        if (call != NULL) {
            refuse(call, -EINVAL, "argument %zu is missing", index);
        }
        return NULL;
    }
    return kin_object_kind(call->object) == KIN_KIND_TUPLE ? kin_object_at(call->object, index)
                                                           : call->object;
}

/* Notes that an argument is not of a type. */
static void refuse_type(kin_call *call, size_t index, const kin_object *argument, const char *type)
{
    if (argument != NULL) {
        refuse(call, -EINVAL, "argument %zu is %s, not %s", index, kin_object_type_name(argument),
               type);
    }
}

int64_t kin_call_int(kin_call *call, size_t index)
{
    const kin_object *argument = kin_call_argument(call, index);
    int64_t value = 0;
    int r = kin_object_to_int(argument, &value);
    if (r == -EOVERFLOW) {
        refuse(call, -EINVAL, "argument %zu is an int of more than 64 bits", index);
    } else if (r < 0) {
        refuse_type(call, index, argument, "int");
    }
    return value;
}

double kin_call_float(kin_call *call, size_t index)
{
    const kin_object *argument = kin_call_argument(call, index);
    double value = 0;
    int r = kin_object_to_float(argument, &value);
    if (r == -EOVERFLOW) {
        refuse(call, -EINVAL, "argument %zu is larger than any float", index);
    } else if (r < 0) {
        refuse_type(call, index, argument, "float");
    }
    return value;
}

const char *kin_call_text(kin_call *call, size_t index)
{
    const kin_object *argument = kin_call_argument(call, index);
    const char *text = kin_object_text(argument);
    if (text == NULL) {
        refuse_type(call, index, argument, "str");
    }
    return text;
}
