/*
 * Processes: starting one, joining it, leaving the family with much in hand, threads that become
 * members and cease to be; and tokens that end a wait.
 */
#include "step/messages.h"

#include "family/directory.h"
#include "family/family.h"
#include "family/heap.h"
#include "family/keeper.h"
#include "family/member.h"
#include "family/sleep.h"

#include <errno.h>
#include <kin/call.h>
#include <kin/cancel.h>
#include <kin/context.h>
#include <kin/error.h>
#include <kin/process.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FLAG_WAITING };

static kin_cancel *cancel;

static int put_as_child(kin_call *call)
{
    (void)call;
    messages_put(SEED_CONTEXT);
    return 7;
}
KIN_FUNCTION(put_as_child)

static void start_and_join(bool is_daemon)
{
    kin_process_options options = {
        .size = sizeof options, .is_daemon = is_daemon, .allow_threads = true};
    kin_process *process = NULL;
    int code = 0;
    CRASH_CHECK(kin_process_start_bytes(put_as_child, NULL, 0, &options, &process) == 0);
    CRASH_CHECK(kin_process_join(process, KIN_FOREVER) == 0);
    int r = kin_process_exit_code(process, &code);
    if (r != 0 || code != 7) {
        crash_fail("the child ended with code %d, %d", r, code);
    }
    kin_process_free(process);
}

static void start_child(void)
{
    start_and_join(false);
}

static void start_daemon(void)
{
    start_and_join(true);
}

/* The same with a child that has nothing of its parent's. */
static int end_with_seven(kin_call *call)
{
    return kin_call_bytes(call).size == 5 ? 7 : 1;
}
KIN_FUNCTION(end_with_seven)

static void spawn_child(void)
{
    kin_process_options options = {.size = sizeof options, .context = kin_context_get(KIN_SPAWN)};
    kin_process *process = NULL;
    int code = 0;
    CRASH_CHECK(kin_process_start_bytes(end_with_seven, "input", 5, &options, &process) == 0);
    CRASH_CHECK(kin_process_join(process, KIN_FOREVER) == 0);
    int r = kin_process_exit_code(process, &code);
    if (r != 0 || code != 7) {
        crash_fail("the spawned child ended with code %d, %d", r, code);
    }
    kin_process_free(process);
}

/* A child that is forked by the family's own means, and ends as if it were killed. */
static void fork_child(void)
{
    uint32_t owner = 0;
    int status = 0;
    pid_t pid = kin__family_fork("grandchild", 0, &owner);
    if (pid == 0) {
        messages_put(SEED_CONTEXT);
        _exit(0);
    }
    CRASH_CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
}

/* A fork without kin: the child becomes a member when it first uses kin. */
static void enter_after_fork(void)
{
    messages_put(SEED_CONTEXT);
}

static void fork_plainly(void)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        enter_after_fork();
        _exit(0);
    }
    CRASH_CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
}

/* --- leaving --- */

static void hold_much(void)
{
    kin_queue *queue = NULL;
    uint64_t block = 0;
    CRASH_CHECK(kin_lock_acquire(scene.lock, KIN_FOREVER) == 0);
    CRASH_CHECK(kin_queue_create(NULL, &queue) == 0);
    CRASH_CHECK(kin_queue_put_bytes(queue, &block, sizeof block, KIN_NOW) == 0);
    CRASH_CHECK(kin__block_create(100, 1, KIN__BLOCK_BYTES, &block) == 0);
    CRASH_CHECK(kin__reference_add(kin__at(block), kin_lock_handle(scene.lock)) == 0);
}

static void leave(void)
{
    kin_fini();
}

/* --- the keeper, which a child has not from the start --- */

static void hand_over(void)
{
    CRASH_CHECK(kin__keeper_need() == 0);
}

static void sleep_a_moment(void)
{
    uint32_t key = kin__count_prepare(&kin__self()->member->nudge);
    kin__sleep(&kin__self()->member->nudge, key, kin_within_ms(1));
}

static void need_and_leave(void)
{
    CRASH_CHECK(kin__keeper_need() == 0);
    kin_fini();
}

