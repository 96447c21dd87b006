/* P2, P4, P5, P9: names, what is refused, the processes around one, the end of the parent. */
#include "scenario.h"

/* --- names --- */

static int tell_name(kin_call *call)
{
    (void)call;
    out("I am %s", kin_process_name(kin_process_current()));
    return 0;
}
KIN_FUNCTION(tell_name)

static int start_two(kin_call *call)
{
    tell_name(call);
    end_of(start(tell_name, NULL));
    end_of(start_with(tell_name, NULL, (kin_process_options){.name = "own"}));
    end_of(start(tell_name, NULL));
    return 0;
}
KIN_FUNCTION(start_two)

static bool is_called(const kin_process *process, int number)
{
    char name[40];
    snprintf(name, sizeof name, "Process-%d", number);
    return strcmp(kin_process_name(process), name) == 0;
}

void scenario_names(void)
{
    kin_process *processes[4];
    int number = 0;
    for (int i = 0; i < 4; i++) {
        processes[i] = create(return_nothing, NULL,
                              (kin_process_options){.name = i == 2 ? "own" : NULL});
    }
    REQUIRE(sscanf(kin_process_name(processes[0]), "Process-%d", &number) == 1);
    out("consecutive: %s", TRUTH(is_called(processes[1], number + 1)));
    out("a name: %s, counted: %s", kin_process_name(processes[2]),
        TRUTH(is_called(processes[3], number + 3)));
    for (int i = 0; i < 4; i++) {
        kin_process_free(processes[i]);
    }
}

void scenario_grandchildren(void)
{
    end_of(start_with(start_two, NULL, (kin_process_options){.name = "renamed"}));
    end_of(start(start_two, NULL));
}

void scenario_current(void)
{
    kin_process *process = kin_process_current();
    out("%s, pid is mine: %s, daemon %s", kin_process_name(process),
        TRUTH(kin_process_pid(process) == getpid()), TRUTH(kin_process_is_daemon(process)));
    end_of(start(tell_name, NULL));
}

/* --- what is refused --- */

static int code_or_refusal(kin_process *process)
{
    int code = 0;
    return kin_process_exit_code(process, &code);
}

void scenario_start_twice(void)
{
    kin_process *process = create(return_nothing, NULL, (kin_process_options){0});
    attempt("start", kin_process_launch(process));
    attempt("start again", kin_process_launch(process));
    join(process);
    attempt("start after the end", kin_process_launch(process));
    kin_process_free(process);
}

void scenario_before_the_start(void)
{
    kin_process *process = create(return_nothing, NULL, (kin_process_options){0});
    attempt("join", kin_process_join(process, KIN_FOREVER));
    attempt("terminate", kin_process_terminate(process));
    attempt("kill", kin_process_kill(process));
    attempt("sentinel", kin_process_sentinel(process));
    attempt("close", kin_process_close(process));
    attempt("start", kin_process_launch(process));
    kin_process_free(process);
}

void scenario_close_while_it_runs(void)
{
    struct speaker speaker = start_and_await_word(wait_for_ever, (kin_process_options){0});
    attempt("close", kin_process_close(speaker.process));
    kin_process_kill(speaker.process);
    join(speaker.process);
    attempt("close", kin_process_close(speaker.process));
    attempt("close again", kin_process_close(speaker.process));
    leave(&speaker);
}

void scenario_use_after_close(void)
{
    kin_process *process = start_with(return_nothing, NULL,
                                      (kin_process_options){.name = "closed"});
    join(process);
    kin_process_close(process);
    attempt("join", kin_process_join(process, KIN_FOREVER));
    attempt("exit code", code_or_refusal(process));
    attempt("pid", kin_process_pid(process));
    attempt("sentinel", kin_process_sentinel(process));
    attempt("terminate", kin_process_terminate(process));
    attempt("kill", kin_process_kill(process));
    attempt("start", kin_process_launch(process));
    out("name %s", kin_process_name(process));
    kin_process_free(process);
}

