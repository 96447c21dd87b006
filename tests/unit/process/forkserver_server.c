/* The server alone: the test is who it serves, and says the orders itself. */
#define _GNU_SOURCE
#include "process/forkserver/server.h"

#include "../children.h"
#include "family/family.h"
#include "family/verify.h"
#include "os/fault.h"
#include "os/memory.h"
#include "process/forkserver/wire.h"
#include "process/record.h"

#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { RUNS, MAY_END, PID, SERVER_PID, IS_ANSWERED };

/* What the server's process does before it serves; and what its children do. */
static void (*prepare)(void);
static void (*body)(const struct kin__os_fds *fds);

static int to_server = -1;

static void end_at_once(const struct kin__os_fds *fds)
{
    (void)fds;
    atomic_fetch_add(&numbers[RUNS], 1);
    kin_fini();
    _exit(7);
}

static void end_when_told(const struct kin__os_fds *fds)
{
    atomic_store(&numbers[PID], (uint64_t)getpid());
    await_number(MAY_END, 1);
    end_at_once(fds);
}

static void serve(void *user)
{
    struct kin__server server;
    struct kin__os_fds fds = {0};
    int *ends = user;
    atomic_store(&numbers[SERVER_PID], (uint64_t)getpid());
    kin__os_close(ends[0]);
    int r = kin__server_open(&server, ends[1]);
    if (prepare != NULL) {
        prepare();
    }
    if (r == 0 && kin__server_run(&server, &fds)) {
        body(&fds);
    }
    kin__server_close(&server);
}

static pid_t start_server(void (*of_child)(const struct kin__os_fds *fds))
{
    int ends[2];
    body = of_child;
    REQUIRE(kin__os_message_pair(ends) == 0);
    pid_t pid = child_start(serve, ends);
    kin__os_close(ends[1]);
    to_server = ends[0];
    return pid;
}

/* The server ends at the end of the socket. */
static void stop_server(pid_t pid)
{
    kin__os_close(to_server);
    child_join(pid);
}

struct child {
    struct kin__record *record;
    uint32_t owner;
    int fd;
    int code; /* of the answer */
};

static struct child prepare_child(void)
{
    struct child child = {.fd = -1};
    REQUIRE(kin__record_create(&child.record) == 0);
    REQUIRE(kin__child_prepare("served", 0, &child.owner) == 0);
    kin__record_set_owner(child.record, child.owner);
    return child;
}

/* Sends an order and reads its answer. */
static int ask(uint32_t kind, struct child *child, const struct kin__os_fds *fds)
{
    struct kin__os_fds came;
    struct kin__wire_record record = {
        .kind = kind, .number = 5, .owner = child->owner, .record = child->record->object.handle};
    REQUIRE(kin__wire_send(to_server, &record, fds) == 0);
    int r = kin__wire_receive(to_server, &record, &came);
    if (r < 0) {
        return r;
    }
    CHECK_EQUAL(record.kind, kind + 1);
    CHECK_EQUAL(record.number, 5);
    child->code = record.code;
    CHECK_EQUAL(came.count, kind == KIN__WIRE_START && record.code > 0 ? 1 : 0);
    if (came.count > 0) {
        child->fd = came.fds[0];
    }
    return 0;
}

static struct child start_child(void)
{
    struct child child = prepare_child();
    REQUIRE(ask(KIN__WIRE_START, &child, NULL) == 0);
    return child;
}

/* Waits for the end, and for the server's word about it. */
static int await_end(struct child *child)
{
    int code = 0;
    CHECK_EQUAL(kin__os_process_wait(child->fd, INT64_MAX), 0);
    while (kin__record_end(child->record, &code) != KIN__END_WAITED) {
        pause_a_moment();
    }
    return code;
}

static void forget_child(struct child *child)
{
    if (child->fd >= 0) {
        kin__os_close(child->fd);
    }
    kin__record_free(child->record);
}

static void check_memory(void)
{
    char report[4096] = "";
    CHECK_EQUAL(kin__family_verify(kin__family.memory, report, sizeof report), 0);
    CHECK_STRING(report, "");
}

