/**
 * The result of a call as an object: encoded at once, so that what cannot be sent is an error of
 * the function that returns it.
 */
#include "base/allocate.h"
#include "family/call.h"
#include "object/pickle.h"

#include <errno.h>
#include <string.h>

void kin__call_drop_handles(kin_call *call)
{
    kin__release(call->output_handles);
    call->output_handles = NULL;
    call->output_handle_count = 0;
    call->result = kin_object_free(call->result);
}

/* Keeps the handles that are in the result, and the result, which keeps alive what they name. */
static int keep_handles(kin_call *call, kin_object *result, const struct kin__encoding *encoding)
{
    uint32_t count = encoding->handle_count;
    if (count == 0) {
        return 0;
    }
    kin_handle *handles = count > KIN__CALL_HANDLES_MAX
                              ? NULL
                              : kin__allocate_array(count, sizeof *handles);
    if (handles == NULL) {
        return count > KIN__CALL_HANDLES_MAX ? KIN_ELIMIT : -ENOMEM;
    }
    memcpy(handles, encoding->handles, count * sizeof *handles);
    call->output_handles = handles;
    call->output_handle_count = count;
    call->result = kin_object_ref(result);
    return 0;
}

static int set_result(kin_call *call, kin_object *result)
{
    static const struct kin__encode_options options = {.takes_handles = true};
    struct kin__encoding encoding;
    int r = kin__pickle_encode(result, &options, &encoding);
    if (r < 0) {
        return r;
    }
    kin__call_drop_handles(call);
    call->output.size = 0;
    r = kin__buffer_reserve(&call->output, encoding.size);
    if (r == 0) {
        r = keep_handles(call, result, &encoding);
    }
    if (r == 0) {
        kin__encoding_copy(&encoding, call->output.data);
        call->output.size = encoding.size;
    }
    kin__encoding_deinit(&encoding);
    return r;
}

int kin_call_return(kin_call *call, kin_object *result)
{
    int r = call == NULL ? -EINVAL : set_result(call, result);
    kin_object_free(result);
    return r;
}

int kin_call_return_int(kin_call *call, int64_t result)
{
    return kin_call_return(call, kin_object_from_int(result));
}

int kin_call_return_float(kin_call *call, double result)
{
    return kin_call_return(call, kin_object_from_float(result));
}

int kin_call_return_text(kin_call *call, const char *result)
{
    return kin_call_return(call, kin_object_from_text(result));
}
