#define _GNU_SOURCE
/* P1, P2, P3, P6: from the creation to the end. */
#include "scenario.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* --- start and join --- */

static int tell_pids(kin_call *call)
{
    char text[64];
    snprintf(text, sizeof text, "%d %d", (int)getpid(), kin_process_pid(kin_process_parent()));
    say(given_fd(call), text);
    return 0;
}
KIN_FUNCTION(tell_pids)

void scenario_pids(void)
{
    int pid = 0, parent = 0;
    struct speaker speaker = start_and_await_word(tell_pids, (kin_process_options){0});
    REQUIRE(sscanf(speaker.word, "%d %d", &pid, &parent) == 2);
    out("the child is the one that was started: %s",
        TRUTH(pid == kin_process_pid(speaker.process)));
    out("its parent is this process: %s", TRUTH(parent == getpid()));
    out("exit code %d", end_of(kin_process_ref(speaker.process)));
    leave(&speaker);
}

void scenario_reaped(void)
{
    kin_process *process = start(return_nothing, NULL);
    join(process);
    for (int i = 0; i < PATIENCE_MS && kill(kin_process_pid(process), 0) == 0; i++) {
        usleep(1000); /* of one that a server has waited for, a moment later */
    }
    attempt("signal to what is left", kill(kin_process_pid(process), 0));
    kin_process_free(process);
}

void scenario_join_with_timeout(void)
{
    char code[16];
    struct speaker speaker = start_and_await_word(wait_for_ever, (kin_process_options){0});
    kin_process_join(speaker.process, KIN_NOW);
    out("after no time: %s", code_of(speaker.process, code));
    kin_process_join(speaker.process, kin_within_ms(10));
    out("after a while: %s", code_of(speaker.process, code));
    kin_process_kill(speaker.process);
    out("at the end: %d", end_of(kin_process_ref(speaker.process)));
    leave(&speaker);
}

static kin_object *one(int64_t number)
{
    return KIN_TUPLE(kin_object_from_int(number));
}

void scenario_join_twice(void)
{
    char code[16];
    kin_process *process = start(end_with, one(3));
    join(process);
    join(process);
    kin_process_join(process, KIN_NOW);
    out("exit code %s, %d", code_of(process, code), end_of(process));
}

static int show(kin_call *call)
{
    char text[300];
    kin_object_format(kin_call_object(call), text, sizeof text);
    out("%s", text);
    return 0;
}
KIN_FUNCTION(show)

void scenario_arguments_of_all_kinds(void)
{
    kin_object *dict = kin_dict_create();
    kin_dict_set_text(dict, "nine", one(10));
    end_of(start(show, KIN_TUPLE(kin_object_from_int(1), kin_object_from_int(-2),
                                 kin_object_from_text("three"), kin_object_from_float(4.5),
                                 kin_object_none(), kin_object_from_bool(true),
                                 kin_object_from_bytes("six", 3),
                                 KIN_LIST(kin_object_from_int(7), KIN_LIST(kin_object_from_int(8))),
                                 dict)));
    end_of(start(show, NULL));
    end_of(start(show, KIN_TUPLE(kin_object_from_text("alone"))));
}

void scenario_many_at_once(void)
{
    kin_process *processes[10];
    char text[100] = "codes";
    for (int i = 0; i < 10; i++) {
        processes[i] = start(end_with, one(i));
    }
    for (int i = 0; i < 10; i++) {
        size_t length = strlen(text);
        snprintf(text + length, sizeof text - length, " %d", end_of(processes[i]));
    }
    out("%s", text);
}

void scenario_ended_and_not_joined(void)
{
    char code[16];
    kin_process *process = start(end_with, one(4));
    while (kin_process_is_alive(process)) {
        usleep(1000);
    }
    out("%d children", kin_process_children(NULL, 0));
    out("exit code %s", code_of(process, code));
    kin_process_free(process);
}

static int say_out_loud(kin_call *call)
{
    (void)call;
    out("child");
    return 0;
}
KIN_FUNCTION(say_out_loud)

void scenario_output_once(void)
{
    printf("buffered ");
    end_of(start(say_out_loud, NULL));
    fflush(stdout);
    out("parent");
}

static int read_input(kin_call *call)
{
    (void)call;
    out("input is empty: %s", TRUTH(getchar() == EOF));
    return 0;
}
KIN_FUNCTION(read_input)

void scenario_input_is_empty(void)
{
    end_of(start(read_input, NULL));
}

/* --- what is known of one --- */

void scenario_life(void)
{
    char code[16];
    kin_process *process = create(end_with, one(2), (kin_process_options){0});
    int pid = kin_process_pid(process);
    out("new: pid %s, alive %s, code %s", pid == 0 ? "None" : "something",
        TRUTH(kin_process_is_alive(process)), code_of(process, code));
    REQUIRE(kin_process_launch(process) == 0);
    out("started: has pid %s", TRUTH(kin_process_pid(process) > 0));
    join(process);
    out("ended: has pid %s, alive %s, code %s", TRUTH(kin_process_pid(process) > 0),
        TRUTH(kin_process_is_alive(process)), code_of(process, code));
    kin_process_free(process);
}

