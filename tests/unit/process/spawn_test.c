/* What holds for children that are a program of their own. */
#define _GNU_SOURCE
#include "family/family.h"
#include "processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

static int global = 1;

void test_teardown(void)
{
    kin_context_set_executable(NULL);
    kin_fini();
}

static void begin(void)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    method = kin_context_get(KIN_SPAWN);
}

/* --- what a child has --- */

static int change_global(kin_call *call)
{
    (void)call;
    return global++;
}
KIN_FUNCTION(change_global)

TEST_OF_METHODS(what_a_child_changes_is_its_own)
{
    global = 5;
    CHECK_EQUAL(exit_code_of(start(change_global)), kin_context_method(method) == KIN_FORK ? 5 : 1);
    CHECK_EQUAL(global, 5);
}

/* The highest fd that is open and none of the `known` lowest; -1: none. All are close-on-exec. */
static int find_fd_above(int known)
{
    int found = -1;
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry = NULL;
    while ((entry = readdir(folder)) != NULL) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd > known && fd != dirfd(folder)) {
            found = fd > found ? fd : found;
        }
        if (entry->d_name[0] != '.' && fd > STDERR_FILENO && fcntl(fd, F_GETFD) >= 0) {
            CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        }
    }
    closedir(folder);
    return found;
}

/* Open are the streams, the family's memory, two that were given, and a duplicate of that in the
 * arguments. kin may have another one for a moment. */
static int list_fds(kin_call *call)
{
    enum { MEMORY = 3, GIVEN = 2, DUPLICATE = 1, KNOWN = MEMORY + GIVEN + DUPLICATE };
    bool is_clean = false;
    for (int i = 0; i < 1000 && !is_clean; i++) {
        is_clean = find_fd_above(KNOWN) < 0;
        usleep(1000);
    }
    bool is_given = kin__family.fd == MEMORY && kin_call_fd_count(call) == 1 &&
                    kin_call_fd(call, 0) == MEMORY + GIVEN &&
                    kin_object_fd(kin_call_argument(call, 0)) == KNOWN;
    return is_clean && is_given ? 0 : 1;
}
KIN_FUNCTION(list_fds)

TEST(no_fd_is_open_in_a_child_that_it_was_not_given)
{
    int ends[2];
    kin_object *fd = NULL;
    begin();
    REQUIRE(pipe(ends) == 0); /* not close-on-exec */
    REQUIRE(kin_object_from_fd(ends[1], &fd) == 0);
    kin_process_options options = {.fds = &ends[0], .fd_count = 1};
    CHECK_EQUAL(exit_code_of(start_given(list_fds, KIN_TUPLE(fd), options)), 0);
    close(ends[0]);
    close(ends[1]);
}

static int check_signals(kin_call *call)
{
    sigset_t blocked;
    struct sigaction action;
    (void)call;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    sigaction(SIGUSR1, NULL, &action);
    return sigismember(&blocked, SIGUSR2) || action.sa_handler != SIG_DFL;
}
KIN_FUNCTION(check_signals)

static void ignore_signal(int number)
{
    (void)number;
}