TEST_OF_PROCESSES(a_server_forks_children_and_notes_how_they_end)
{
    begin();
    pid_t server = start_server(end_at_once);
    for (int i = 0; i < 20; i++) {
        struct child child = start_child();
        CHECK(child.code > 0 && child.code != server);
        CHECK_EQUAL(await_end(&child), 7);
        forget_child(&child);
    }
    CHECK_EQUAL(atomic_load(&numbers[RUNS]), 20);
    stop_server(server);
    check_memory();
}

TEST_OF_PROCESSES(a_server_tells_of_children_that_were_killed_while_the_program_ignores_their_ends)
{
    begin();
    signal(SIGCHLD, SIG_IGN);
    pid_t server = start_server(end_when_told);
    struct child child = start_child();
    kill(child.code, SIGKILL);
    CHECK_EQUAL(await_end(&child), -SIGKILL);
    forget_child(&child);
    signal(SIGCHLD, SIG_DFL);
    stop_server(server);
    check_memory();
}

TEST_OF_PROCESSES(a_slot_that_is_not_claimed_gets_no_child)
{
    begin();
    pid_t server = start_server(end_at_once);
    struct child child = prepare_child();
    REQUIRE(kin__child_abandon(child.owner));
    REQUIRE(ask(KIN__WIRE_START, &child, NULL) == 0);
    CHECK_EQUAL(child.code, -ESTALE);
    child.owner = 0x3fffffff;
    REQUIRE(ask(KIN__WIRE_START, &child, NULL) == 0);
    CHECK_EQUAL(child.code, -ESTALE);
    forget_child(&child);
    stop_server(server);
    CHECK_EQUAL(atomic_load(&numbers[RUNS]), 0);
}

TEST_OF_PROCESSES(a_child_whose_record_is_gone_is_not_started)
{
    begin();
    pid_t server = start_server(end_at_once);
    struct child child = prepare_child();
    child.record->object.handle.counter += 1000;
    REQUIRE(ask(KIN__WIRE_START, &child, NULL) == 0);
    CHECK_EQUAL(child.code, -ESTALE);
    child.record->object.handle.counter -= 1000;
    CHECK(kin__child_abandon(child.owner));
    forget_child(&child);
    stop_server(server);
    CHECK_EQUAL(atomic_load(&numbers[RUNS]), 0);
}

TEST_OF_PROCESSES(a_child_is_killed_by_its_slot)
{
    begin();
    pid_t server = start_server(end_when_told);
    struct child child = start_child();
    int fd = child.fd;
    REQUIRE(ask(KIN__WIRE_KILL, &child, NULL) == 0);
    child.fd = fd;
    CHECK_EQUAL(await_end(&child), -SIGKILL);
    REQUIRE(ask(KIN__WIRE_KILL, &child, NULL) == 0); /* it has ended: nothing happens */
    forget_child(&child);
    stop_server(server);
}

TEST_OF_PROCESSES(a_server_that_gets_no_more_orders_ends_after_its_last_child)
{
    begin();
    pid_t server = start_server(end_when_told);
    struct child child = start_child();
    kin__os_close(to_server);
    await_number(PID, 1);
    siginfo_t end = {0};
    CHECK_EQUAL(waitid(P_PID, (id_t)server, &end, WEXITED | WNOHANG | WNOWAIT), 0);
    CHECK_EQUAL(end.si_pid, 0);
    atomic_store(&numbers[MAY_END], 1);
    CHECK_EQUAL(await_end(&child), 7);
    child_join(server);
    forget_child(&child);
    check_memory();
}

TEST_OF_PROCESSES(what_is_no_order_ends_the_connection)
{
    begin();
    pid_t server = start_server(end_at_once);
    struct kin__wire_record record = {.kind = KIN__WIRE_READY};
    struct kin__os_fds fds;
    kin_bytes bytes = {.data = "abc", .size = 3};
    struct kin__os_output output = {.pieces = &bytes, .count = 1};
    CHECK_EQUAL(kin__os_socket_send(to_server, &output), 3);
    CHECK_EQUAL(kin__wire_receive(to_server, &record, &fds), -EPIPE);
    stop_server(server);
    server = start_server(end_at_once);
    record.kind = KIN__WIRE_READY;
    CHECK_EQUAL(kin__wire_send(to_server, &record, NULL), 0);
    CHECK_EQUAL(kin__wire_receive(to_server, &record, &fds), -EPIPE);
    stop_server(server);
}

