/*
 * Logging: one threshold that every message is compared with, and one sink.
 *
 * Sink and user are read as a pair without a lock, by any thread at any time: `version` is odd
 * while they are changed, under the lock, and a reader that saw it move reads again. So a message
 * waits for nobody, and a thread that forks or dies in one leaves nothing locked.
 *
 * A line is one write of at most KIN__OS_PIPE_STEP bytes, which the kernel does not mix with those
 * of others, whatever stderr is: a pipe, a terminal, a file. A lock in the family's memory would
 * allow longer ones, but one member that is stopped in its write would silence all others.
 */
#include "family/life/log.h"

#include "base/allocate.h"
#include "family/family.h"
#include "os/poll.h"
#include "os/socket.h"
#include "os/thread.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STDERR 2
#define PREFIX_BYTES 64u /* "[Level -2147483648/", 31 bytes of name, "] " */
#define LEVEL_NAME_BYTES 24u
#define MESSAGE_BYTES 512u /* without allocating */

struct sink {
    kin_log_sink *take;
    void *user;
};

/* --- where messages go --- */

static struct sink read_sink(void)
{
    struct sink sink;
    uint32_t version = 0;
    do {
        version = atomic_load_explicit(&kin__log.version, memory_order_acquire);
        /* Pair with the releases of write_sink: who sees its value sees `version` moved. */
        sink.take = atomic_load_explicit(&kin__log.sink, memory_order_acquire);
        sink.user = atomic_load_explicit(&kin__log.user, memory_order_acquire);
    } while (version & 1 ||
             version != atomic_load_explicit(&kin__log.version, memory_order_relaxed));
    return sink;
}

/* Under the lock. */
static void write_sink(struct sink sink)
{
    uint32_t version = atomic_load_explicit(&kin__log.version, memory_order_relaxed);
    atomic_store_explicit(&kin__log.version, version + 1, memory_order_relaxed);
    atomic_store_explicit(&kin__log.sink, sink.take, memory_order_release);
    atomic_store_explicit(&kin__log.user, sink.user, memory_order_release);
    atomic_store_explicit(&kin__log.version, version + 2, memory_order_release);
}

/* Under the lock. Level 0: as it is. */
static void set_level(int level)
{
    bool is_off = atomic_load_explicit(&kin__log.sink, memory_order_relaxed) == NULL;
    int32_t kept = atomic_load_explicit(&kin__log.level, memory_order_relaxed);
    level = level == 0 ? kept : level;
    atomic_store_explicit(&kin__log.level, level, memory_order_relaxed);
    atomic_store_explicit(&kin__log.threshold, is_off ? INT32_MAX : level, memory_order_relaxed);
}

int kin_log_set_sink(kin_log_sink *sink, void *user, int level)
{
    if (level < 0) {
        return -EINVAL;
    }
    kin__log_lock();
    write_sink((struct sink){.take = sink, .user = user});
    set_level(level);
    kin__log_unlock();
    return 0;
}

int kin_log_level_set(int level)
{
    if (level <= 0) {
        return -EINVAL;
    }
    kin__log_lock();
    set_level(level);
    kin__log_unlock();
    return 0;
}

int kin_log_level_get(void)
{
    return atomic_load_explicit(&kin__log.level, memory_order_relaxed);
}

bool kin_log_is_on(int level)
{
    return kin__log_is_on(level);
}

/* --- stderr --- */

/* Writes the pieces, whole if they are no more than a step. What cannot be written is lost. */
static void write_pieces(kin_bytes *pieces, uint32_t count)
{
    while (count > 0) {
        struct kin__os_output output = {.pieces = pieces, .count = count, .may_wait = true};
        int64_t written = kin__os_pipe_write(STDERR, &output);
        if (written == -EAGAIN) { /* others have made it one that does not wait */
            struct kin__os_poll room = {.fd = STDERR, .wanted = KIN__OS_POLL_WRITE};
            written = kin__os_poll(&room, 1, INT64_MAX) < 0 ? -EAGAIN : 0;
        }
        if (written < 0) {
            return;
        }
        for (; count > 0 && (size_t)written >= pieces->size; pieces++, count--) {
            written -= (int64_t)pieces->size;
        }
        if (count > 0) {
            pieces->data = (const char *)pieces->data + written;
            pieces->size -= (size_t)written;
        }
    }
}

