#include "pool/result.h"

#include <errno.h>

void kin__result_set(kin_result *result, const struct kin__outcome *outcome)
{
    *result = (kin_result){.index = outcome->index,
                           .code = outcome->code,
                           .attempt = outcome->attempt,
                           .worker_index = outcome->worker_index,
                           .error = outcome->error};
}

void kin__result_fail(kin_result *result, int code)
{
    kin__result_clear(result);
    result->bytes = (kin_bytes){0};
    result->code = code;
    result->error = KIN_ERROR(code, "the result could not be kept: %s", kin_code_text(code));
}

void kin__result_clear(kin_result *result)
{
    kin_error_free((kin_error *)(uintptr_t)result->error);
    result->error = NULL;
}
