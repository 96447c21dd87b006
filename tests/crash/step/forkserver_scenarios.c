/*
 * The forkserver: who asks it is killed at each instruction of a start, from the first, which
 * starts the server too, to the join; and the server, of getting ready, of carrying out an order,
 * and of hearing how its child ended. Then each start has one child or none and says which; each
 * join says how it ended, or that nobody knows; nobody is left, and nothing.
 */
#define _GNU_SOURCE
#include "step/record.h"

#include "base/list.h"
#include "family/member.h"
#include "process/runtime.h"

#include <errno.h>
#include <kin/context.h>
#include <kin/error.h>
#include <kin/forkserver.h>
#include <kin/list.h>
#include <kin/object.h>
#include <kin/process.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { CODE = 7, FLAG_JOINED = 0 };

/* --- children --- */

static int end_by_itself(kin_call *call)
{
    return kin_call_bytes(call).size == 5 ? CODE : 1;
}
KIN_FUNCTION(end_by_itself)

static int end_by_signal(kin_call *call)
{
    (void)call;
    raise(SIGKILL);
    return 1;
}
KIN_FUNCTION(end_by_signal)

static void start_and_join(kin_function *function, bool is_daemon)
{
    kin_process_options options = {
        .size = sizeof options, .context = kin_context_get(KIN_FORKSERVER), .is_daemon = is_daemon};
    kin_process *process = NULL;
    int code = 0;
    int r = kin_process_start_bytes(function, "input", 5, &options, &process);
    if (r != 0) {
        crash_fail("the start failed with %d", r);
        return;
    }
    CRASH_CHECK(kin_process_join(process, KIN_FOREVER) == 0);
    r = kin_process_exit_code(process, &code);
    bool is_known = r == 0 && code == (function == end_by_itself ? CODE : -SIGKILL);
    bool is_unknown = r == -ECHILD && function == end_by_signal; /* if its server has died, too */
    if (!is_known && !is_unknown) {
        crash_fail("the child ended with code %d, %d", r, code);
    }
    kin_process_free(process);
}

/* --- who asks --- */

static void ensure(void)
{
    int r = kin_forkserver_ensure_running();
    if (r != 0) {
        crash_fail("no server: %d", r);
    }
}

static void start_child(void)
{
    start_and_join(end_by_itself, false);
}

static void start_daemon(void)
{
    start_and_join(end_by_itself, true);
}

static void start_child_that_is_killed(void)
{
    start_and_join(end_by_signal, false);
}

static void stop(void)
{
    CRASH_CHECK(kin_forkserver_stop() == 0);
}

static void start_twice(void)
{
    start_child();
    stop();
    start_child();
}

/* --- the server of this process --- */

static pthread_t starter;
static kin_event *gate; /* what a server waits for before it is ready; NULL: nothing */

static int pass_gate(kin_call *call)
{
    kin_event *event = NULL;
    kin_handle handle;
    memcpy(&handle, kin_object_bytes(kin_call_argument(call, 0)).data, sizeof handle);
    int r = kin_event_attach(handle, &event);
    if (r == 0) {
        r = kin_event_wait(event, KIN_FOREVER);
        kin_event_free(event);
    }
    return r;
}
KIN_FUNCTION(pass_gate)

static void *run_starter(void *user)
{
    void (*const *run)(void) = user;
    (*run)();
    crash_set_flag(FLAG_JOINED, 1);
    return NULL;
}

static void start_starter(void (*const *run)(void))
{
    if (pthread_create(&starter, NULL, run_starter, (void *)run) != 0) {
        crash_fail("no thread");
    }
}

static void start_in_thread(void)
{
    static void (*const run)(void) = start_child;
    start_starter(&run);
}

static void start_daemon_in_thread(void)
{
    static void (*const run)(void) = start_daemon;
    start_starter(&run);
}

static void start_killed_in_thread(void)
{
    static void (*const run)(void) = start_child_that_is_killed;
    start_starter(&run);
}