TEST(signals_are_neither_caught_nor_blocked_in_a_child)
{
    sigset_t one;
    begin();
    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    sigprocmask(SIG_BLOCK, &one, NULL);
    signal(SIGUSR1, ignore_signal);
    CHECK_EQUAL(exit_code_of(start(check_signals)), 0);
    signal(SIGUSR1, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
}

/* Neither side waits for the other, whatever the size. */
static int sum_up(kin_call *call)
{
    kin_bytes input = kin_call_bytes(call);
    uint32_t sum = 0;
    for (size_t i = 0; i < input.size; i++) {
        sum += ((const unsigned char *)input.data)[i];
    }
    return (int)(sum % 251);
}
KIN_FUNCTION(sum_up)

TEST(input_can_be_of_any_size)
{
    size_t size = (size_t)48 << 20;
    unsigned char *data = malloc(size);
    uint32_t sum = 0;
    kin_process *process = NULL;
    begin();
    for (size_t i = 0; i < size; i++) {
        data[i] = (unsigned char)(i * 2654435761u >> 24);
        sum += data[i];
    }
    kin_process_options options = {.size = sizeof options, .context = method};
    REQUIRE(kin_process_start_bytes(sum_up, data, size, &options, &process) == 0);
    free(data);
    CHECK_EQUAL(exit_code_of(process), sum % 251);
    CHECK_MEMORY();
}

static int put_word(kin_call *call)
{
    kin_handle handle = {0};
    kin_queue *queue = NULL;
    int r = kin_object_to_handle(kin_call_argument(call, 0), &handle);
    if (r == 0) {
        r = kin_queue_attach(handle, &queue);
    }
    if (r == 0) {
        r = kin_queue_put_bytes(queue, "word", 4, KIN_NOW);
    }
    kin_queue_free(queue);
    return r;
}
KIN_FUNCTION(put_word)

TEST_OF_METHODS(a_queue_can_be_given)
{
    kin_queue *queue = NULL;
    kin_object *given = NULL;
    kin_message message;
    REQUIRE(kin_queue_create(NULL, &queue) == 0);
    REQUIRE(kin_object_from_handle(kin_queue_handle(queue), &given) == 0);
    CHECK_EQUAL(exit_code_of(start_given(put_word, KIN_TUPLE(given), (kin_process_options){0})), 0);
    REQUIRE(kin_queue_get_bytes(queue, KIN_NOW, &message) == 0);
    CHECK_EQUAL(kin_message_bytes(&message).size, 4);
    kin_message_free(&message);
    kin_queue_free(queue);
    CHECK_MEMORY();
}

static int start_another(kin_call *call)
{
    (void)call;
    CHECK_STRING(kin_context_name(NULL), "spawn");
    kin_process *process = NULL;
    REQUIRE(kin_process_start_bytes(return_seven, NULL, 0, NULL, &process) == 0);
    CHECK_STRING(kin_process_name(process), "Process-1:1");
    return exit_code_of(process);
}
KIN_FUNCTION(start_another)

TEST(a_child_has_the_default_of_its_parent_and_may_start_others)
{
    begin();
    REQUIRE(kin_context_set_default(KIN_SPAWN, true) == 0);
    CHECK_EQUAL(exit_code_of(start(start_another)), 7);
}

static int exit_with_nine(kin_call *call)
{
    (void)call;
    exit(9);
}
KIN_FUNCTION(exit_with_nine)

TEST(where_sigchld_is_ignored_a_childs_code_is_known_if_it_ends_by_itself)
{
    begin();
    signal(SIGCHLD, SIG_IGN);
    CHECK_EQUAL(exit_code_of(start(return_seven)), 7);
    CHECK_EQUAL(exit_code_of(start(exit_with_nine)), 9);
    kin_process *process = start_and_await_word(wait_for_ever, (kin_process_options){0});
    int code = 0;
    CHECK_EQUAL(kin_process_kill(process), 0);
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_exit_code(process, &code), -ECHILD);
    kin_process_free(process);
    signal(SIGCHLD, SIG_DFL);
}

/* --- contexts --- */

TEST(a_context_has_a_method_and_a_name)
{
    CHECK_EQUAL(kin_context_method(kin_context_get(KIN_FORK)), KIN_FORK);
    CHECK_STRING(kin_context_name(kin_context_get(KIN_FORK)), "fork");
    CHECK_EQUAL(kin_context_method(kin_context_get(KIN_SPAWN)), KIN_SPAWN);
    CHECK_STRING(kin_context_name(kin_context_get(KIN_SPAWN)), "spawn");
    CHECK(kin_context_get((kin_start_method)17) == NULL);
}