/* --- deaths --- */

/* Is who the server serves, in the test's place; the server is another's child when it dies. */
static void be_served(void *user)
{
    (void)user;
    start_server(end_when_told);
    struct child child = start_child();
    CHECK(child.code > 0);
    await_number(PID, 1);
    atomic_store(&numbers[IS_ANSWERED], 1);
    for (;;) {
        pause();
    }
}

TEST_OF_PROCESSES(a_server_ends_with_who_it_serves_and_its_children_go_on)
{
    begin();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t middle = child_start(be_served, NULL);
    await_number(IS_ANSWERED, 1);
    child_kill(middle);
    int status = 0;
    REQUIRE(waitpid((pid_t)atomic_load(&numbers[SERVER_PID]), &status, 0) > 0);
    CHECK_EQUAL(status, 0);
    atomic_store(&numbers[MAY_END], 1);
    REQUIRE(waitpid((pid_t)atomic_load(&numbers[PID]), &status, 0) > 0);
    CHECK_EQUAL(WEXITSTATUS(status), 7);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    check_memory();
}

TEST_OF_PROCESSES(children_go_on_when_the_server_is_killed)
{
    begin();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t server = start_server(end_when_told);
    struct child child = start_child();
    await_number(PID, 1);
    child_kill(server);
    struct kin__wire_record record = {.kind = KIN__WIRE_START};
    struct kin__os_fds fds;
    CHECK_EQUAL(kin__wire_receive(to_server, &record, &fds), -EPIPE);
    CHECK_EQUAL(kin__wire_send(to_server, &record, NULL), -EPIPE);
    atomic_store(&numbers[MAY_END], 1);
    CHECK_EQUAL(kin__os_process_wait(child.fd, INT64_MAX), 0);
    int status = 0;
    CHECK_EQUAL(waitpid(child.code, &status, 0), child.code);
    CHECK_EQUAL(WEXITSTATUS(status), 7);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    forget_child(&child);
    kin__os_close(to_server);
    check_memory();
}

/* --- limits --- */

static void leave_no_fds(void)
{
    struct rlimit limit = {.rlim_cur = 3, .rlim_max = 3};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

TEST_OF_PROCESSES(a_server_without_fds_refuses_those_for_a_child_and_needs_only_its_spare_one)
{
    begin();
    prepare = leave_no_fds;
    pid_t server = start_server(end_at_once);
    struct child child = prepare_child();
    struct kin__os_fds fds = {.count = 2, .fds = {0, 1}};
    REQUIRE(ask(KIN__WIRE_START, &child, &fds) == 0);
    CHECK_EQUAL(child.code, -EMFILE);
    CHECK(kin__child_abandon(child.owner));
    forget_child(&child);
    CHECK_EQUAL(atomic_load(&numbers[RUNS]), 0);
    stop_server(server);
    prepare = NULL;
    check_memory();
}

#ifdef KIN_FAULTS

static void fail_as_told(void)
{
    kin__os_fail_here(atomic_load(&numbers[64]));
}

TEST_OF_PROCESSES(a_server_that_the_system_refuses_says_so_or_ends)
{
    begin();
    prepare = fail_as_told;
    for (uint64_t n = 1; n < 16; n++) {
        atomic_store(&numbers[64], n);
        pid_t server = start_server(end_at_once);
        struct child child = prepare_child();
        int r = ask(KIN__WIRE_START, &child, NULL);
        CHECK(r == 0 || r == -EPIPE);
        if (r == 0 && child.code > 0) {
            int code = await_end(&child);
            CHECK(code == 7 || code == -SIGKILL);
        } else {
            CHECK(r < 0 || child.code == -EAGAIN || child.code == -ENOMEM ||
                  child.code == -EMFILE || child.code == -ENOBUFS || child.code == -ENOSYS);
            while (!kin__child_abandon(child.owner) &&
                   kin__member_state_of(child.owner) != KIN__MEMBER_FREE) {
                pause_a_moment(); /* it was killed */
            }
        }
        forget_child(&child);
        stop_server(server);
        check_memory();
    }
    prepare = NULL;
}

#endif
