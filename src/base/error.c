/*
 * Error trees in memory.
 *
 * An error is one block: the structure, the children, then the texts. Nothing in it changes
 * after it was made but the count of references, so threads share it without a lock, and as
 * an error can only refer to older ones, there are no rings.
 */
#include "base/error.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/allocate.h"
#include "base/arithmetic.h"

struct kin_error {
    atomic_size_t references; /* any thread; see error_drop */
    int code;
    int line;
    const char *message;
    const char *file;
    const char *function;
    const char *backtrace; /* NULL: none */
    kin_error *cause;
    kin_error *next_freed; /* kin_error_free only: the errors it has still to end */
    size_t child_count;
    kin_error *children[];
};

/*
 * Defaults for what the caller did not give. A `size` that is not that of the structure can
 * only be a mistake as long as there is one version of it; no field is then believed.
 */
static kin_error_options options_resolve(const kin_error_options *options)
{
    kin_error_options resolved = {.size = sizeof(resolved)};
    if (options != NULL && options->size >= sizeof(resolved)) {
        resolved = *options;
    }
    if (resolved.children == NULL) {
        resolved.child_count = 0;
    }
    return resolved;
}

/* The texts of an error, each with its bytes, the final NUL included. */
struct error_texts {
    const char *file;
    const char *function;
    const char *backtrace;
    size_t message_bytes;
    size_t file_bytes;
    size_t function_bytes;
    size_t backtrace_bytes; /* 0: there is none */
};

static bool error_bytes(const struct error_texts *texts, size_t child_count, size_t *ret_bytes)
{
    size_t bytes;
    return kin__size_multiply(child_count, sizeof(kin_error *), &bytes) &&
           kin__size_add(bytes, sizeof(kin_error), &bytes) &&
           kin__size_add(bytes, texts->message_bytes, &bytes) &&
           kin__size_add(bytes, texts->file_bytes, &bytes) &&
           kin__size_add(bytes, texts->function_bytes, &bytes) &&
           kin__size_add(bytes, texts->backtrace_bytes, ret_bytes);
}

/* Copies a text to `*place` and moves the place behind it. The NUL is written, not copied. */
static const char *text_copy(char **place, const char *text, size_t bytes)
{
    char *copy = *place;
    memcpy(copy, text, bytes - 1);
    copy[bytes - 1] = '\0';
    *place += bytes;
    return copy;
}

/* An error with all but its code, line and message, for which `ret_message` is the place. */
static kin_error *error_allocate(const struct error_texts *texts, const kin_error_options *options,
                                 char **ret_message)
{
    size_t bytes;
    if (!error_bytes(texts, options->child_count, &bytes)) {
        return NULL;
    }
    kin_error *error = kin__allocate(bytes);
    if (error == NULL) {
        return NULL;
    }
    *error = (kin_error){.cause = options->cause, .child_count = options->child_count};
    atomic_init(&error->references, 1);
    if (options->child_count > 0) {
        memcpy(error->children, options->children, options->child_count * sizeof(kin_error *));
    }
    char *place = (char *)&error->children[options->child_count];
    error->file = text_copy(&place, texts->file, texts->file_bytes);
    error->function = text_copy(&place, texts->function, texts->function_bytes);
    if (texts->backtrace_bytes > 0) {
        error->backtrace = text_copy(&place, texts->backtrace, texts->backtrace_bytes);
    }
    error->message = place;
    *ret_message = place;
    return error;
}

/* The characters that a format prints; 0 also for one that cannot be printed. */
KIN_PRINTF(1, 0) static size_t message_length(const char *format, va_list arguments)
{
    if (format == NULL) {
        return 0;
    }
    va_list copy;
    va_copy(copy, arguments);
    int length = vsnprintf(NULL, 0, format, copy);
    va_end(copy);
    return length > 0 ? (size_t)length : 0;
}

kin_error *kin__error_create(const struct kin__error_place *place, const kin_error_options *options,
                             int code, const char *format, va_list arguments)
{
    kin_error_options resolved = options_resolve(options);
    struct error_texts texts = {
        .file = place->file != NULL ? place->file : "",
        .function = place->function != NULL ? place->function : "",
        .backtrace = resolved.backtrace,
        .message_bytes = message_length(format, arguments) + 1,
    };
    texts.file_bytes = strlen(texts.file) + 1;
    texts.function_bytes = strlen(texts.function) + 1;
    texts.backtrace_bytes = texts.backtrace != NULL ? strlen(texts.backtrace) + 1 : 0;

    char *message;
    kin_error *error = error_allocate(&texts, &resolved, &message);
    if (error == NULL) {
        return NULL;
    }
    error->code = code < 0 ? code : -EINVAL;
    error->line = place->line > 0 ? place->line : 0;
    if (texts.message_bytes == 1) {
        error->message = kin_code_text(error->code);
        return error;
    }
    va_list copy;
    va_copy(copy, arguments);
    vsnprintf(message, texts.message_bytes, format, copy);
    va_end(copy);
    return error;
}

kin_error *kin_error_create_at(const char *file, int line, const char *function,
                               const kin_error_options *options, int code, const char *format, ...)
{
    struct kin__error_place place = {.file = file, .line = line, .function = function};
    va_list arguments;
    va_start(arguments, format);
    kin_error *error = kin__error_create(&place, options, code, format, arguments);
    va_end(arguments);
    return error;
}

kin_error *kin_error_ref(kin_error *error)
{
    if (error != NULL) {
        /* Relaxed: who has a reference to copy already sees the error. */
        atomic_fetch_add_explicit(&error->references, 1, memory_order_relaxed);
    }
    return error;
}

/* Drops one reference. If it was the last one, the error goes on the list of those to end. */
static void error_drop(kin_error *error, kin_error **freed)
{
    /* Acquire-release, paired with itself: all use of the error is over before it ends. */
    if (error != NULL &&
        atomic_fetch_sub_explicit(&error->references, 1, memory_order_acq_rel) == 1) {
        error->next_freed = *freed;
        *freed = error;
    }
}

kin_error *kin_error_free(kin_error *error)
{
    /* A list and no recursion: trees are as deep as their makers like. */
    kin_error *freed = NULL;
    error_drop(error, &freed);
    while (freed != NULL) {
        kin_error *ending = freed;
        freed = ending->next_freed;
        error_drop(ending->cause, &freed);
        for (size_t i = 0; i < ending->child_count; i++) {
            error_drop(ending->children[i], &freed);
        }
        kin__release(ending);
    }
    return NULL;
}

int kin_error_code(const kin_error *error)
{
    return error != NULL ? error->code : -ENOMEM;
}

const char *kin_error_message(const kin_error *error)
{
    return error != NULL ? error->message : kin_code_text(-ENOMEM);
}

const char *kin_error_file(const kin_error *error)
{
    return error != NULL ? error->file : "";
}

int kin_error_line(const kin_error *error)
{
    return error != NULL ? error->line : 0;
}

const char *kin_error_function(const kin_error *error)
{
    return error != NULL ? error->function : "";
}

const kin_error *kin_error_cause(const kin_error *error)
{
    return error != NULL ? error->cause : NULL;
}

size_t kin_error_child_count(const kin_error *error)
{
    return error != NULL ? error->child_count : 0;
}

const kin_error *kin_error_child(const kin_error *error, size_t index)
{
    return index < kin_error_child_count(error) ? error->children[index] : NULL;
}

const char *kin_error_backtrace(const kin_error *error)
{
    return error != NULL ? error->backtrace : NULL;
}
