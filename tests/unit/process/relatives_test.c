/* The processes around one: itself, its parent, its children; and their names. */
#include "processes.h"

#include <sys/wait.h>

/* --- this process --- */

/* Arguments: name, identity. */
static int check_current(kin_call *call)
{
    kin_process *self = kin_process_current();
    CHECK_STRING(kin_process_name(self), kin_call_text(call, 0));
    CHECK_STRING(kin_process_identity(self), kin_call_text(call, 1));
    CHECK_EQUAL(kin_process_pid(self), getpid());
    CHECK(kin_process_is_alive(self));
    CHECK(!kin_process_is_daemon(self));
    CHECK(kin_process_current() == self);
    return 7;
}
KIN_FUNCTION(check_current)

static kin_object *names(const char *name, const char *identity)
{
    return KIN_TUPLE(kin_object_from_text(name), kin_object_from_text(identity));
}

TEST_OF_METHODS(each_process_knows_its_name_and_identity)
{
    kin_process *self = kin_process_current();
    CHECK_STRING(kin_process_name(self), "MainProcess");
    CHECK_STRING(kin_process_identity(self), "");
    CHECK_EQUAL(kin_process_pid(self), getpid());
    kin_process *process = start_given(check_current, names("Process-1", "1"),
                                       (kin_process_options){0});
    CHECK_EQUAL(exit_code_of(process), 7);
    process = start_given(check_current, names("other", "2"),
                          (kin_process_options){.name = "other"});
    CHECK_EQUAL(exit_code_of(process), 7);
}

TEST(what_is_borrowed_cannot_be_freed_by_mistake)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    kin_process *self = kin_process_current();
    kin_process_free(self);
    kin_process_free(self);
    CHECK(kin_process_current() == self);
    CHECK_STRING(kin_process_name(self), "MainProcess");
    CHECK(kin_process_ref(self) == self);
    kin_process_free(self);
    CHECK_EQUAL(kin_process_pid(kin_process_current()), getpid());
}

static int start_two(kin_call *call)
{
    (void)call;
    kin_process *first = start_given(check_current, names("Process-1:1", "1:1"),
                                     (kin_process_options){0});
    kin_process *second = start_given(check_current, names("second", "1:2"),
                                      (kin_process_options){.name = "second"});
    CHECK_STRING(kin_process_name(first), "Process-1:1");
    CHECK_STRING(kin_process_identity(second), "1:2");
    CHECK_EQUAL(exit_code_of(first), 7);
    CHECK_EQUAL(exit_code_of(second), 7);
    return 7;
}
KIN_FUNCTION(start_two)

TEST_OF_METHODS(children_are_named_after_their_place_in_the_tree_also_those_of_a_renamed_one)
{
    kin_process *process = start_given(start_two, kin_tuple_from(NULL, 0),
                                       (kin_process_options){.name = "first"});
    CHECK_EQUAL(exit_code_of(process), 7);
}

static int start_deeper(kin_call *call)
{
    int64_t depth = kin_call_int(call, 0);
    const char *identity = kin_process_identity(kin_process_current());
    if (depth == 0) {
        CHECK(strlen(identity) == 43 && strcmp(identity + 41, ":1") == 0);
        return 7;
    }
    return exit_code_of(
        start_given(start_deeper, kin_object_from_int(depth - 1), (kin_process_options){0}));
}
KIN_FUNCTION(start_deeper)

TEST(a_very_deep_one_keeps_the_end_of_its_identity)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    CHECK_EQUAL(
        exit_code_of(start_given(start_deeper, kin_object_from_int(29), (kin_process_options){0})),
        7);
}

TEST(the_child_of_a_plain_fork_has_a_name_and_no_identity)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_STRING(kin_process_name(kin_process_current()), "fork");
        CHECK_STRING(kin_process_identity(kin_process_current()), "");
        CHECK_STRING(kin_process_name(kin_process_parent()), "MainProcess");
        CHECK_EQUAL(kin_process_pid(kin_process_parent()), getppid());
        CHECK(kin_process_is_alive(kin_process_parent()));
        CHECK_EQUAL(
            exit_code_of(start_given(check_current, names("fork:1", ""), (kin_process_options){0})),
            7);
        kin_fini();
        _exit(0);
    }
    int status = 0;
    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    CHECK_EQUAL(status, 0);
}

/* --- the parent --- */

