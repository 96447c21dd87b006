/* What is told of a child that crashes. */
#define _GNU_SOURCE
#include "processes.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* A sanitizer has handlers of its own. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

static char *volatile nowhere;

__attribute__((noinline)) static void write_to_nowhere(void)
{
    *(volatile char *)(nowhere + 0x40) = 1;
}

static int crash(kin_call *call)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    write_to_nowhere();
    return (int)kin_call_argument_count(call);
}
KIN_FUNCTION(crash)

static int kill_itself_now(kin_call *call)
{
    (void)call;
    kill(getpid(), SIGKILL);
    return 0;
}
KIN_FUNCTION(kill_itself_now)

/* What this process writes to stderr while `run` runs. */
static void read_own_stderr(void (*run)(void), char *text, size_t size)
{
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    int before = dup(STDERR_FILENO);
    REQUIRE(dup2(ends[1], STDERR_FILENO) >= 0);
    close(ends[1]);
    run();
    kin_forkserver_stop(); /* it has the same stderr */
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    ssize_t got = read(ends[0], text, size - 1);
    text[got > 0 ? got : 0] = '\0';
    close(ends[0]);
}

TEST_OF_METHODS(a_crash_can_be_read_by_the_parent)
{
    kin_crash found;
    char text[4096];
    kin_process *process = start_given(crash, kin_tuple_from(NULL, 0),
                                       (kin_process_options){.crash_is_quiet = true});
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    REQUIRE(kin_process_crash(process, &found) == 0);
    CHECK_EQUAL(found.signal, SIGSEGV);
    CHECK_EQUAL(found.address, 0x40);
    CHECK_EQUAL(found.thread, kin_process_pid(process));
    REQUIRE(found.frame_count >= 2);
    uintptr_t first = (uintptr_t)write_to_nowhere;
    CHECK(found.frames[0] >= first && found.frames[0] < first + 200);
    int length = kin_process_crash_format(process, text, sizeof text);
    CHECK_EQUAL(length, (int)strlen(text));
    CHECK_EQUAL(kin_process_crash_format(process, NULL, 0), length);
    CHECK_EQUAL(kin_process_crash_format(process, text, 10), length);
    CHECK(strcmp(text, "Process-1") == 0);
    CHECK_EQUAL(exit_code_of(process), -SIGSEGV);
}

static void start_and_join_a_crash(void)
{
    kin_process *process = start(crash);
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(exit_code_of(process), -SIGSEGV); /* and says nothing more */
}

TEST_OF_METHODS(a_crash_is_printed_once)
{
    char text[8192];
    read_own_stderr(start_and_join_a_crash, text, sizeof text);
    CHECK(strncmp(text, "Process-1: SIGSEGV at address 0x40, thread ", 43) == 0);
    CHECK(strstr(text + 1, "Process-1") == NULL);
#ifdef KIN_BACKTRACE
    CHECK(strstr(text, "\n    write_to_nowhere (crash_test.c:") != NULL);
    CHECK(strstr(text, "\n    crash (crash_test.c:") != NULL);
#endif
}

static void leave_a_crash_to_fini(void)
{
    kin_process_free(start(crash));
    kin_fini();
}

TEST_OF_METHODS(fini_prints_crashes_too)
{
    char text[8192];
    read_own_stderr(leave_a_crash_to_fini, text, sizeof text);
    CHECK(strncmp(text, "Process-1: SIGSEGV at address 0x40, thread ", 43) == 0);
    REQUIRE(kin_init(NULL, NULL) == 0);
}

static void start_and_join_a_quiet_crash(void)
{
    kin_process *process = start_given(crash, kin_tuple_from(NULL, 0),
                                       (kin_process_options){.crash_is_quiet = true});
    CHECK_EQUAL(exit_code_of(process), -SIGSEGV);
}

TEST_OF_METHODS(a_quiet_crash_is_not_printed)
{
    char text[8192];
    read_own_stderr(start_and_join_a_quiet_crash, text, sizeof text);
    CHECK(strcmp(text, "") == 0);
}

/* --- another program --- */

/* Writes a copy of this program; one that the linker has made of something else, if `is_other`. */
static void copy_program(const char *path, bool is_other)
{
    static const char note[] = "\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU"; /* a build id of 20 bytes */
    FILE *from = fopen("/proc/self/exe", "re");
    FILE *to = fopen(path, "we");
    REQUIRE(from != NULL && to != NULL && fseek(from, 0, SEEK_END) == 0);
    size_t size = (size_t)ftell(from);
    char *bytes = malloc(size);
    rewind(from);
    REQUIRE(bytes != NULL && fread(bytes, 1, size, from) == size);
    char *build = memmem(bytes, size, note, sizeof note);
    REQUIRE(build != NULL);
    build[sizeof note] ^= (char)is_other;
    REQUIRE(fwrite(bytes, 1, size, to) == size);
    REQUIRE(fchmod(fileno(to), 0700) == 0);
    free(bytes);
    fclose(from);
    REQUIRE(fclose(to) == 0);
}

static void crash_in_copy(bool is_other, kin_crash *ret_crash, char *text, size_t size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/copy", test_folder());
    copy_program(path, is_other);
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(kin_context_set_executable(path) == 0);
    method = kin_context_get(KIN_SPAWN);
    kin_process *process = start_given(crash, kin_tuple_from(NULL, 0),
                                       (kin_process_options){.crash_is_quiet = true});
    REQUIRE(kin_process_join(process, KIN_FOREVER) == 0);
    REQUIRE(kin_process_crash(process, ret_crash) == 0);
    kin_process_crash_format(process, text, size);
    CHECK_EQUAL(exit_code_of(process), -SIGSEGV);
    kin_context_set_executable(NULL);
    unlink(path);
}

TEST(the_frames_of_another_program_are_not_taken_for_this_ones)
{
    kin_crash found;
    char text[8192];
    crash_in_copy(true, &found, text, sizeof text);
    CHECK(found.frame_count > 0 && found.frames[0] == 0);
    CHECK(strstr(text, "\n    copy+0x") != NULL);
    CHECK(strstr(text, "write_to_nowhere") == NULL);
}

TEST(the_frames_of_the_same_program_from_another_file_are_found)
{
    kin_crash found;
    char text[8192];
    crash_in_copy(false, &found, text, sizeof text);
    uintptr_t first = (uintptr_t)write_to_nowhere;
    CHECK(found.frames[0] >= first && found.frames[0] < first + 200);
}

TEST_OF_METHODS(who_did_not_crash_has_no_crash)
{
    kin_crash found;
    kin_process *process = start(return_seven);
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_crash(process, &found), -ENODATA);
    CHECK_EQUAL(kin_process_crash_format(process, NULL, 0), -ENODATA);
    kin_process_free(process);
    process = start(kill_itself_now);
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_crash(process, &found), -ENODATA);
    CHECK_EQUAL(kin_process_crash(process, NULL), -EINVAL);
    CHECK_EQUAL(kin_process_crash(NULL, &found), -EINVAL);
    CHECK_EQUAL(kin_process_crash_format(process, NULL, 1), -EINVAL);
    kin_process_free(process);
    process = start_and_await_word(wait_for_ever, (kin_process_options){0});
    CHECK_EQUAL(kin_process_crash(process, &found), -EAGAIN);
    kin_process_kill(process);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
}

#endif
