/*
 * Making errors in behalf of others: for functions that, like kin_error_create_at(), get a
 * place, a format and its values from their caller.
 */
#ifndef KIN_BASE_ERROR_H
#define KIN_BASE_ERROR_H

#include <stdarg.h>

#include <kin/error.h>

/** Where an error is made; NULL and 0: unknown. */
struct kin__error_place {
    const char *file;
    const char *function;
    int line;
};

/** kin_error_create_at() with the values of the format in `arguments`, which is left as it was. */
kin_error *kin__error_create(const struct kin__error_place *place, const kin_error_options *options,
                             int code, const char *format, va_list arguments) KIN_PRINTF(4, 0);

#endif
