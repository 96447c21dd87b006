/**
 * Functions that other processes can run, and one run of such a function.
 *
 *     static int divide(kin_call *call)
 *     {
 *         int64_t number = kin_call_int(call, 0), divisor = kin_call_int(call, 1);
 *         if (divisor == 0) {
 *             return kin_call_fail(call, -EDOM, "%lld by nothing", (long long)number);
 *         }
 *         return kin_call_return_int(call, number / divisor);
 *     }
 *     KIN_FUNCTION(divide)
 *
 * The signature is the same wherever the function runs: in a child process or in a worker of
 * a pool. KIN_FUNCTION makes it known by its name, in programs, in shared libraries and in
 * modules that are loaded with dlopen, which must then stay loaded. In a static archive, an
 * object file that only holds such functions must be kept by the linker (-Wl,--whole-archive,
 * or a reference). Two functions of one name make kin_init fail.
 */
#ifndef KIN_CALL_H
#define KIN_CALL_H

#include <kin/export.h>
#include <kin/family.h>
#include <kin/object.h>
#include <stdint.h>

KIN_BEGIN

/** One run of a function: its arguments, and what it returns. Valid until the function returns. */
typedef struct kin_call kin_call;

/**
 * A function that kin can run. It returns 0, a count >= 0 (a child process uses it as its exit
 * status) or a negative code, usually that of kin_call_return or kin_call_fail.
 */
typedef int kin_function(kin_call *call);

/** One entry of the table of functions; made by KIN_FUNCTION. */
typedef struct kin_function_entry {
    const char *name;
    kin_function *function;
    struct kin_function_entry *next;
} kin_function_entry;

/** Adds an entry, which must live as long as the program; used by KIN_FUNCTION. */
KIN_API void kin_function_register(kin_function_entry *entry);

/** Makes `function` known by its name to all processes of the family. At file scope. */
#define KIN_FUNCTION(function)                                             \
    __attribute__((constructor)) static void kin_register_##function(void) \
    {                                                                      \
        static kin_function_entry entry = {#function, function, 0};        \
        kin_function_register(&entry);                                     \
    }

/**
 * What the function was given, as an object. A tuple is its arguments, any other object is its one
 * argument. Borrowed, as all that comes from a call: valid until the function returns. NULL: it was
 * given bytes that are no object, or there is no memory; then the call fails.
 */
KIN_API kin_object *kin_call_object(kin_call *call);

/** Number of arguments. */
KIN_API size_t kin_call_argument_count(kin_call *call);

/**
 * Argument `index`, whatever it is. NULL: there is none; then the call fails, with -EINVAL,
 * whatever the function returns. Likewise for those below, if the argument is something else than
 * what is asked for: they return 0, NULL, no bytes. So a function need not look at each of its
 * arguments before it uses them.
 */
KIN_API kin_object *kin_call_argument(kin_call *call, size_t index);

/** Argument `index`: an int, or a bool, that fits. */
KIN_API int64_t kin_call_int(kin_call *call, size_t index);

/** Argument `index`: a float, int or bool. */
KIN_API double kin_call_float(kin_call *call, size_t index);

/** Argument `index`: a str. */
KIN_API const char *kin_call_text(kin_call *call, size_t index);

/** The bytes that the function was given (kin_pool_map_bytes, kin_process_start_bytes). They stay
 * until it returns, or until the process leaves the family (kin_fini). */
KIN_API kin_bytes kin_call_bytes(const kin_call *call);

/**
 * The name of a shared object that came with the argument, see kin_pool_input: attach it with the
 * function of its type. The object lives at least as long as the call. A zero handle, which nothing
 * can be attached by, if there is no such index.
 */
KIN_API kin_handle kin_call_handle(const kin_call *call, uint32_t index);

/** Number of shared objects that came with the argument. */
KIN_API uint32_t kin_call_handle_count(const kin_call *call);

/**
 * An fd that came with the argument, see kin_pool_input. Borrowed: not to be closed; it is closed
 * when the function returns. -EINVAL if there is no such index.
 */
KIN_API int kin_call_fd(const kin_call *call, uint32_t index);

/** Number of fds that came with the argument. */
KIN_API uint32_t kin_call_fd_count(const kin_call *call);

/** Which attempt this is: 1, or more when a worker died while it ran this task before. */
KIN_API uint32_t kin_call_attempt(const kin_call *call);

/**
 * Sets the result: an object, which is taken. A second call replaces the first. Returns 0, so that
 * a function can end with it, or -ENOMEM, also if `result` is NULL; -EOPNOTSUPP: an fd is in it;
 * KIN_ELIMIT: more than 255 handles are.
 */
KIN_API int kin_call_return(kin_call *call, kin_object *result);

/** Sets an int as the result. */
KIN_API int kin_call_return_int(kin_call *call, int64_t result);

/** Sets a float as the result. */
KIN_API int kin_call_return_float(kin_call *call, double result);

/** Sets a str as the result. */
KIN_API int kin_call_return_text(kin_call *call, const char *result);

/**
 * Sets the result: a copy of `data`. A second call replaces the first. Returns 0, so that a
 * function can end with it, or -ENOMEM; -EINVAL when data is NULL and size is not 0.
 */
KIN_API int kin_call_return_bytes(kin_call *call, const void *data, size_t size);

/**
 * Runs an instance of a class that has the operation `run` (kin/class.h), in the calling thread.
 * `call` is one that the thread is in; NULL: it is given one of its own, whose argument is the
 * instance, and of which only the code is left. Returns what `run` does, or -EINVAL: there is none.
 */
KIN_API int kin_object_run(kin_object *instance, kin_call *call);

/**
 * Says why the call fails and returns `code` (negative; 0 or more becomes -EINVAL), so that
 * a function can end with it. The message reaches whoever asked for the call, with the place.
 */
#define kin_call_fail(call, code, ...) \
    kin_call_fail_at((call), (code), __FILE__, __LINE__, __func__, __VA_ARGS__)

/** What kin_call_fail expands to. */
KIN_API int kin_call_fail_at(kin_call *call, int code, const char *file, int line,
                             const char *function, const char *format, ...) KIN_PRINTF(6, 7);

KIN_END

#endif
