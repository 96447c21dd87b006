/* Ctrl-C in a terminal, for a program whose children were started by each method. */
#define _GNU_SOURCE
#include "processes.h"
#include "unit/terminal.h"

#include <kin/interrupt.h>

enum { CHILDREN = 3 };

/* Each is a way in which a program is not as it should be. */
enum { RIGHT, NOT_BEGUN, NO_TOKEN, WRONG_COUNT, ENDED_EARLY, WRONG_END, NO_LATER_START };

static kin_start_method method_of_program;

/* Fds: one to say that it has begun, one to wait at. */
static int wait_to_be_released(kin_call *call)
{
    char byte = 0;
    REQUIRE(write(kin_call_fd(call, 0), "x", 1) == 1);
    return read(kin_call_fd(call, 1), &byte, 1) == 1 ? 7 : 1;
}
KIN_FUNCTION(wait_to_be_released)

struct program {
    kin_cancel *cancel;
    kin_process *children[CHILDREN];
    int begun[2];
    int release[2];
};

static int start_child(struct program *program, kin_process **ret_child)
{
    char byte = 0;
    int fds[] = {program->begun[1], program->release[0]};
    int r = kin_process_start_bytes(wait_to_be_released, NULL, 0,
                                    KIN_OPTIONS(kin_process_options,
                                                .context = kin_context_get(method_of_program),
                                                .fds = fds, .fd_count = 2),
                                    ret_child);
    return r == 0 && read(program->begun[0], &byte, 1) != 1 ? -EIO : r;
}

static int begin_program(struct program *program)
{
    int r = kin_init(NULL, NULL);
    r = r == 0 ? kin_interrupt_handle(&program->cancel) : r;
    r = r == 0 ? pipe2(program->begun, O_CLOEXEC) : r;
    r = r == 0 ? pipe2(program->release, O_CLOEXEC) : r;
    for (int i = 0; r == 0 && i < CHILDREN; i++) {
        r = start_child(program, &program->children[i]);
    }
    return r;
}

static void say(int words)
{
    REQUIRE(write(words, "x", 1) == 1);
}

/* Whether all have ended with a code. */
static bool have_ended_with(struct program *program, int expected)
{
    bool is_right = true;
    for (int i = 0; i < CHILDREN; i++) {
        int code = 0;
        is_right &= kin_process_join(program->children[i], KIN_FOREVER) == 0 &&
                    kin_process_exit_code(program->children[i], &code) == 0 && code == expected;
        kin_process_free(program->children[i]);
    }
    return is_right;
}

static int await_token(struct program *program)
{
    kin_timeout timeout = kin_by(INT64_MAX, program->cancel);
    int r = kin_process_join(program->children[0], timeout);
    return r != -ECANCELED ? NO_TOKEN : kin_interrupt_count() != 1u ? WRONG_COUNT : RIGHT;
}

/* Pressed once: the program stops in order, its children end what they are at. Those that are
 * started for that, by the same server too, are not touched either. */
static int stop_in_order(int words)
{
    struct program program = {0};
    kin_process *late = NULL;
    int code = 0;
    if (begin_program(&program) != 0) {
        return NOT_BEGUN;
    }
    say(words);
    int r = await_token(&program);
    for (int i = 0; r == RIGHT && i < CHILDREN; i++) {
        r = kin_process_is_alive(program.children[i]) ? RIGHT : ENDED_EARLY;
    }
    if (r == RIGHT && start_child(&program, &late) != 0) {
        r = NO_LATER_START;
    }
    REQUIRE(write(program.release[1], "xxxxxxxx", CHILDREN + 1) == CHILDREN + 1);
    if (r == RIGHT && !have_ended_with(&program, 7)) {
        r = WRONG_END;
    }
    if (r == RIGHT && (kin_process_join(late, KIN_FOREVER) != 0 ||
                       kin_process_exit_code(late, &code) != 0 || code != 7)) {
        r = NO_LATER_START;
    }
    kin_process_free(late);
    kin_fini();
    return r;
}

/* Pressed twice: the children are terminated. */
static int stop_at_once(int words)
{
    struct program program = {0};
    if (begin_program(&program) != 0) {
        return NOT_BEGUN;
    }
    say(words);
    int r = await_token(&program);
    if (r == RIGHT) {
        say(words);
        r = have_ended_with(&program, -SIGTERM) ? RIGHT : WRONG_END;
    }
    if (r == RIGHT && kin_interrupt_count() != 2) {
        r = WRONG_COUNT;
    }
    kin_fini();
    return r;
}

/* Pressed three times: all is over, the program as well. */
static int be_ended(int words)
{
    struct program program = {0};
    if (begin_program(&program) != 0) {
        return NOT_BEGUN;
    }
    for (uint32_t i = 0; i < 3; i++) {
        say(words);
        while (kin_interrupt_count() == i) {
            usleep(200);
        }
    }
    for (;;) {
        pause();
    }
}

#ifndef __SANITIZE_THREAD__

static void press_in_programs(kin_start_method of)
{
    method_of_program = of;
    CHECK_EQUAL(terminal_press_at_words(stop_in_order), RIGHT);
    CHECK_EQUAL(terminal_press_at_words(stop_at_once), RIGHT);
    CHECK_EQUAL(terminal_press_at_words(be_ended), -SIGINT);
}

TEST(ctrl_c_in_a_terminal_reaches_forked_children_in_order)
{
    press_in_programs(KIN_FORK);
}

TEST(ctrl_c_in_a_terminal_reaches_spawned_children_in_order)
{
    press_in_programs(KIN_SPAWN);
}

TEST(ctrl_c_in_a_terminal_reaches_children_of_the_forkserver_in_order)
{
    press_in_programs(KIN_FORKSERVER);
}

#endif
