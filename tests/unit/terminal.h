/* A program of its own in a terminal, in which a test presses Ctrl-C: the kernel sends SIGINT to
 * all processes of the program, as where somebody sits in front of it. */
#ifndef UNIT_TERMINAL_H
#define UNIT_TERMINAL_H

#include "harness/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct terminal {
    int keys;  /* what is written to it is typed */
    int words; /* bytes that the program says */
    pid_t pid;
};

/* What a program does: says words to the fd, and returns its exit status, not 0 if something was
 * not as it should be. */
typedef int terminal_program(int words);

static inline struct terminal terminal_run(terminal_program *program)
{
    int words[2];
    struct terminal terminal = {.keys = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
    REQUIRE(terminal.keys >= 0 && grantpt(terminal.keys) == 0 && unlockpt(terminal.keys) == 0);
    REQUIRE(pipe2(words, O_CLOEXEC) == 0);
    terminal.pid = fork();
    REQUIRE(terminal.pid >= 0);
    if (terminal.pid == 0) {
        int screen = setsid() < 0 ? -1 : open(ptsname(terminal.keys), O_RDWR | O_CLOEXEC);
        if (screen < 0 || ioctl(screen, TIOCSCTTY, 0) != 0) {
            _exit(99);
        }
        close(terminal.keys);
        close(words[0]);
        _exit(program(words[1]));
    }
    close(words[1]);
    terminal.words = words[0];
    return terminal;
}

/* False: it has ended. */
static inline bool terminal_await_word(const struct terminal *terminal)
{
    char word = 0;
    return read(terminal->words, &word, 1) == 1;
}

static inline void terminal_press(const struct terminal *terminal)
{
    REQUIRE(write(terminal->keys, "\003", 1) == 1);
}

/* Presses each time that the program says a word. Its exit status, or minus its signal. */
static inline int terminal_press_at_words(terminal_program *program)
{
    int status = 0;
    struct terminal terminal = terminal_run(program);
    while (terminal_await_word(&terminal)) {
        terminal_press(&terminal);
    }
    REQUIRE(waitpid(terminal.pid, &status, 0) == terminal.pid);
    close(terminal.words);
    close(terminal.keys);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

#endif