void scenario_join_oneself(void)
{
    attempt("join", kin_process_join(kin_process_current(), KIN_FOREVER));
    attempt("start", kin_process_launch(kin_process_current()));
}

void scenario_signals_after_the_end(void)
{
    kin_process *process = start(return_nothing, NULL);
    join(process);
    attempt("terminate", kin_process_terminate(process));
    attempt("kill", kin_process_kill(process));
    out("code %d", end_of(process));
}

static kin_process *inherited[2];

static int use_inherited(kin_call *call)
{
    (void)call;
    attempt("join", kin_process_join(inherited[0], KIN_FOREVER));
    attempt("start", kin_process_launch(inherited[1]));
    return 0;
}
KIN_FUNCTION(use_inherited)

void scenario_inherited(void)
{
    if (method != KIN_FORK) {
        out("there is nothing to inherit");
        return;
    }
    struct speaker speaker = start_and_await_word(wait_for_ever, (kin_process_options){0});
    inherited[0] = speaker.process;
    inherited[1] = create(return_nothing, NULL, (kin_process_options){0});
    end_of(start(use_inherited, NULL));
    kin_process_kill(speaker.process);
    join(speaker.process);
    leave(&speaker);
    kin_process_free(inherited[1]);
}

/* --- relatives --- */

static int look_at_parent(kin_call *call)
{
    kin_process *above = kin_process_parent();
    out("%s, pid %s, alive %s", kin_process_name(above),
        TRUTH(kin_process_pid(above) == kin_call_int(call, 0)), TRUTH(kin_process_is_alive(above)));
    kin_process_join(above, kin_within_ms(10));
    out("alive %s", TRUTH(kin_process_is_alive(above)));
    attempt("terminate", kin_process_terminate(above));
    return 0;
}
KIN_FUNCTION(look_at_parent)

void scenario_parent(void)
{
    out("of the first: %s", kin_process_parent() == NULL ? "None" : "one");
    end_of(start(look_at_parent, KIN_TUPLE(kin_object_from_int(getpid()))));
}

static int outlive_parent(kin_call *call)
{
    REQUIRE(kin_process_is_alive(kin_process_parent()));
    say(given_fd(call), "x");
    REQUIRE(kin_process_join(kin_process_parent(), KIN_FOREVER) == 0);
    out("the parent is alive: %s", TRUTH(kin_process_is_alive(kin_process_parent())));
    return 0;
}
KIN_FUNCTION(outlive_parent)

static int be_killed(kin_call *call)
{
    start(outlive_parent, KIN_TUPLE(pass_on(given_fd(call))));
    while (pause() < 0) {
    }
    return 0;
}
KIN_FUNCTION(be_killed)

void scenario_parent_that_is_killed(void)
{
    struct speaker speaker = start_and_await_word(be_killed, (kin_process_options){0});
    kin_process_kill(speaker.process);
    bool has_ended = is_at_end(speaker.reader, PATIENCE_MS);
    out("code %d, all have ended: %s", end_of(kin_process_ref(speaker.process)), TRUTH(has_ended));
    leave(&speaker);
}

static int count_children(kin_call *call)
{
    (void)call;
    out("a child has %d", kin_process_children(NULL, 0));
    return 0;
}
KIN_FUNCTION(count_children)

static void list_children(void)
{
    kin_process *children[3] = {0};
    char text[100] = "";
    int count = kin_process_children(children, 3);
    for (int i = 0; i < count; i++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, "%s%s", i == 0 ? "" : " ",
                 kin_process_name(children[i]));
        kin_process_free(children[i]);
    }
    out("%s", text);
}