TEST(the_default_is_set_once)
{
    CHECK_EQUAL(kin_context_method(NULL), KIN_FORK);
    CHECK_EQUAL(kin_context_set_default((kin_start_method)17, false), -EINVAL);
    CHECK_EQUAL(kin_context_set_default((kin_start_method)0, false), -EINVAL);
    CHECK_EQUAL(kin_context_set_default(KIN_SPAWN, false), 0);
    CHECK_EQUAL(kin_context_set_default(KIN_FORK, false), -EALREADY);
    CHECK(kin_context_get((kin_start_method)0) == kin_context_get(KIN_SPAWN));
    CHECK_EQUAL(kin_context_set_default(KIN_FORK, true), 0);
    CHECK_EQUAL(kin_context_method(NULL), KIN_FORK);
}

/* --- what can go wrong --- */

static int unregistered(kin_call *call)
{
    (void)call;
    return 0;
}

static int start_code(kin_function *function, kin_process **ret_process)
{
    kin_process_options options = {.size = sizeof options, .context = method};
    return kin_process_start_bytes(function, NULL, 0, &options, ret_process);
}

TEST(a_function_that_is_not_registered_cannot_be_spawned)
{
    kin_process *process = NULL;
    begin();
    CHECK_EQUAL(start_code(unregistered, &process), KIN_EFUNCTION);
    CHECK_MEMORY();
}

TEST(a_program_that_is_not_there_or_no_program_is_an_error_of_the_start)
{
    kin_process *process = NULL;
    begin();
    REQUIRE(kin_context_set_executable("/nowhere/program") == 0);
    CHECK_EQUAL(start_code(return_seven, &process), -ENOENT);
    REQUIRE(kin_context_set_executable("/etc/passwd") == 0);
    CHECK_EQUAL(start_code(return_seven, &process), -EACCES);
    REQUIRE(kin_context_set_executable(NULL) == 0);
    CHECK_EQUAL(exit_code_of(start(return_seven)), 7);
    CHECK_MEMORY();
}

TEST(a_program_that_does_not_use_kin_ends_as_it_likes)
{
    begin();
    REQUIRE(kin_context_set_executable("/bin/true") == 0);
    CHECK_EQUAL(exit_code_of(start(return_seven)), 0);
    REQUIRE(kin_context_set_executable("/bin/false") == 0);
    CHECK_EQUAL(exit_code_of(start(return_seven)), 1);
    CHECK_MEMORY();
}

TEST_OF_METHODS(an_fd_that_is_not_open_cannot_be_given)
{
    kin_process *process = NULL;
    int fd = 900;
    kin_process_options options = {
        .size = sizeof options, .context = method, .fds = &fd, .fd_count = 1};
    CHECK_EQUAL(kin_process_start_bytes(return_seven, NULL, 0, &options, &process), -EBADF);
    CHECK_MEMORY();
}

TEST(with_few_fds_a_start_fails_clearly_and_leaves_nothing)
{
    struct rlimit before, limit;
    begin();
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    int failed_count = 0;
    for (rlim_t most = 3; most <= 12; most++) {
        kin_process *process = NULL;
        limit = (struct rlimit){.rlim_cur = most, .rlim_max = before.rlim_max};
        REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        int r = start_code(return_seven, &process);
        REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
        CHECK(r == 0 || r == -EMFILE || r == -EBADF);
        failed_count += r < 0;
        if (r == 0) { /* what the child cannot do with so few, it says */
            CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
            kin_process_free(process);
        }
    }
    CHECK(failed_count > 0);
    CHECK_EQUAL(exit_code_of(start(return_seven)), 7);
    CHECK_MEMORY();
}

/* --- marks that nobody but kin should write --- */

/* Runs this program with a mark, and the fd as its 3. Its exit status; what it says goes to
 * `said`. */
