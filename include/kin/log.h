/**
 * What happens, in words: messages of the program and of kin itself, off until asked for.
 *
 *     kin_log_to_stderr(KIN_LOG_INFO);
 *     kin_log(KIN_LOG_WARNING, "%d files are left", count);
 *
 * writes "[WARNING/Process-1] 3 files are left". Levels, format and the messages about the life of
 * processes are those of Python's multiprocessing.
 *
 * A forked child goes on as its parent did. One that was spawned writes to stderr if its parent
 * did when it started it, from the same level on; a sink of the program's own is not known to it.
 *
 * No call here changes errno, waits for another thread, or takes part in the family: messages can
 * be written before kin_init and after kin_fini. As all of kin, they are not for signal handlers.
 */
#ifndef KIN_LOG_H
#define KIN_LOG_H

#include <kin/export.h>
#include <stdbool.h>
#include <stddef.h>

KIN_BEGIN

/**
 * How much a message matters. Any number above 0 is a level; what has no name here is written as
 * "Level 25", as are KIN_LOG_SUBDEBUG and KIN_LOG_SUBWARNING.
 */
enum {
    KIN_LOG_SUBDEBUG = 5,    /**< kin: each finalizer */
    KIN_LOG_DEBUG = 10,      /**< kin: the steps of a process's end */
    KIN_LOG_INFO = 20,       /**< kin: the life of processes */
    KIN_LOG_SUBWARNING = 25, /**< kin: a library that cannot be loaded */
    KIN_LOG_WARNING = 30,    /**< and above: kin says nothing */
    KIN_LOG_ERROR = 40,
    KIN_LOG_CRITICAL = 50
};

/** One message, as a sink gets it; valid until the sink returns. */
typedef struct kin_log_record {
    int level;
    const char *level_name;   /**< "INFO"; "Level 25" */
    const char *process_name; /**< "MainProcess", "Process-1"; "fork": child of a plain fork */
    const char *message;      /**< zero-terminated, without a newline at its end */
    size_t message_bytes;
} kin_log_record;

/**
 * Takes a message. It may be called by several threads at the same time, in any function of kin,
 * and in all forked children. It may use kin; what is logged while it runs, by its thread, is
 * dropped.
 */
typedef void kin_log_sink(const kin_log_record *record, void *user);

/**
 * From now on messages of `level` and above go to stderr, fd 2, each as one line, written in one
 * piece: lines of several processes and threads do not mix, and who is killed leaves whole lines.
 * One that is longer than what a pipe takes in one piece, 4096 bytes, goes on in further lines with
 * the same beginning. What fd 2 refuses is lost; where it is full, the writer waits.
 *
 * Level 0 keeps the level that is set: KIN_LOG_WARNING at first. Returns 0, or -EINVAL: a negative
 * level.
 */
KIN_API int kin_log_to_stderr(int level);

/**
 * From now on messages of `level` and above go to `sink` instead; NULL: nowhere, which is how it
 * begins. One that another thread has just begun to write may still go where they went before,
 * after this has returned. Returns as kin_log_to_stderr.
 */
KIN_API int kin_log_set_sink(kin_log_sink *sink, void *user, int level);

/** Sets the level from which on messages are written. Returns 0, or -EINVAL: not above 0. */
KIN_API int kin_log_level_set(int level);

/** The level from which on messages are written, if they go anywhere. */
KIN_API int kin_log_level_get(void);

/** Whether a message of this level is written. While logging is off: one relaxed load. */
KIN_API bool kin_log_is_on(int level);

/** Writes a message, as printf would; its arguments are evaluated only if that is asked for. */
#define kin_log(level, ...) (kin_log_is_on(level) ? kin_log_write((level), __VA_ARGS__) : (void)0)

/** What kin_log expands to. */
KIN_API void kin_log_write(int level, const char *format, ...) KIN_PRINTF(2, 3);

KIN_END

#endif