void scenario_children(void)
{
    struct speaker first = start_and_await_word(wait_for_ever,
                                                (kin_process_options){.name = "one"});
    struct speaker second = start_and_await_word(wait_for_ever,
                                                 (kin_process_options){.name = "two"});
    list_children();
    end_of(start(count_children, NULL));
    kin_process_kill(first.process);
    join(first.process);
    list_children();
    kin_process_kill(second.process);
    join(second.process);
    out("%d at the end", kin_process_children(NULL, 0));
    leave(&first);
    leave(&second);
}

void scenario_cpu_count(void)
{
    out("at least one: %s", TRUTH(kin_cpu_count() >= 1));
}

/* --- the end of the parent --- */

void scenario_daemon_flag(void)
{
    kin_process *first = create(return_nothing, NULL, (kin_process_options){0});
    kin_process *second = create(return_nothing, NULL, (kin_process_options){.is_daemon = true});
    out("%s %s", TRUTH(kin_process_is_daemon(first)), TRUTH(kin_process_is_daemon(second)));
    kin_process_free(first);
    kin_process_free(second);
}

static int be_daemon(kin_call *call)
{
    say(given_fd(call), "x");
    say(kin_object_fd(kin_call_argument(call, 1)), "x");
    while (pause() < 0) {
    }
    return 0;
}
KIN_FUNCTION(be_daemon)

static int leave_daemon(kin_call *call)
{
    int ends[2];
    char byte;
    REQUIRE(pipe(ends) == 0);
    start_with(be_daemon, KIN_TUPLE(pass_on(given_fd(call)), pass_on(ends[1])),
               (kin_process_options){.is_daemon = true});
    REQUIRE(read(ends[0], &byte, 1) == 1);
    return 0;
}
KIN_FUNCTION(leave_daemon)

void scenario_daemons_at_exit(void)
{
    struct speaker speaker = start_and_await_word(leave_daemon, (kin_process_options){0});
    out("code %d", end_of(kin_process_ref(speaker.process)));
    out("all have ended: %s", TRUTH(is_at_end(speaker.reader, PATIENCE_MS)));
    leave(&speaker);
}

static int be_late(kin_call *call)
{
    say(given_fd(call), "x");
    usleep(50000);
    out("the grandchild");
    return 0;
}
KIN_FUNCTION(be_late)

static int leave_child(kin_call *call)
{
    start(be_late, KIN_TUPLE(pass_on(given_fd(call))));
    return 0;
}
KIN_FUNCTION(leave_child)

void scenario_others_at_exit(void)
{
    struct speaker speaker = start_and_await_word(leave_child, (kin_process_options){0});
    out("the child, code %d", end_of(kin_process_ref(speaker.process)));
    leave(&speaker);
}

static int start_daemon_and_wait(kin_call *call)
{
    start_with(wait_for_ever, KIN_TUPLE(pass_on(given_fd(call))),
               (kin_process_options){.is_daemon = true});
    while (pause() < 0) {
    }
    return 0;
}
KIN_FUNCTION(start_daemon_and_wait)

void scenario_daemon_of_one_that_is_killed(void)
{
    struct speaker speaker = start_and_await_word(start_daemon_and_wait, (kin_process_options){0});
    kin_process_kill(speaker.process);
    join(speaker.process);
    out("the daemon has ended: %s", TRUTH(is_at_end(speaker.reader, PATIENCE_MS)));
    leave(&speaker);
}

static int start_from_daemon(kin_call *call)
{
    kin_process *process = NULL;
    kin_object *nothing = kin_tuple_from(NULL, 0);
    attempt("start", kin_process_start(return_nothing, nothing, NULL, &process));
    kin_object_free(nothing);
    end_of(process);
    say(given_fd(call), "x");
    return 0;
}
KIN_FUNCTION(start_from_daemon)

void scenario_children_of_daemons(void)
{
    struct speaker speaker = start_and_await_word(start_from_daemon,
                                                  (kin_process_options){.is_daemon = true});
    join(speaker.process);
    leave(&speaker);
}