static void take_lock(void)
{
    int r = kin_lock_acquire(scene.lock, KIN_FOREVER);
    CRASH_CHECK(r == 0 || r == KIN_OWNER_DIED);
    CRASH_CHECK(kin_lock_release(scene.lock) == 0);
}

static void leave_and_come_back(void)
{
    kin__thread_unregister();
    CRASH_CHECK(kin__thread_register() == 0);
}

/* --- tokens --- */

static void wait_with_token(void)
{
    crash_set_flag(FLAG_WAITING, 1);
    CRASH_CHECK(kin_event_wait(scene.event, kin_by(INT64_MAX, cancel)) == -ECANCELED);
}

static void request(void)
{
    CRASH_CHECK(kin_cancel_request(cancel) == 0);
}

/* --- the surroundings --- */

static void set_up(void)
{
    message_bytes = BYTES_LARGE;
    messages_create(0);
    CRASH_CHECK(kin_lock_create(NULL, &scene.lock) == 0);
    CRASH_CHECK(kin_event_create(NULL, &scene.event) == 0);
    CRASH_CHECK(kin_cancel_create(&cancel) == 0);
}

static void set_up_waiter(void)
{
    set_up();
    pid_t pid = crash_start(wait_with_token, NULL);
    crash_await_flag(FLAG_WAITING, 1);
    crash_await_sleep(pid);
}

static void finish(void)
{
    crash_await_reaped(scene.board->victim);
    crash_await_quiet(); /* children of the victim that outlive it */
    messages_finish();
    scene.lock = kin_lock_free(scene.lock);
    scene.event = kin_event_free(scene.event);
    cancel = kin_cancel_free(cancel);
}

const struct scenario process_scenarios[] = {
    {.name = "process",
     .context = "start and join",
     .setup = set_up,
     .victim = start_child,
     .survivor = start_child,
     .finish = finish},
    {.name = "process",
     .context = "start and join a daemon",
     .setup = set_up,
     .victim = start_daemon,
     .survivor = start_daemon,
     .finish = finish},
    {.name = "process",
     .context = "spawn and join",
     .setup = set_up,
     .victim = spawn_child,
     .survivor = spawn_child,
     .finish = finish},
    {.name = "process",
     .context = "fork",
     .setup = set_up,
     .victim = fork_child,
     .survivor = fork_child,
     .finish = finish},
    {.name = "process",
     .context = "fork without kin",
     .setup = set_up,
     .victim = fork_plainly,
     .survivor = fork_plainly,
     .finish = finish},
    {.name = "process",
     .context = "leave",
     .setup = set_up,
     .prepare = hold_much,
     .victim = leave,
     .survivor = take_lock,
     .finish = finish},
    {.name = "process",
     .context = "leave, nothing in hand",
     .setup = set_up,
     .victim = leave,
     .survivor = take_lock,
     .finish = finish},
    {.name = "keeper",
     .context = "hand-over",
     .setup = set_up,
     .prepare = hold_much,
     .victim = hand_over,
     .survivor = take_lock,
     .finish = finish},
    {.name = "keeper",
     .context = "first sleep",
     .setup = set_up,
     .prepare = hold_much,
     .victim = sleep_a_moment,
     .survivor = take_lock,
     .finish = finish},
    {.name = "keeper",
     .context = "hand-over, leave",
     .setup = set_up,
     .prepare = hold_much,
     .victim = need_and_leave,
     .survivor = take_lock,
     .finish = finish},
    {.name = "thread",
     .context = "leave and come back",
     .setup = set_up,
     .prepare = hold_much,
     .victim = leave_and_come_back,
     .survivor = take_lock,
     .finish = finish},
    {.name = "token",
     .context = "request, one waits",
     .setup = set_up_waiter,
     .victim = request,
     .survivor = request,
     .finish = finish},
    {.name = "token",
     .context = "wait, another waits",
     .setup = set_up_waiter,
     .victim = wait_with_token,
     .asleep = request,
     .survivor = request,
     .finish = finish},
    {0},
};