static int run_marked(const char *mark, int fd, char *said, size_t bytes)
{
    int ends[2];
    int status = 0;
    pid_t pid = 0;
    ssize_t size = 0;
    posix_spawn_file_actions_t actions;
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    if (fd >= 0) {
        int high = fcntl(fd, F_DUPFD_CLOEXEC, 100); /* else dup2 would leave it close-on-exec */
        posix_spawn_file_actions_adddup2(&actions, high, 3);
        posix_spawn_file_actions_addclose(&actions, high);
        fd = high;
    }
    char *const argv[] = {"child", (char *)mark, NULL};
    REQUIRE(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    memset(said, 0, bytes);
    for (ssize_t got = 1; got > 0; size += got) {
        got = read(ends[0], said + size, bytes - 1 - (size_t)size);
    }
    close(ends[0]);
    if (fd >= 0) {
        close(fd);
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void check_refused(const char *mark, int fd)
{
    char said[512];
    CHECK_EQUAL(run_marked(mark, fd, said, sizeof said), 1);
    CHECK(strstr(said, "started as a child, which this process cannot be") != NULL);
    CHECK_MEMORY();
}

TEST(a_mark_without_sense_is_refused)
{
    begin();
    check_refused("--kin-child=", -1);
    check_refused("--kin-child=3", -1);
    check_refused("--kin-child=3:", -1);
    check_refused("--kin-child=3:g", -1);
    check_refused("--kin-child=-3:1", -1);
    check_refused("--kin-child=3:99999999999999999999", -1);
    check_refused("--kin-child=3:10001 ", -1);
}

TEST(a_mark_without_the_familys_memory_is_refused)
{
    begin();
    check_refused("--kin-child=77:10002", -1);
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    check_refused("--kin-child=3:10002", fds[0]);
    close(fds[0]);
    close(fds[1]);
    int file = open("/etc/passwd", O_RDONLY);
    check_refused("--kin-child=3:10002", file);
    close(file);
    int memory = memfd_create("forged", MFD_ALLOW_SEALING);
    REQUIRE(ftruncate(memory, (off_t)64 << 20) == 0);
    check_refused("--kin-child=3:10002", memory); /* it could be cut off under the child */
    REQUIRE(fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0);
    check_refused("--kin-child=3:10002", memory);
    struct kin__family_shared forged;
    memcpy(&forged, kin__shared(), sizeof forged);
    forged.bytes = (uint64_t)64 << 20;
    REQUIRE(pwrite(memory, &forged, sizeof forged, 0) == sizeof forged);
    check_refused("--kin-child=3:10002", memory);
    close(memory);
}

TEST(a_mark_of_another_build_is_refused)
{
    begin();
    uint64_t build = kin__shared()->build;
    uint32_t owner = 0;
    char mark[KIN__MARK_BYTES];
    REQUIRE(kin__child_prepare("child", 0, &owner) == 0);
    kin__mark_write(3, owner, mark, sizeof mark);
    kin__shared()->build = build + 1;
    check_refused(mark, kin__family.fd);
    kin__shared()->build = build;
    CHECK(kin__child_abandon(owner));
}

TEST(a_mark_with_a_member_that_nobody_has_prepared_is_refused)
{
    char mark[KIN__MARK_BYTES];
    begin();
    kin__mark_write(3, kin__family.owner, mark, sizeof mark);
    check_refused(mark, kin__family.fd);
    kin__mark_write(3, kin__thread_current.owner, mark, sizeof mark);
    check_refused(mark, kin__family.fd);
    kin__mark_write(3, 0, mark, sizeof mark);
    check_refused(mark, kin__family.fd);
    kin__mark_write(3, 0x3fffffff, mark, sizeof mark);
    check_refused(mark, kin__family.fd);
}

TEST(a_member_that_was_prepared_without_a_package_says_so)
{
    char mark[KIN__MARK_BYTES], said[512];
    uint32_t owner = 0;
    begin();
    REQUIRE(kin__child_prepare("child", 0, &owner) == 0);
    kin__mark_write(3, owner, mark, sizeof mark);
    CHECK_EQUAL(run_marked(mark, kin__family.fd, said, sizeof said), 1);
    CHECK(strstr(said, "what a child was started with cannot be read") != NULL);
    CHECK_MEMORY();
}
