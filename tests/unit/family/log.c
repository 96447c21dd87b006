#define _GNU_SOURCE
#include "unit/children.h"
#include "unit/stderr.h"

#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <kin/log.h>

/* What a sink saw. */
static struct {
    _Atomic int count;
    int level;
    char level_name[32];
    char process_name[32];
    char message[64];
    size_t message_bytes;
} seen;

static void see(const kin_log_record *record, void *user)
{
    atomic_fetch_add(&seen.count, 1);
    seen.level = record->level;
    seen.message_bytes = record->message_bytes;
    snprintf(seen.level_name, sizeof seen.level_name, "%s", record->level_name);
    snprintf(seen.process_name, sizeof seen.process_name, "%s", record->process_name);
    snprintf(seen.message, sizeof seen.message, "%s", record->message);
    CHECK_EQUAL(strlen(record->message), record->message_bytes);
    if (user != NULL) {
        atomic_fetch_add((_Atomic int *)user, 1);
    }
}

static int evaluated(int *count)
{
    return ++*count;
}

TEST(nothing_is_logged_until_asked_for)
{
    int count = 0;
    struct caught *caught = catch_stderr();
    CHECK(!kin_log_is_on(KIN_LOG_CRITICAL));
    CHECK_EQUAL(kin_log_level_get(), KIN_LOG_WARNING);
    kin_log(KIN_LOG_CRITICAL, "%d", evaluated(&count));
    kin_log_write(KIN_LOG_CRITICAL, "not this way either");
    CHECK_STRING(give_stderr_back(caught)->text, "");
    CHECK_EQUAL(count, 0);
    free(caught);
}

TEST(a_line_is_level_process_and_message)
{
    struct caught *caught = catch_stderr();
    CHECK_EQUAL(kin_log_to_stderr(KIN_LOG_SUBDEBUG), 0);
    kin_log(4, "too small");
    kin_log(KIN_LOG_SUBDEBUG, "five");
    kin_log(KIN_LOG_DEBUG, "ten");
    kin_log(KIN_LOG_INFO, "%s-%d", "twenty", 20);
    kin_log(KIN_LOG_SUBWARNING, "twenty-five");
    kin_log(KIN_LOG_WARNING, "thirty");
    kin_log(KIN_LOG_ERROR, "forty");
    kin_log(KIN_LOG_CRITICAL, "%s", "");
    kin_log(51, "two\nlines");
    CHECK_STRING(give_stderr_back(caught)->text, "[Level 5/MainProcess] five\n"
                                                 "[DEBUG/MainProcess] ten\n"
                                                 "[INFO/MainProcess] twenty-20\n"
                                                 "[Level 25/MainProcess] twenty-five\n"
                                                 "[WARNING/MainProcess] thirty\n"
                                                 "[ERROR/MainProcess] forty\n"
                                                 "[CRITICAL/MainProcess] \n"
                                                 "[Level 51/MainProcess] two\nlines\n");
    free(caught);
}

TEST(level_0_keeps_the_level_that_is_set)
{
    CHECK_EQUAL(kin_log_set_sink(see, NULL, 0), 0);
    CHECK(!kin_log_is_on(KIN_LOG_WARNING - 1) && kin_log_is_on(KIN_LOG_WARNING));
    CHECK_EQUAL(kin_log_level_set(KIN_LOG_ERROR), 0);
    CHECK_EQUAL(kin_log_to_stderr(0), 0);
    CHECK(!kin_log_is_on(KIN_LOG_ERROR - 1) && kin_log_is_on(KIN_LOG_ERROR));
    CHECK_EQUAL(kin_log_level_get(), KIN_LOG_ERROR);
}

TEST(a_level_that_is_none_is_refused)
{
    CHECK_EQUAL(kin_log_level_set(0), -EINVAL);
    CHECK_EQUAL(kin_log_level_set(-1), -EINVAL);
    CHECK_EQUAL(kin_log_to_stderr(-1), -EINVAL);
    CHECK_EQUAL(kin_log_set_sink(see, NULL, -1), -EINVAL);
    CHECK(!kin_log_is_on(KIN_LOG_CRITICAL));
}

TEST(a_level_without_a_sink_turns_nothing_on)
{
    CHECK_EQUAL(kin_log_level_set(KIN_LOG_DEBUG), 0);
    CHECK(!kin_log_is_on(KIN_LOG_CRITICAL));
    CHECK_EQUAL(kin_log_level_get(), KIN_LOG_DEBUG);
}

