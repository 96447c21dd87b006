/* What processes say of their life, beside what those of CPython say in the same scenario. */
#include "unit/process/processes.h"
#include "unit/stderr.h"

#include <kin/finalizer.h>
#include <kin/log.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static char *log_path(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    return path;
}

/* The text of a file; to be freed. */
static char *read_file(const char *path)
{
    char *text = calloc(1, CAUGHT_BYTES);
    FILE *file = fopen(path, "re");
    REQUIRE(text != NULL && file != NULL);
    CHECK(fread(text, 1, CAUGHT_BYTES - 1, file) > 0 || feof(file));
    fclose(file);
    return text;
}

static void await_line(const char *path, const char *line)
{
    bool is_there = false;
    while (!is_there) {
        char *text = read_file(path);
        is_there = strstr(text, line) != NULL;
        free(text);
        usleep(200);
    }
}

/* --- the scenario --- */

static const char python_scenario[] =
    "import multiprocessing as mp, sys, time\n"
    "def work():\n"
    "    mp.get_logger().info('at %s', 'work')\n"
    "    mp.get_logger().log(25, 'odd')\n"
    "    mp.get_logger().log(5, 'too low')\n"
    "def end():\n"
    "    sys.exit(3)\n"
    "def wait_for(path, line):\n"
    "    while line not in open(path).read():\n"
    "        time.sleep(0.001)\n"
    "def stay():\n"
    "    time.sleep(1000)\n"
    "if __name__ == '__main__':\n"
    "    method, path = sys.argv[1:]\n"
    "    mp.set_start_method(method)\n"
    "    mp.log_to_stderr(10)\n"
    "    first = mp.Process(target=work)\n"
    "    first.start(); first.join()\n"
    "    second = mp.Process(target=end, name='the second')\n"
    "    second.start(); second.join()\n"
    "    mp.Process(target=wait_for, args=(path, 'calling join() for process Process-3')).start()\n"
    "    wait_for(path, '/Process-3] child process calling self.run()')\n"
    "    mp.Process(target=stay, daemon=True).start()\n"
    "    wait_for(path, '/Process-4] child process calling self.run()')\n"
    "    mp.get_logger().warning('the end')\n";

static int work(kin_call *call)
{
    (void)call;
    kin_log(KIN_LOG_INFO, "at %s", "work");
    kin_log(KIN_LOG_SUBWARNING, "odd");
    kin_log(KIN_LOG_SUBDEBUG, "too low");
    return 0;
}
KIN_FUNCTION(work)

static int end(kin_call *call)
{
    (void)call;
    return 3;
}
KIN_FUNCTION(end)

static int wait_for(kin_call *call)
{
    await_line(kin_call_text(call, 0), kin_call_text(call, 1));
    return 0;
}
KIN_FUNCTION(wait_for)

static int stay(kin_call *call)
{
    (void)call;
    while (pause() < 0) {
    }
    return 0;
}
KIN_FUNCTION(stay)

static kin_object *nothing(void)
{
    return kin_tuple_from(NULL, 0);
}

static void play(const char *path)
{
    kin_log_to_stderr(KIN_LOG_DEBUG);
    CHECK_EQUAL(exit_code_of(start(work)), 0);
    CHECK_EQUAL(
        exit_code_of(start_given(end, nothing(), (kin_process_options){.name = "the second"})), 3);
    kin_object *arguments = KIN_TUPLE(kin_object_from_text(path),
                                      kin_object_from_text("calling join() for process Process-3"));
    kin_process_free(start_given(wait_for, arguments, (kin_process_options){0}));
    await_line(path, "/Process-3] child process calling self.run()");
    kin_process_free(start_given(stay, nothing(), (kin_process_options){.is_daemon = true}));
    await_line(path, "/Process-4] child process calling self.run()");
    kin_log(KIN_LOG_WARNING, "the end");
    kin_fini();
}

