/*
 * Codes and errors.
 *
 * A call that can fail returns an int: 0 or a count, or a negative code. Codes are the
 * system's errno values, negated (-ETIMEDOUT), and kin's own from -5000 down where errno
 * has no honest word. A positive code says: done, but know this.
 *
 * A kin_error says why something failed that ran elsewhere or in several parts: a code, a
 * message, the place, the error that caused it, the errors it is made of. Errors never
 * change once made and are shared by counting references: any thread may read, reference
 * and free the same error. They are private memory of the process; between processes they
 * travel as bytes.
 */
#ifndef KIN_ERROR_H
#define KIN_ERROR_H

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include <kin/export.h>

KIN_BEGIN

/** kin's own codes: name, value, text. The one place where they are written down. */
#define KIN_ERROR_TABLE(X)                                                                     \
    X(KIN_OK, 0, "no error")                                                                   \
    X(KIN_OWNER_DIED, 1, "acquired, but the owner died while holding it")                      \
    X(KIN_EWORKER, -5000, "the worker that ran the task died")                                 \
    X(KIN_EBROKEN, -5001, "broken for good: a pool, a barrier")                                \
    X(KIN_EFAMILY, -5002, "this process has not called kin_init")                              \
    X(KIN_EFUNCTION, -5003, "the function is unknown, or registered twice")                    \
    X(KIN_ELIMIT, -5004, "more than a limit allows")                                           \
    X(KIN_ESTATUS, -5005, "the program ended with a status other than 0")                      \
    X(KIN_EAUTHENTICATION, -5010, "wrong key, certificate or user")                            \
    X(KIN_EPLAINTEXT, -5011, "no plaintext beyond this machine: use TLS, or allow it by name") \
    X(KIN_EDIGEST, -5012, "the other side proves its key by MD5 only; sha256 is required")     \
    X(KIN_EOPENSSL, -5013, "keys and TLS need OpenSSL 3, which cannot be loaded here")

/** The codes of KIN_ERROR_TABLE as constants. */
enum kin_code {
#define KIN_ERROR_ENUMERATOR(name, value, text) name = (value),
    KIN_ERROR_TABLE(KIN_ERROR_ENUMERATOR)
#undef KIN_ERROR_ENUMERATOR
};

/** The name of a code, "ETIMEDOUT" or "KIN_EWORKER"; "unknown" for a code that has none. */
KIN_API const char *kin_code_name(int code);

/** What a code means, in a few English words; never NULL. */
KIN_API const char *kin_code_text(int code);

/**
 * Why something failed. NULL is an error too, the one that needs no memory: every call
 * below takes it and treats it as -ENOMEM without place, cause and children.
 */
typedef struct kin_error kin_error;

/** What an error may have besides code, message and place. */
typedef struct kin_error_options {
    size_t size;                /**< sizeof(kin_error_options) */
    kin_error *cause;           /**< what made this happen; taken. NULL: nothing */
    kin_error *const *children; /**< why the parts failed; each is taken, not the array */
    size_t child_count;         /**< how many `children` there are */
    const char *backtrace;      /**< lines, the innermost call first; copied. NULL: none */
} kin_error_options;

/** Makes an error at this line: KIN_ERROR(-EINVAL, "%d is not a port", port). */
#define KIN_ERROR(code, ...) \
    kin_error_create_at(__FILE__, __LINE__, __func__, NULL, (code), __VA_ARGS__)

/** The same with options: a cause, children, a backtrace. */
#define KIN_ERROR_WITH(options, code, ...) \
    kin_error_create_at(__FILE__, __LINE__, __func__, (options), (code), __VA_ARGS__)

/**
 * Makes an error; KIN_ERROR and KIN_ERROR_WITH call it with the place they stand at.
 *
 * All texts are copied. The caller's references to `cause` and `children` move into the new
 * error, on success only. A `code` that is not negative is recorded as -EINVAL; without a
 * `format` (NULL or empty) the message is the text of the code.
 *
 * Returns the error with one reference, or NULL: no memory; `cause` and `children` are
 * then still the caller's.
 */
KIN_API kin_error *kin_error_create_at(const char *file, int line, const char *function,
                                       const kin_error_options *options, int code,
                                       const char *format, ...) KIN_PRINTF(6, 7);

/** Takes one more reference, for kin_error_free() to drop. Returns `error`. */
KIN_API kin_error *kin_error_ref(kin_error *error);

/** Drops one reference; the last one ends the error and its references to others. Returns NULL. */
KIN_API kin_error *kin_error_free(kin_error *error);

/** The code: always negative. */
KIN_API int kin_error_code(const kin_error *error);

/** The message: never NULL, lives as long as the error, like all texts below. */
KIN_API const char *kin_error_message(const kin_error *error);

/** The source file that made the error, as its compiler knew it; "" if unknown. */
KIN_API const char *kin_error_file(const kin_error *error);

/** The line in kin_error_file(); 0 if unknown. */
KIN_API int kin_error_line(const kin_error *error);

/** The function that made the error; "" if unknown. */
KIN_API const char *kin_error_function(const kin_error *error);

/** The error that made this one happen, or NULL: none. Borrowed: lives as long as `error`. */
KIN_API const kin_error *kin_error_cause(const kin_error *error);

/** The number of errors that this one is made of. */
KIN_API size_t kin_error_child_count(const kin_error *error);

/** Child `index`, borrowed: lives as long as `error`. NULL for an index that is too large. */
KIN_API const kin_error *kin_error_child(const kin_error *error, size_t index);

/** The backtrace, lines ended by '\n', or NULL: none. */
KIN_API const char *kin_error_backtrace(const kin_error *error);

/**
 * Writes the whole tree as text, several lines each ended by '\n', to `text`, which has room
 * for `size` bytes with the final NUL; what does not fit is cut off.
 *
 * Returns the bytes that the whole text takes, without the NUL (INT_MAX if it takes more):
 * >= `size` means cut off. `size` 0 only measures; `text` may then be NULL.
 */
KIN_API int kin_error_format(const kin_error *error, char *text, size_t size);

/** Writes the text of kin_error_format() to `stream`. Returns 0, or -EIO: not all was written. */
KIN_API int kin_error_print(const kin_error *error, FILE *stream);

KIN_END

#endif
