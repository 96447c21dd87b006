/* What a process that crashes leaves. */
#include "os/crash.h"
#include "harness/test.h"
#include "os/symbol.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A sanitizer has handlers of its own, which are left alone. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

static struct kin__os_crash *place;

typedef void body(void);

/* Runs `run` in a child that is watched; the signal that ended it, 0 if it exited. */
static int crash(body *run)
{
    int status = 0;
    place = mmap(NULL, sizeof *place, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(place != MAP_FAILED);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        kin__os_crash_watch(place);
        run();
        _exit(0);
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    if (place->state == KIN__OS_CRASH_TOLD && place->code > 0) {
        CHECK(place->tid != 0);
    }
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Whether a frame of the record is in a function of this name. */
__attribute__((unused)) static bool has_frame(const char *function)
{
    struct kin__os_crash copy;
    REQUIRE(kin__os_crash_read(place, &copy));
    for (uint32_t i = 0; i < copy.frame_count; i++) {
        char text[256];
        kin__os_symbol_format(kin__os_crash_address(&copy, i), text, sizeof text);
        if (strncmp(text, function, strlen(function)) == 0) {
            return true;
        }
    }
    return false;
}

static void end(void)
{
    munmap(place, sizeof *place);
}

static char *volatile nowhere;

__attribute__((noinline)) static void write_to_nowhere(void)
{
    *(volatile char *)(nowhere + 0x10) = 1;
}

__attribute__((noinline)) static void call_the_writer(void)
{
    write_to_nowhere();
    __asm__ volatile(""); /* no tail call: it is to be found on the stack */
}

TEST(a_crash_leaves_signal_address_and_the_way_there)
{
    CHECK_EQUAL(crash(call_the_writer), SIGSEGV);
    CHECK_EQUAL(place->signal, SIGSEGV);
    CHECK_EQUAL(place->address, 0x10);
    CHECK(place->frame_count >= 3);
#ifdef KIN_BACKTRACE
    CHECK(has_frame("write_to_nowhere (crash.c:"));
    CHECK(has_frame("call_the_writer (crash.c:"));
#endif
    end();
}

#ifdef __x86_64__

static void break_off(void)
{
    __asm__ volatile("int3"); /* the next instruction is where the program would go on */
}

TEST(a_process_does_not_outlive_a_breakpoint)
{
    CHECK_EQUAL(crash(break_off), SIGTRAP);
    CHECK_EQUAL(place->signal, SIGTRAP);
    end();
}

#endif

static void call_what_is_forbidden(void)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof steps / sizeof steps[0], steps};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) {
        getppid();
    } else {
        raise(SIGSYS);
    }
}

TEST(a_process_does_not_outlive_a_system_call_that_is_forbidden)
{
    CHECK_EQUAL(crash(call_what_is_forbidden), SIGSYS);
    CHECK_EQUAL(place->signal, SIGSYS);
    end();
}

TEST(an_abort_is_a_crash)
{
    CHECK_EQUAL(crash(abort), SIGABRT);
    CHECK_EQUAL(place->signal, SIGABRT);
    CHECK(place->frame_count >= 2);
    end();
}

__attribute__((noinline)) static void jump_to_nowhere(void)
{
    ((body *)(uintptr_t)(nowhere + 0x20))();
    __asm__ volatile("");
}

TEST(a_jump_to_nowhere_leaves_where_to_and_from_where)
{
    CHECK_EQUAL(crash(jump_to_nowhere), SIGSEGV);
    CHECK_EQUAL(place->address, 0x20);
    CHECK_EQUAL(place->frames[0].offset, 0x20);
#ifdef KIN_BACKTRACE
    CHECK(has_frame("jump_to_nowhere (crash.c:"));
#endif
    end();
}

__attribute__((noinline)) static int recurse(int depth)
{
    volatile char block[4096];
    block[0] = (char)depth;
    return depth < 0 ? 0 : recurse(depth + 1) + block[0];
}

