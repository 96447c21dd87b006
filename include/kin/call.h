/**
 * Functions that other processes can run, and one run of such a function.
 *
 *     static int count_words(kin_call *call)
 *     {
 *         kin_bytes text = kin_call_bytes(call);
 *         if (text.size == 0) {
 *             return kin_call_fail(call, -EINVAL, "nothing to count");
 *         }
 *         uint64_t words = ...;
 *         return kin_call_return_bytes(call, &words, sizeof words);
 *     }
 *     KIN_FUNCTION(count_words)
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
#include <stdint.h>

KIN_BEGIN

/** One run of a function: its arguments, and what it returns. Valid until the function returns. */
typedef struct kin_call kin_call;

/**
 * A function that kin can run. It returns 0, a count >= 0 (a child process uses it as its exit
 * status) or a negative code, usually that of kin_call_return_bytes or kin_call_fail.
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

/** The argument of the call. Borrowed: valid until the function returns. */
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
 * Sets the result: a copy of `data`. A second call replaces the first. Returns 0, so that a
 * function can end with it, or -ENOMEM; -EINVAL when data is NULL and size is not 0.
 */
KIN_API int kin_call_return_bytes(kin_call *call, const void *data, size_t size);

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