TEST(a_sink_gets_what_a_line_is_made_of)
{
    _Atomic int calls = 0;
    CHECK_EQUAL(kin_log_set_sink(see, &calls, KIN_LOG_INFO), 0);
    kin_log(KIN_LOG_DEBUG, "no");
    kin_log(KIN_LOG_SUBWARNING, "%d files", 3);
    CHECK_EQUAL(calls, 1);
    CHECK_EQUAL(seen.level, KIN_LOG_SUBWARNING);
    CHECK_STRING(seen.level_name, "Level 25");
    CHECK_STRING(seen.process_name, "MainProcess");
    CHECK_STRING(seen.message, "3 files");
    CHECK_EQUAL(kin_log_set_sink(NULL, NULL, 0), 0);
    kin_log(KIN_LOG_CRITICAL, "no");
    CHECK_EQUAL(calls, 1);
}

static void log_again(const kin_log_record *record, void *user)
{
    see(record, user);
    kin_log(KIN_LOG_CRITICAL, "from inside");
}

TEST(what_a_sink_logs_is_dropped)
{
    CHECK_EQUAL(kin_log_set_sink(log_again, NULL, KIN_LOG_DEBUG), 0);
    kin_log(KIN_LOG_INFO, "one");
    kin_log(KIN_LOG_INFO, "two");
    CHECK_EQUAL(seen.count, 2);
    CHECK_STRING(seen.message, "two");
}

static void spoil_errno(const kin_log_record *record, void *user)
{
    see(record, user);
    errno = EBADF;
}

TEST(errno_is_left_alone_and_can_be_written)
{
    CHECK_EQUAL(kin_log_set_sink(spoil_errno, NULL, KIN_LOG_DEBUG), 0);
    errno = EDOM;
    const char *format = "%m%s"; /* not ISO C */
    kin_log_write(KIN_LOG_INFO, format, "");
    CHECK_EQUAL(errno, EDOM);
    CHECK_STRING(seen.message, strerror(EDOM));
}

/* What is read from the pipe; the writers have closed it. */
static size_t read_all(int fd, char *text, size_t bytes)
{
    size_t size = 0;
    ssize_t got = 0;
    while ((got = read(fd, text + size, bytes - size)) > 0) {
        size += (size_t)got;
    }
    CHECK_EQUAL(got, 0);
    return size;
}

TEST(a_message_that_does_not_fit_into_a_pipe_goes_on_in_another_line)
{
    enum { PREFIX = 19, MESSAGE = 10000 }; /* "[INFO/MainProcess] " */
    static char message[MESSAGE + 1];
    int fds[2];
    memset(message, 'x', MESSAGE);
    memcpy(message + 4096 - 1 - PREFIX - 1, "\u20ac", 3); /* would be cut behind its first byte */
    struct caught *caught = catch_stderr();
    REQUIRE(pipe2(fds, O_DIRECT) == 0 && dup2(fds[1], STDERR_FILENO) == STDERR_FILENO);
    kin_log_to_stderr(KIN_LOG_INFO);
    kin_log(KIN_LOG_INFO, "%s", message);
    char line[8192];
    size_t taken = 0;
    for (int i = 0; i < 3; i++) { /* a pipe of packets shows each write */
        ssize_t size = read(fds[0], line, sizeof line);
        REQUIRE(size > PREFIX && size <= 4096);
        CHECK_BYTES(line, "[INFO/MainProcess] ", PREFIX);
        CHECK_BYTES(line + PREFIX, message + taken, (size_t)size - PREFIX - 1);
        CHECK_EQUAL(line[size - 1], '\n');
        CHECK(i != 0 || size == 4095); /* the character is whole, in the next line */
        taken += (size_t)size - PREFIX - 1;
    }
    CHECK_EQUAL(taken, MESSAGE);
    close(fds[0]);
    close(fds[1]);
    dup2(caught->before, STDERR_FILENO);
    close(caught->before);
    free(caught);
}

TEST(a_pipe_that_does_not_wait_and_is_full_is_waited_for)
{
    int fds[2];
    struct caught *caught = catch_stderr();
    REQUIRE(pipe2(fds, O_NONBLOCK) == 0);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) { /* 4 MiB through 64 KiB */
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        kin_log_to_stderr(KIN_LOG_INFO);
        for (int i = 0; i < 40000; i++) {
            kin_log(KIN_LOG_INFO, "%080d", i);
        }
        _exit(0);
    }
    close(fds[1]);
    fcntl(fds[0], F_SETFL, 0);
    static char text[40000 * 100 + 1];
    CHECK_EQUAL(read_all(fds[0], text, sizeof text), 40000 * (19 + 80 + 1));
    close(fds[0]);
    child_join(pid);
    free(give_stderr_back(caught));
}

TEST(a_stderr_that_is_closed_loses_lines_and_nothing_else)
{
    int fds[2];
    struct caught *caught = catch_stderr();
    kin_log_to_stderr(KIN_LOG_INFO);
    REQUIRE(pipe(fds) == 0 && dup2(fds[1], STDERR_FILENO) == STDERR_FILENO);
    close(fds[0]);
    close(fds[1]);
    kin_log(KIN_LOG_INFO, "nobody reads it, and no SIGPIPE comes");
    close(STDERR_FILENO);
    kin_log(KIN_LOG_INFO, "there is none");
    REQUIRE(dup2(caught->before, STDERR_FILENO) == STDERR_FILENO);
    close(caught->before);
    free(caught);
}