/* How much of a text goes into a line, without cutting a character of UTF-8. */
static size_t fit(const char *text, size_t bytes, size_t room)
{
    if (bytes <= room) {
        return bytes;
    }
    size_t fitting = room;
    while (fitting > room - 3 && ((unsigned char)text[fitting] & 0xc0) == 0x80) {
        fitting--;
    }
    return fitting;
}

static void write_to_stderr(const kin_log_record *record, void *user)
{
    char prefix[PREFIX_BYTES];
    const char *text = record->message;
    size_t left = record->message_bytes;
    (void)user;
    int prefix_bytes = snprintf(prefix, sizeof prefix, "[%s/%s] ", record->level_name,
                                record->process_name);
    do {
        size_t bytes = fit(text, left, KIN__OS_PIPE_STEP - 1 - (size_t)prefix_bytes);
        kin_bytes pieces[] = {{prefix, (size_t)prefix_bytes}, {text, bytes}, {"\n", 1}};
        write_pieces(pieces, sizeof pieces / sizeof *pieces);
        text += bytes;
        left -= bytes;
    } while (left > 0);
}

int kin_log_to_stderr(int level)
{
    return kin_log_set_sink(write_to_stderr, NULL, level);
}

uint32_t kin__log_level_to_inherit(void)
{
    return read_sink().take == write_to_stderr ? (uint32_t)kin_log_level_get() : 0;
}

void kin__log_level_inherit(uint32_t level)
{
    if (level > 0 && level <= INT32_MAX) {
        kin_log_to_stderr((int)level);
    }
}

/* --- messages --- */

void kin__log_name(const char *name)
{
    size_t i = 0; /* what the C library has for it brings pages of its own into a new child */
    for (; i < sizeof kin__log.name - 1 && name[i] != '\0'; i++) {
        kin__log.name[i] = name[i];
    }
    kin__log.name[i] = '\0';
}

static const char *name_level(int level, char *name)
{
    switch (level) {
    case KIN_LOG_DEBUG:
        return "DEBUG";
    case KIN_LOG_INFO:
        return "INFO";
    case KIN_LOG_WARNING:
        return "WARNING";
    case KIN_LOG_ERROR:
        return "ERROR";
    case KIN_LOG_CRITICAL:
        return "CRITICAL";
    default:
        snprintf(name, LEVEL_NAME_BYTES, "Level %d", level);
        return name;
    }
}

static void pass_on(int level, const char *message, size_t bytes)
{
    char level_name[LEVEL_NAME_BYTES];
    struct sink sink = read_sink();
    kin_log_record record = {.level = level,
                             .level_name = name_level(level, level_name),
                             .process_name = kin__log.name,
                             .message = message,
                             .message_bytes = bytes};
    if (sink.take != NULL) {
        kin__log_is_inside = true;
        sink.take(&record, sink.user);
        kin__log_is_inside = false;
    }
}

/* Without memory for a long message, its beginning is written. */
static void format_and_pass(int level, const char *format, va_list values)
{
    char place[MESSAGE_BYTES];
    va_list again;
    va_copy(again, values);
    int wanted = vsnprintf(place, sizeof place, format, values);
    size_t bytes = wanted < 0 ? 0 : (size_t)wanted;
    char *longer = bytes < sizeof place ? NULL : kin__allocate(bytes + 1);
    if (longer != NULL) {
        vsnprintf(longer, bytes + 1, format, again);
    } else if (bytes >= sizeof place) {
        bytes = sizeof place - 1;
    }
    va_end(again);
    if (wanted >= 0) {
        pass_on(level, longer != NULL ? longer : place, bytes);
    }
    kin__release(longer);
}

void kin_log_write(int level, const char *format, ...)
{
    if (!kin__log_is_on(level) || kin__log_is_inside || format == NULL) {
        return;
    }
    int kept = kin__os_thread_errno();
    va_list values;
    va_start(values, format);
    format_and_pass(level, format, values);
    va_end(values);
    kin__os_thread_errno_set(kept);
}

__attribute__((constructor)) static void prepare(void)
{
    mtx_init(&kin__log.lock, mtx_plain);
}