static pid_t pid_of_server(uint32_t owner)
{
    uint32_t pid = kin__member_of(owner)->pid;
    crash_await_sleep((pid_t)pid);
    return (pid_t)pid;
}

static pid_t find_server(void)
{
    return pid_of_server(kin__forkserver.owner);
}

/* Once for all points: each server runs what the first was told. */
static void set_up_gate(void)
{
    if (gate == NULL) {
        CRASH_CHECK(kin_event_create(NULL, &gate) == 0);
        kin_handle handle = kin_event_handle(gate);
        kin_object *arguments = KIN_TUPLE(kin_object_from_bytes(&handle, sizeof handle));
        CRASH_CHECK(kin_forkserver_preload(pass_gate, arguments) == 0);
        kin_object_free(arguments);
    }
    CRASH_CHECK(kin_event_clear(gate) == 0);
}

static pid_t find_server_at_gate(void)
{
    uint32_t before = kin__forkserver.owner;
    double limit = crash_now() + crash_hang_ms() * 1e-3;
    start_in_thread();
    while (*(volatile uint32_t *)&kin__forkserver.owner == before ||
           kin__member_of(kin__forkserver.owner)->pid == 0) {
        if (crash_now() > limit) {
            crash_hang("the server is not started");
            return 0;
        }
        usleep(50);
    }
    return pid_of_server(kin__forkserver.owner);
}

static void open_gate(void)
{
    CRASH_CHECK(kin_event_set(gate) == 0);
}

static bool is_joined(void)
{
    return atomic_load(&scene.board->flags[FLAG_JOINED]) != 0;
}

static void await_join(void)
{
    crash_await_flag(FLAG_JOINED, 1);
    pthread_join(starter, NULL);
}

/* The end of those that were killed is noticed by who comes by. */
static void end_servers(void)
{
    double limit = crash_now() + crash_hang_ms() * 1e-3;
    do {
        stop();
        if (crash_now() > limit) {
            crash_hang("a server does not end");
            return;
        }
        usleep(50);
    } while (!kin__list_is_empty(&kin__forkserver.servers));
}

const struct scenario forkserver_scenarios[] = {
    {.name = "forkserver", .context = "its start", .victim = ensure, .survivor = start_child},
    {.name = "forkserver",
     .context = "start and join",
     .prepare = ensure,
     .victim = start_child,
     .survivor = start_child},
    {.name = "forkserver",
     .context = "start and join a daemon",
     .prepare = ensure,
     .victim = start_daemon,
     .survivor = start_daemon},
    {.name = "forkserver",
     .context = "start and join one that is killed",
     .prepare = ensure,
     .victim = start_child_that_is_killed,
     .survivor = start_child_that_is_killed},
    {.name = "forkserver",
     .context = "start, stop, start",
     .prepare = ensure,
     .victim = start_twice,
     .survivor = start_twice},
    {.name = "forkserver itself",
     .context = "gets ready, starts a child",
     .setup = set_up_gate,
     .attach = find_server_at_gate,
     .attached = open_gate,
     .is_over = is_joined,
     .killed = await_join,
     .finish = end_servers},
    {.name = "forkserver itself",
     .context = "starts a child",
     .setup = ensure,
     .attach = find_server,
     .attached = start_in_thread,
     .is_over = is_joined,
     .killed = await_join,
     .finish = end_servers},
    {.name = "forkserver itself",
     .context = "starts a daemon",
     .setup = ensure,
     .attach = find_server,
     .attached = start_daemon_in_thread,
     .is_over = is_joined,
     .killed = await_join,
     .finish = end_servers},
    {.name = "forkserver itself",
     .context = "starts one that is killed",
     .setup = ensure,
     .attach = find_server,
     .attached = start_killed_in_thread,
     .is_over = is_joined,
     .killed = await_join,
     .finish = end_servers},
    {0},
};
