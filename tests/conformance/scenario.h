/*
 * What scenarios are made of: lines that are printed, children, attempts.
 *
 * Each scenario is a function of its own name here and in processes.py, and is listed in
 * processes.c. What it prints must be the same, but for what differences.txt allows.
 */
#ifndef CONFORMANCE_SCENARIO_H
#define CONFORMANCE_SCENARIO_H

#include <errno.h>
#include <kin.h>
#include <kin/context.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, FD = 700 /* one that no program has by itself */ };

#define TRUTH(condition) ((condition) ? "True" : "False")

/* The start method that was asked for. */
extern kin_start_method method;

/* Ends the program for what is no part of any scenario. */
#define REQUIRE(condition) ((condition) ? (void)0 : give_up(__FILE__, __LINE__, #condition))
_Noreturn void give_up(const char *file, int line, const char *condition);

/* One line, in one write. */
__attribute__((format(printf, 1, 2))) void out(const char *format, ...);

/* "WHAT: done", or "WHAT: refused" for a negative code. */
void attempt(const char *what, int code);

/* Arguments of children are taken; NULL: none. */
kin_process *create(kin_function *function, kin_object *arguments, kin_process_options options);
kin_process *start(kin_function *function, kin_object *arguments);
kin_process *start_with(kin_function *function, kin_object *arguments, kin_process_options options);

/* Waits for the end and frees it: its exit code. */
int end_of(kin_process *process);
void join(kin_process *process);

/* The exit code as text, "None" if there is none yet. */
const char *code_of(kin_process *process, char text[16]);

/* One that was started with an fd as its argument 0, what it has written there, and where more can
 * be read. */
struct speaker {
    kin_process *process;
    char word[100];
    int reader;
};
struct speaker start_and_await_word(kin_function *function, kin_process_options options);

/* In such a child, or one that is given its argument 0: the fd, an argument for another. */
int given_fd(kin_call *call);
kin_object *pass_on(int fd);
void say(int fd, const char *word);

/* Whether all who could write there are gone; the second closes it. */
bool is_at_end(int reader, int ms);
void leave(struct speaker *speaker);

/* What was written to stderr since it was last asked for. */
const char *said_on_stderr(void);

/* What children of several scenarios do. */
int return_nothing(kin_call *call);
int end_with(kin_call *call);
int wait_for_ever(kin_call *call);

#endif