static bool is_ready(kin_process *process, int ms)
{
    struct pollfd one_fd = {.fd = kin_process_sentinel(process), .events = POLLIN};
    return poll(&one_fd, 1, ms) == 1;
}

void scenario_running(void)
{
    char code[16];
    struct speaker speaker = start_and_await_word(wait_for_ever, (kin_process_options){0});
    kin_process *process = speaker.process;
    out("alive %s, code %s", TRUTH(kin_process_is_alive(process)), code_of(process, code));
    out("sentinel is ready: %s", TRUTH(is_ready(process, 0)));
    kin_process_kill(process);
    out("sentinel is ready: %s", TRUTH(is_ready(process, -1)));
    join(process);
    out("code %s, alive %s", code_of(process, code), TRUTH(kin_process_is_alive(process)));
    leave(&speaker);
}

static int exit_now(kin_call *call)
{
    (void)call;
    _exit(6);
}
KIN_FUNCTION(exit_now)

void scenario_exit_codes(void)
{
    out("returned: %d", end_of(start(return_nothing, NULL)));
    out("7: %d", end_of(start(end_with, one(7))));
    out("255: %d", end_of(start(end_with, one(255))));
    out("260: %d", end_of(start(end_with, one(260))));
    out("_exit: %d", end_of(start(exit_now, NULL)));
}

static int abort_it(kin_call *call)
{
    (void)call;
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    abort();
}
KIN_FUNCTION(abort_it)

void scenario_aborted(void)
{
    out("code %d", end_of(start(abort_it, NULL)));
}

void scenario_signalled(void)
{
    static const char *const what[] = {"terminate", "kill"};
    int (*const signals[])(kin_process *) = {kin_process_terminate, kin_process_kill};
    for (int i = 0; i < 2; i++) {
        struct speaker speaker = start_and_await_word(wait_for_ever, (kin_process_options){0});
        signals[i](speaker.process);
        out("%s: %d", what[i], end_of(kin_process_ref(speaker.process)));
        leave(&speaker);
    }
}

void scenario_interrupted(void)
{
    struct speaker speaker = start_and_await_word(wait_for_ever, (kin_process_options){0});
    kin_process_interrupt(speaker.process);
    out("code %d", end_of(kin_process_ref(speaker.process)));
    leave(&speaker);
}

static void exit_with_nine(int number)
{
    (void)number;
    _exit(9);
}

static int handle_sigterm(kin_call *call)
{
    signal(SIGTERM, exit_with_nine);
    return wait_for_ever(call);
}
KIN_FUNCTION(handle_sigterm)

void scenario_handled(void)
{
    struct speaker speaker = start_and_await_word(handle_sigterm, (kin_process_options){0});
    kin_process_terminate(speaker.process);
    out("code %d", end_of(kin_process_ref(speaker.process)));
    leave(&speaker);
}

static int ignore_sigterm(kin_call *call)
{
    signal(SIGTERM, SIG_IGN);
    return wait_for_ever(call);
}
KIN_FUNCTION(ignore_sigterm)

void scenario_ignored(void)
{
    char code[16];
    struct speaker speaker = start_and_await_word(ignore_sigterm, (kin_process_options){0});
    kin_process_terminate(speaker.process);
    kin_process_join(speaker.process, kin_within_ms(20));
    out("after terminate: %s", code_of(speaker.process, code));
    kin_process_kill(speaker.process);
    out("after kill: %d", end_of(kin_process_ref(speaker.process)));
    leave(&speaker);
}

static int fail(kin_call *call)
{
    return kin_call_fail(call, -EIO, "boom");
}
KIN_FUNCTION(fail)

void scenario_failed(void)
{
    char code[16];
    said_on_stderr();
    kin_process *process = start(fail, NULL);
    join(process);
    out("code %s", code_of(process, code));
    const char *text = said_on_stderr();
    out("the name is told: %s", TRUTH(strstr(text, kin_process_name(process)) != NULL));
    out("the reason is told: %s", TRUTH(strstr(text, "boom") != NULL));
    out("the function is told: %s", TRUTH(strstr(text, " fail") != NULL));
    kin_process_free(process);
}

/* --- objects that run --- */

static int count_up(kin_object *counter, kin_call *call)
{
    (void)call;
    int64_t value = 0;
    REQUIRE(kin_object_to_int(kin_instance_state(counter), &value) == 0);
    kin_instance_set_state(counter, kin_object_from_int(value + 1));
    return (int)value + 1;
}

static kin_class counter_class = {.module = "conformance", .name = "Counter", .run = count_up};
KIN_CLASS(counter_class)

void scenario_object_that_runs(void)
{
    int64_t value = 0;
    kin_object *counter = NULL;
    kin_process *process = NULL;
    REQUIRE(kin_instance_create(&counter_class, kin_tuple_from(NULL, 0), &counter) == 0);
    kin_instance_set_state(counter, kin_object_from_int(6));
    REQUIRE(kin_process_start_object(counter, NULL, &process) == 0);
    out("code %d", end_of(process));
    REQUIRE(kin_object_to_int(kin_instance_state(counter), &value) == 0);
    out("here it is %d", (int)value);
    kin_object_free(counter);
}