static void overflow(void)
{
    struct rlimit small = {256 << 10, 256 << 10};
    setrlimit(RLIMIT_STACK, &small);
    recurse(0);
}

TEST(a_stack_that_overflows_is_recorded)
{
    CHECK_EQUAL(crash(overflow), SIGSEGV);
    CHECK_EQUAL(place->signal, SIGSEGV);
    CHECK_EQUAL(place->frame_count, KIN__OS_CRASH_FRAMES);
    end();
}

static void send_to_itself(void)
{
    kill(getpid(), SIGBUS);
    pause();
}

TEST(a_signal_that_is_sent_ends_the_process_too)
{
    CHECK_EQUAL(crash(send_to_itself), SIGBUS);
    CHECK_EQUAL(place->signal, SIGBUS);
    CHECK_EQUAL(place->address, 0);
    end();
}

/* As the kernel tells who wants to know early that memory has gone bad. */
static void hear_of_bad_memory(void)
{
    siginfo_t news = {.si_signo = SIGBUS, .si_code = BUS_MCEERR_AO};
    news.si_addr = place;
    syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGBUS, &news);
    _exit(0); /* as if it could go on */
}

TEST(news_of_bad_memory_end_the_process_as_without_kin)
{
    CHECK_EQUAL(crash(hear_of_bad_memory), SIGBUS);
    CHECK_EQUAL(place->code, BUS_MCEERR_AO);
    CHECK_EQUAL(place->address, (uintptr_t)place);
    end();
}

static void leave_it_to_the_program(int number)
{
    _exit(number == SIGFPE ? 0 : 1);
}

static void handle_it_itself(void)
{
    signal(SIGFPE, leave_it_to_the_program);
    raise(SIGFPE);
}

TEST(what_the_program_handles_itself_is_no_crash)
{
    CHECK_EQUAL(crash(handle_it_itself), 0);
    CHECK_EQUAL(place->state, KIN__OS_CRASH_NONE);
    end();
}

static void handled_before(void)
{
    signal(SIGFPE, leave_it_to_the_program);
    kin__os_crash_watch(place);
    raise(SIGABRT);
}

TEST(the_handler_of_the_program_is_left_alone)
{
    CHECK_EQUAL(crash(handled_before), SIGABRT);
    CHECK_EQUAL(place->signal, SIGABRT);
    end();
}

static void *write_in_a_thread(void *user)
{
    write_to_nowhere();
    return user;
}

static void crash_all_threads(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, write_in_a_thread, NULL);
    }
    pause();
}

TEST(threads_that_crash_at_once_leave_one_record)
{
    CHECK_EQUAL(crash(crash_all_threads), SIGSEGV);
    CHECK_EQUAL(place->signal, SIGSEGV);
    CHECK(place->state == KIN__OS_CRASH_TOLD);
    end();
}

static void crash_in_a_grandchild(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        write_to_nowhere();
    }
    waitpid(pid, NULL, 0);
}

TEST(a_child_that_it_forks_does_not_write_into_its_record)
{
    CHECK_EQUAL(crash(crash_in_a_grandchild), 0);
    CHECK_EQUAL(place->state, KIN__OS_CRASH_NONE);
    end();
}

TEST(a_record_that_is_garbage_is_made_sound)
{
    struct kin__os_crash garbage;
    struct kin__os_crash copy;
    memset(&garbage, 0xff, sizeof garbage);
    CHECK(!kin__os_crash_read(&garbage, &copy));
    garbage.state = KIN__OS_CRASH_TOLD;
    REQUIRE(kin__os_crash_read(&garbage, &copy));
    CHECK_EQUAL(copy.frame_count, KIN__OS_CRASH_FRAMES);
    CHECK_EQUAL(kin__os_crash_address(&copy, 0), 0);
    copy.frames[1].module = 2;
    copy.modules[2][0] = 'x'; /* no such module */
    CHECK_EQUAL(kin__os_crash_address(&copy, 1), 0);
    CHECK_EQUAL(strlen(copy.modules[0]), KIN__OS_CRASH_MODULE_BYTES - 1);
}

#endif