static int look_at_parent(kin_call *call)
{
    int exit_code = 0;
    kin_process *parent = kin_process_parent();
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    CHECK_STRING(kin_process_name(parent), "MainProcess");
    CHECK_EQUAL(kin_process_pid(parent), kin_call_int(call, 0));
    CHECK_EQUAL(kin_process_phase(parent), KIN_PHASE_PARENT);
    CHECK(kin_process_state(parent) != KIN_STATE_TERMINATED);
    CHECK(kin_process_is_alive(parent));
    CHECK_EQUAL(kin_process_join(parent, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_process_join(parent, kin_within_ms(1)), -ETIMEDOUT);
    CHECK_EQUAL(kin_process_join(parent, kin_by(kin_now_ns() + 1, cancel)), -ETIMEDOUT);
    kin_cancel_request(cancel);
    CHECK_EQUAL(kin_process_join(parent, kin_by(INT64_MAX, cancel)), -ECANCELED);
    CHECK_EQUAL(kin_process_exit_code(parent, &exit_code), -EAGAIN);
    CHECK_EQUAL(kin_process_terminate(parent), -ECHILD);
    CHECK_EQUAL(kin_process_stop(parent, NULL, KIN_NOW), -ECHILD);
    CHECK_EQUAL(kin_process_close(parent), -ECHILD);
    CHECK_EQUAL(kin_process_launch(parent), -ECHILD);
    CHECK(kin_process_sentinel(parent) >= 0);
    CHECK(kin_process_parent() == parent);
    kin_cancel_free(cancel);
    return 7;
}
KIN_FUNCTION(look_at_parent)

TEST_OF_METHODS(a_child_sees_its_parent)
{
    CHECK(kin_process_parent() == NULL);
    CHECK_EQUAL(exit_code_of(start_given(look_at_parent, kin_object_from_int(getpid()),
                                         (kin_process_options){0})),
                7);
}

/* Arguments: an fd to say what has become of the parent, whether to look before it has ended, and
 * how to wait. */
static int outlive_parent(kin_call *call)
{
    int fd = kin_object_fd(kin_call_argument(call, 0));
    bool looks_early = kin_call_int(call, 1) != 0;
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    if (looks_early) {
        REQUIRE(kin_process_is_alive(kin_process_parent()));
    }
    pid_t parent = getppid();
    CHECK_EQUAL(write(fd, "a", 1), 1);
    while (!looks_early && getppid() == parent) {
        usleep(200);
    }
    CHECK_EQUAL(kin_process_join(kin_process_parent(),
                                 kin_by(INT64_MAX, kin_call_int(call, 2) != 0 ? cancel : NULL)),
                0);
    CHECK(!kin_process_is_alive(kin_process_parent()));
    CHECK_STRING(kin_process_name(kin_process_parent()), "Process-1");
    int exit_code = 0;
    CHECK_EQUAL(kin_process_exit_code(kin_process_parent(), &exit_code), -ECHILD);
    CHECK_EQUAL(kin_process_join(kin_process_parent(), KIN_NOW), 0);
    CHECK_EQUAL(write(fd, "b", 1), 1);
    kin_cancel_free(cancel);
    return 0;
}
KIN_FUNCTION(outlive_parent)

static int be_killed(kin_call *call)
{
    start_given(outlive_parent, kin_object_ref(kin_call_object(call)), (kin_process_options){0});
    while (pause() < 0) {
    }
    return 0;
}
KIN_FUNCTION(be_killed)

static void check_outlives(bool looks_early, bool has_token)
{
    int ends[2];
    char bytes[2] = "";
    kin_object *fd = NULL;
    REQUIRE(pipe(ends) == 0);
    REQUIRE(kin_object_from_fd(ends[1], &fd) == 0);
    kin_process *process = start_given(
        be_killed, KIN_TUPLE(fd, kin_object_from_int(looks_early), kin_object_from_int(has_token)),
        (kin_process_options){0});
    close(ends[1]);
    CHECK_EQUAL(read(ends[0], bytes, 1), 1);
    CHECK_EQUAL(kin_process_kill(process), 0);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
    CHECK_EQUAL(read(ends[0], bytes + 1, 1), 1);
    CHECK_BYTES(bytes, "ab", 2);
    CHECK_EQUAL(read(ends[0], bytes, 1), 0); /* it has ended */
    close(ends[0]);
}

TEST_OF_METHODS(a_child_can_wait_for_the_end_of_its_parent)
{
    check_outlives(true, false);
}

TEST_OF_METHODS(a_child_can_wait_for_its_parent_with_a_token)
{
    check_outlives(true, true);
}

TEST_OF_METHODS(a_child_that_looks_late_finds_its_parent_dead)
{
    check_outlives(false, false);
}

static int join_parent(kin_call *call)
{
    say_so(call);
    return kin_process_join(kin_process_parent(), KIN_FOREVER) == -EDEADLK ? 7 : 1;
}
KIN_FUNCTION(join_parent)

TEST_OF_METHODS(parent_and_child_that_wait_for_each_other_are_told)
{
    kin_process *process = start_and_await_word(join_parent, (kin_process_options){0});
    int r = kin_process_join(process, KIN_FOREVER);
    CHECK(r == 0 || r == -EDEADLK);
    kin_process_kill(process);
    while (kin_process_is_alive(process)) { /* until then it waits for this process */
        usleep(100);
    }
    int code = exit_code_of(process);
    CHECK(code == (r == 0 ? 7 : -SIGKILL));
}

/* --- children --- */

TEST_OF_METHODS(the_children_that_run_are_known)
{
    kin_process *children[3] = {0};
    CHECK_EQUAL(kin_process_children(children, 3), 0);
    kin_process *first = start_and_await_word(wait_for_ever, (kin_process_options){0});
    kin_process *second = start_and_await_word(wait_for_ever, (kin_process_options){.name = "b"});
    kin_process *ended = start(return_seven);
    CHECK_EQUAL(exit_code_of(ended), 7);
    CHECK_EQUAL(kin_process_children(NULL, 0), 2);
    CHECK_EQUAL(kin_process_children(children, 1), 2);
    CHECK(children[0] == first && children[1] == NULL);
    kin_process_free(children[0]);
    kin_process_free(second); /* it runs on, and can be had again */
    CHECK_EQUAL(kin_process_children(children, 3), 2);
    CHECK(children[0] == first && children[1] == second);
    CHECK_STRING(kin_process_name(second), "b");
    kin_process_kill(first);
    kin_process_kill(second);
    CHECK_EQUAL(exit_code_of(second), -SIGKILL);
    kin_process_free(children[0]);
    CHECK_EQUAL(exit_code_of(first), -SIGKILL);
    CHECK_EQUAL(kin_process_children(NULL, 0), 0);
}

static int count_children(kin_call *call)
{
    (void)call;
    return kin_process_children(NULL, 0);
}
KIN_FUNCTION(count_children)

TEST_OF_METHODS(the_children_of_the_parent_are_not_the_childs)
{
    kin_process *process = start_and_await_word(wait_for_ever, (kin_process_options){0});
    CHECK_EQUAL(exit_code_of(start(count_children)), 0);
    kin_process_kill(process);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
}

/* --- objects that can be run --- */

static int count_up(kin_object *counter, kin_call *call)
{
    int64_t value = 0;
    CHECK_EQUAL(kin_object_to_int(kin_instance_state(counter), &value), 0);
    kin_instance_set_state(counter, kin_object_from_int(value + 1));
    return kin_call_object(call) == counter ? (int)value + 1 : -EINVAL;
}

static kin_class counter = {.module = "test", .name = "Counter", .run = count_up};
KIN_CLASS(counter)

static kin_object *make_counter(int64_t value)
{
    kin_object *instance = NULL;
    REQUIRE(kin_instance_create(&counter, kin_tuple_from(NULL, 0), &instance) == 0);
    kin_instance_set_state(instance, kin_object_from_int(value));
    return instance;
}

TEST_OF_METHODS(an_object_that_can_be_run_is_started_with_its_state)
{
    kin_process *process = NULL;
    kin_object *instance = make_counter(6);
    int64_t value = 0;
    REQUIRE(kin_process_start_object(instance, KIN_OPTIONS(kin_process_options, .context = method),
                                     &process) == 0);
    CHECK_EQUAL(exit_code_of(process), 7);
    CHECK_EQUAL(kin_object_to_int(kin_instance_state(instance), &value), 0);
    CHECK_EQUAL(value, 6); /* the child has run its copy */
    CHECK_EQUAL(kin_object_run(instance, NULL), 7);
    CHECK_EQUAL(kin_object_to_int(kin_instance_state(instance), &value), 0);
    CHECK_EQUAL(value, 7);
    kin_object *number = kin_object_from_int(1);
    CHECK_EQUAL(kin_object_run(number, NULL), -EINVAL);
    CHECK_EQUAL(kin_object_run(NULL, NULL), -EINVAL);
    kin_object_free(number);
    kin_object_free(instance);
}