static char *play_in_python(const char *start_method)
{
    char script[4096];
    char path[4096];
    snprintf(script, sizeof script, "%s", log_path("scenario.py"));
    snprintf(path, sizeof path, "%s", log_path("python"));
    FILE *file = fopen(script, "we");
    REQUIRE(file != NULL && fputs(python_scenario, file) >= 0 && fclose(file) == 0);
    const char *python = getenv("KIN_PYTHON");
    python = python != NULL ? python : "/usr/bin/python3";
    const char *words[] = {"python3", "-E", "-s", "-B", script, start_method, path, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    int status = 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, path, O_WRONLY | O_CREAT | O_APPEND,
                                     0600);
    REQUIRE(posix_spawn(&pid, python, &actions, NULL, (char *const *)words, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK_EQUAL(status, 0);
    return read_file(path);
}

/* Cuts out the first line in which this stands, if there is one. */
static void cut_line(char *text, const char *part)
{
    char *begin = strstr(text, part);
    if (begin != NULL) {
        char *behind = strchr(begin, '\n') + 1;
        while (begin > text && begin[-1] != '\n') {
            begin--;
        }
        memmove(begin, behind, strlen(behind) + 1);
    }
}

/* CPython asks which children run once more before it joins them: by then the daemon, which it
 * has terminated, may have ended or not. And its forkserver needs a folder. */
static void cut_what_may_differ(char *text)
{
    cut_line(text, "calling join() for process Process-4");
    cut_line(text, "created temp directory");
}

TEST_OF_METHODS(the_life_of_processes_is_told_as_by_cpython)
{
    struct caught *caught = catch_stderr();
    play(log_path("stderr"));
    give_stderr_back(caught);
    char *python = play_in_python(kin_context_name(method));
    cut_what_may_differ(python);
    cut_what_may_differ(caught->text);
    CHECK(strstr(python, "[INFO/MainProcess] process shutting down\n") != NULL);
    CHECK_STRING(caught->text, python);
    free(python);
    free(caught);
}

TEST(the_server_that_forks_children_is_silent)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    method = kin_context_get(KIN_FORKSERVER);
    the_life_of_processes_is_told_as_by_cpython();
}

/* --- what is not lost --- */

/* Writes what a finalizer prints: to a stream that nobody flushes. */
static void print_late(void *user)
{
    fputs("late", user);
}

static int print_at_end(kin_call *call)
{
    FILE *stream = fdopen(dup(kin_object_fd(kin_call_argument(call, 0))), "w");
    REQUIRE(stream != NULL);
    kin_finalizer_options options = {.size = sizeof options, .priority = -1};
    return kin_finalizer_create(print_late, stream, &options, NULL);
}
KIN_FUNCTION(print_at_end)

TEST_OF_METHODS(what_the_finalizers_of_a_child_print_is_written)
{
    int ends[2];
    char text[8] = "";
    kin_object *fd = NULL;
    REQUIRE(pipe(ends) == 0);
    REQUIRE(kin_object_from_fd(ends[1], &fd) == 0);
    CHECK_EQUAL(exit_code_of(start_given(print_at_end, KIN_TUPLE(fd), (kin_process_options){0})),
                0);
    close(ends[1]);
    CHECK_EQUAL(read(ends[0], text, sizeof text - 1), 4);
    CHECK_STRING(text, "late");
    close(ends[0]);
}

static void note_ended(void *user)
{
    kin_process *process = user;
    kin_log(KIN_LOG_WARNING, "%s has ended: %d", kin_process_name(process),
            !kin_process_is_alive(process));
}

TEST_OF_METHODS(finalizers_stand_before_and_behind_the_end_of_children)
{
    struct caught *caught = catch_stderr();
    kin_log_to_stderr(KIN_LOG_WARNING);
    kin_process *process = start_given(stay, nothing(), (kin_process_options){.is_daemon = true});
    kin_finalizer_options options = {.size = sizeof options, .priority = 0};
    REQUIRE(kin_finalizer_create(note_ended, process, &options, NULL) == 0);
    options.priority = -1;
    REQUIRE(kin_finalizer_create(note_ended, process, &options, NULL) == 0);
    kin_fini();
    kin_process_free(process);
    CHECK_STRING(give_stderr_back(caught)->text, "[WARNING/MainProcess] Process-1 has ended: 0\n"
                                                 "[WARNING/MainProcess] Process-1 has ended: 1\n");
    free(caught);
}

static void pass_on(const kin_log_record *record, void *user)
{
    (void)record;
    (void)user;
}

static int tell_level(kin_call *call)
{
    (void)call;
    return kin_log_is_on(KIN_LOG_ERROR) ? kin_log_level_get() : 0;
}
KIN_FUNCTION(tell_level)

TEST_OF_METHODS(a_child_logs_from_the_level_of_its_parent_on)
{
    CHECK_EQUAL(exit_code_of(start(tell_level)), 0);
    kin_log_to_stderr(KIN_LOG_ERROR);
    CHECK_EQUAL(exit_code_of(start(tell_level)), KIN_LOG_ERROR);
    kin_log_set_sink(pass_on, NULL, KIN_LOG_CRITICAL - 1);
    CHECK_EQUAL(exit_code_of(start(tell_level)), 0);
    kin_log_set_sink(pass_on, NULL, KIN_LOG_ERROR); /* what a spawned child knows nothing of */
    CHECK_EQUAL(exit_code_of(start(tell_level)),
                kin_context_method(method) == KIN_FORK ? KIN_LOG_ERROR : 0);
}
