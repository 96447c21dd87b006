#define _GNU_SOURCE
#include "scenario.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/stat.h>

_Noreturn void give_up(const char *file, int line, const char *condition)
{
    out("%s:%d: not true: %s", file, line, condition);
    _exit(3);
}

void out(const char *format, ...)
{
    char text[1000];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(text, sizeof text - 1, format, values);
    va_end(values);
    size_t count = length < (int)sizeof text - 1 ? (size_t)length : sizeof text - 2;
    text[count] = '\n';
    if (write(STDOUT_FILENO, text, count + 1) < 0) {
        _exit(4);
    }
}

void attempt(const char *what, int code)
{
    out("%s: %s", what, code < 0 ? "refused" : "done");
}

kin_process *create(kin_function *function, kin_object *arguments, kin_process_options options)
{
    kin_process *process = NULL;
    arguments = arguments == NULL ? kin_tuple_from(NULL, 0) : arguments;
    options.size = sizeof options;
    REQUIRE(kin_process_create(function, arguments, &options, &process) == 0);
    kin_object_free(arguments);
    return process;
}

kin_process *start_with(kin_function *function, kin_object *arguments, kin_process_options options)
{
    kin_process *process = create(function, arguments, options);
    REQUIRE(kin_process_launch(process) == 0);
    return process;
}

kin_process *start(kin_function *function, kin_object *arguments)
{
    return start_with(function, arguments, (kin_process_options){0});
}

void join(kin_process *process)
{
    REQUIRE(kin_process_join(process, KIN_FOREVER) == 0);
}

int end_of(kin_process *process)
{
    int code = 1000;
    join(process);
    REQUIRE(kin_process_exit_code(process, &code) == 0);
    kin_process_free(process);
    return code;
}

const char *code_of(kin_process *process, char text[16])
{
    int code = 0;
    int r = kin_process_exit_code(process, &code);
    snprintf(text, 16, "%d", code);
    return r == 0 ? text : r == -EAGAIN || r == -ESRCH ? "None" : "refused";
}

struct speaker start_and_await_word(kin_function *function, kin_process_options options)
{
    struct speaker speaker = {0};
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    speaker.process = start_with(function, KIN_TUPLE(pass_on(ends[1])), options);
    close(ends[1]);
    REQUIRE(read(ends[0], speaker.word, sizeof speaker.word - 1) > 0);
    speaker.reader = ends[0];
    return speaker;
}

int given_fd(kin_call *call)
{
    int fd = kin_object_fd(kin_call_argument(call, 0));
    REQUIRE(fd >= 0);
    return fd;
}

kin_object *pass_on(int fd)
{
    kin_object *object = NULL;
    REQUIRE(kin_object_from_fd(fd, &object) == 0);
    return object;
}

void say(int fd, const char *word)
{
    REQUIRE(write(fd, word, strlen(word)) > 0);
}

bool is_at_end(int reader, int ms)
{
    char byte;
    struct pollfd one = {.fd = reader, .events = POLLIN};
    return poll(&one, 1, ms) == 1 && read(reader, &byte, 1) == 0;
}

void leave(struct speaker *speaker)
{
    close(speaker->reader);
    kin_process_free(speaker->process);
}

const char *said_on_stderr(void)
{
    static char text[10000];
    static off_t from;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", STDERR_FILENO);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    ssize_t count = pread(fd, text, sizeof text - 1, from);
    close(fd);
    REQUIRE(count >= 0);
    from += count;
    text[count] = '\0';
    return text;
}

int return_nothing(kin_call *call)
{
    (void)call;
    return 0;
}
KIN_FUNCTION(return_nothing)

int end_with(kin_call *call)
{
    return (int)kin_call_int(call, 0);
}
KIN_FUNCTION(end_with)

int wait_for_ever(kin_call *call)
{
    say(given_fd(call), "x");
    while (pause() < 0) {
    }
    return 0;
}
KIN_FUNCTION(wait_for_ever)
