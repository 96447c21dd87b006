/*
 * Error trees as text, for people:
 *
 *     EIO: 2 of 3 pages failed (pages.c:40 in fetch_all)
 *       - ETIMEDOUT: page 1 (pages.c:20 in fetch)
 *         caused by ENETUNREACH: no route (pages.c:9 in connect)
 *       - EPIPE: page 3 (pages.c:22 in fetch)
 *
 * Nothing is allocated, as one reason to print an error is that there is no memory. Causes
 * are followed in a loop, children by recursion, which therefore has a limit.
 */
#include <kin/error.h>

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

enum { DEPTH_MAX = 32, INDENT = 4 };

/* Where text goes: to a stream, or into `text` as far as it has room. */
struct sink {
    FILE *stream;
    bool failed; /* the stream did not take everything */
    char *text;
    size_t size;
    size_t total; /* bytes so far, also those that had no room */
};

static void sink_write(struct sink *sink, const char *bytes, size_t count)
{
    if (sink->stream != NULL) {
        sink->failed |= fwrite(bytes, 1, count, sink->stream) != count;
    } else if (sink->total < sink->size) {
        size_t room = sink->size - sink->total;
        memcpy(sink->text + sink->total, bytes, count < room ? count : room);
    }
    sink->total += count;
}

static void sink_write_text(struct sink *sink, const char *text)
{
    sink_write(sink, text, strlen(text));
}

static void sink_write_int(struct sink *sink, int number)
{
    char digits[16];
    snprintf(digits, sizeof(digits), "%d", number);
    sink_write_text(sink, digits);
}

static void sink_indent(struct sink *sink, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        sink_write(sink, " ", 1);
    }
}

/* Writes a text of several lines, all but the first indented; a final '\n' is left out. */
static void sink_write_lines(struct sink *sink, const char *text, size_t columns)
{
    const char *end;
    while ((end = strchr(text, '\n')) != NULL && end[1] != '\0') {
        sink_write(sink, text, (size_t)(end - text) + 1);
        sink_indent(sink, columns);
        text = end + 1;
    }
    sink_write(sink, text, end != NULL ? (size_t)(end - text) : strlen(text));
}

/* The last part of a path: where the build stood is of no interest to a reader. */
static const char *path_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static void write_code(struct sink *sink, int code)
{
    static const char unknown[] = "unknown";
    const char *name = kin_code_name(code);
    sink_write_text(sink, name);
    if (strcmp(name, unknown) == 0) {
        sink_write_text(sink, " ");
        sink_write_int(sink, code);
    }
}

/* One error without cause and children, behind what already stands in its first line. */
static void write_node(struct sink *sink, const kin_error *error, size_t columns)
{
    write_code(sink, kin_error_code(error));
    sink_write_text(sink, ": ");
    sink_write_lines(sink, kin_error_message(error), columns + INDENT);
    if (kin_error_file(error)[0] != '\0') {
        sink_write_text(sink, " (");
        sink_write_text(sink, path_file(kin_error_file(error)));
        sink_write_text(sink, ":");
        sink_write_int(sink, kin_error_line(error));
        sink_write_text(sink, " in ");
        sink_write_text(sink, kin_error_function(error));
        sink_write_text(sink, ")");
    }
    sink_write_text(sink, "\n");
    if (kin_error_backtrace(error) != NULL) {
        sink_indent(sink, columns + INDENT);
        sink_write_lines(sink, kin_error_backtrace(error), columns + INDENT);
        sink_write_text(sink, "\n");
    }
}

static void write_tree(struct sink *sink, const kin_error *error, size_t depth)
{
    size_t columns = depth * INDENT;
    if (depth > 0) {
        sink_indent(sink, columns - 2);
        sink_write_text(sink, "- ");
    }
    if (depth == DEPTH_MAX) {
        sink_write_text(sink, "...\n");
        return;
    }
    write_node(sink, error, columns);
    for (;;) {
        for (size_t i = 0; i < kin_error_child_count(error); i++) {
            write_tree(sink, kin_error_child(error, i), depth + 1);
        }
        error = kin_error_cause(error);
        if (error == NULL) {
            return;
        }
        sink_indent(sink, columns);
        sink_write_text(sink, "caused by ");
        write_node(sink, error, columns);
    }
}

int kin_error_format(const kin_error *error, char *text, size_t size)
{
    struct sink sink = {.text = text, .size = size};
    write_tree(&sink, error, 0);
    if (size > 0) {
        text[sink.total < size ? sink.total : size - 1] = '\0';
    }
    return sink.total < INT_MAX ? (int)sink.total : INT_MAX;
}

int kin_error_print(const kin_error *error, FILE *stream)
{
    struct sink sink = {.stream = stream};
    if (stream == NULL) {
        return -EINVAL;
    }
    write_tree(&sink, error, 0);
    return sink.failed ? -EIO : 0;
}