static void log_lines(void *user)
{
    const char *name = user;
    for (int i = 0; i < 500; i++) {
        kin_log(KIN_LOG_INFO, "%s %0*d end", name, i % 200, 7);
    }
}

static void *log_lines_in_thread(void *user)
{
    log_lines(user);
    return NULL;
}

TEST(lines_of_processes_and_threads_are_whole)
{
    enum { CHILDREN = 3, LINES = (CHILDREN + 1) * 1000 };
    struct caught *caught = catch_stderr();
    kin_log_to_stderr(KIN_LOG_INFO);
    pid_t pids[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        pids[i] = fork();
        REQUIRE(pids[i] >= 0);
        if (pids[i] == 0) {
            pthread_t thread = thread_start(log_lines_in_thread, "thread");
            log_lines("child");
            thread_join(thread);
            _exit(0);
        }
    }
    pthread_t thread = thread_start(log_lines_in_thread, "thread");
    log_lines("first");
    thread_join(thread);
    for (int i = 0; i < CHILDREN; i++) {
        child_join(pids[i]);
    }
    int count = 0;
    char *rest = NULL;
    for (char *line = strtok_r(give_stderr_back(caught)->text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char name[8] = "";
        char zeros[256] = "";
        count++;
        CHECK(sscanf(line, "[INFO/%*[^]]] %7[a-z] %255[07] end", name, zeros) == 2);
        CHECK(strcmp(line + strlen(line) - 5, "7 end") == 0);
    }
    CHECK_EQUAL(count, LINES);
    free(caught);
}

static void check_first(const kin_log_record *record, void *user)
{
    (void)record;
    CHECK_STRING(user, "first");
}

static void check_second(const kin_log_record *record, void *user)
{
    (void)record;
    CHECK_STRING(user, "second");
}

static void *log_until_told(void *user)
{
    _Atomic bool *is_over = user;
    while (!atomic_load(is_over)) {
        kin_log(KIN_LOG_INFO, "message");
    }
    return NULL;
}

TEST(a_sink_never_gets_the_user_of_another)
{
    _Atomic bool is_over = false;
    pthread_t thread = thread_start(log_until_told, &is_over);
    for (int i = 0; i < 20000; i++) {
        kin_log_set_sink(i % 2 ? check_first : check_second, i % 2 ? "first" : "second",
                         KIN_LOG_INFO);
    }
    atomic_store(&is_over, true);
    thread_join(thread);
}

static void log_in_child(void *user)
{
    (void)user;
    kin_log(KIN_LOG_WARNING, "kin's");
}

TEST_OF_PROCESSES(a_child_goes_on_logging_under_its_own_name)
{
    begin();
    struct caught *caught = catch_stderr();
    kin_log_to_stderr(KIN_LOG_WARNING);
    kin_log(KIN_LOG_WARNING, "parent");
    child_join(child_start(log_in_child, NULL));
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        kin_log(KIN_LOG_WARNING, "plain");
        _exit(0);
    }
    child_join(pid);
    CHECK_STRING(give_stderr_back(caught)->text, "[WARNING/MainProcess] parent\n"
                                                 "[WARNING/child] kin's\n"
                                                 "[WARNING/fork] plain\n");
    free(caught);
}

TEST(only_what_goes_to_stderr_is_told_to_a_spawned_child)
{
    CHECK_EQUAL(kin__log_level_to_inherit(), 0);
    kin_log_set_sink(see, NULL, KIN_LOG_INFO);
    CHECK_EQUAL(kin__log_level_to_inherit(), 0);
    kin_log_to_stderr(KIN_LOG_INFO);
    CHECK_EQUAL(kin__log_level_to_inherit(), KIN_LOG_INFO);
    kin_log_set_sink(NULL, NULL, 0);
    kin__log_level_inherit(0);
    CHECK(!kin_log_is_on(KIN_LOG_CRITICAL));
    kin__log_level_inherit(KIN_LOG_ERROR);
    CHECK(kin_log_is_on(KIN_LOG_ERROR) && !kin_log_is_on(KIN_LOG_WARNING));
}

#ifdef KIN_FAULTS

TEST(without_memory_a_long_message_is_cut)
{
    kin_log_set_sink(see, NULL, KIN_LOG_INFO);
    kin__allocation_fail_at(1);
    kin_log(KIN_LOG_INFO, "%01000d", 7);
    kin__allocation_fail_at(0);
    CHECK_EQUAL(seen.count, 1);
    CHECK_EQUAL(seen.message_bytes, 511);
    kin_log(KIN_LOG_INFO, "%01000d", 7);
    CHECK_EQUAL(seen.message_bytes, 1000);
}

#endif
