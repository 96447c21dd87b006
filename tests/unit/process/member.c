/* What kin_members tells of each member. */
#include "unit/children.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/lock.h>
#include <kin/member.h>
#include <kin/process.h>
#include <kin/queue.h>
#include <string.h>

enum { MEMBERS_MAX = 64 };

static kin_lock *lock;
static kin_queue *queue;

/* The one thread of a process that waits, or else runs. */
static kin_member find_thread(int32_t pid)
{
    kin_member members[MEMBERS_MAX];
    kin_member none = {0};
    int count = kin_members(members, MEMBERS_MAX);
    REQUIRE(count <= MEMBERS_MAX);
    for (int i = 0; i < count; i++) {
        if (!members[i].is_process && members[i].pid == pid) {
            return members[i];
        }
    }
    return none;
}

static kin_member find_process(int32_t pid)
{
    kin_member members[MEMBERS_MAX];
    kin_member none = {0};
    int count = kin_members(members, MEMBERS_MAX);
    for (int i = 0; i < count; i++) {
        if (members[i].is_process && members[i].pid == pid) {
            return members[i];
        }
    }
    return none;
}

static int wait_for_lock(kin_call *call)
{
    (void)call;
    return kin_lock_acquire(lock, KIN_FOREVER) == 0 ? kin_lock_release(lock) : 1;
}
KIN_FUNCTION(wait_for_lock)

static int wait_for_message(kin_call *call)
{
    (void)call;
    kin_message message;
    int r = kin_queue_get_bytes(queue, KIN_FOREVER, &message);
    if (r == 0) {
        kin_message_free(&message);
    }
    return r;
}
KIN_FUNCTION(wait_for_message)

static int run_till_told(kin_call *call)
{
    (void)call;
    atomic_store(&numbers[0], 1);
    await_number(1, 1);
    return 0;
}
KIN_FUNCTION(run_till_told)

static kin_process *start(kin_function *function)
{
    kin_process *process = NULL;
    const kin_process_options *options = KIN_OPTIONS(kin_process_options, .name = "worker");
    REQUIRE(kin_process_start_bytes(function, NULL, 0, options, &process) == 0);
    return process;
}

static void finish(kin_process *process)
{
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    kin_process_free(process);
}

TEST_OF_PROCESSES(the_first_process_runs_and_has_no_parent)
{
    begin();
    kin_member self = find_process(getpid());
    CHECK(self.is_process);
    CHECK_EQUAL(self.id, self.process_id);
    CHECK_EQUAL(self.parent_id, 0);
    CHECK_EQUAL(self.state, KIN_STATE_RUNNING);
    CHECK(strcmp(self.name, "MainProcess") == 0);
    CHECK_EQUAL(find_thread(getpid()).state, KIN_STATE_RUNNING);
    CHECK_EQUAL(find_thread(getpid()).process_id, self.id);
}

TEST_OF_PROCESSES(one_that_waits_for_a_lock_is_blocked_by_its_holder)
{
    begin();
    REQUIRE(kin_lock_create(NULL, &lock) == 0);
    REQUIRE(kin_lock_acquire(lock, KIN_NOW) == 0);
    kin_process *process = start(wait_for_lock);
    await_sleepers(kin_process_pid(process), 1);
    kin_member waiter = find_thread(kin_process_pid(process));
    CHECK_EQUAL(waiter.state, KIN_STATE_BLOCKED);
    REQUIRE(waiter.waits_for != NULL);
    CHECK(strcmp(waiter.waits_for, "lock") == 0);
    CHECK_EQUAL(waiter.object.counter, kin_lock_handle(lock).counter);
    CHECK_EQUAL(waiter.object.index, kin_lock_handle(lock).index);
    CHECK_EQUAL(waiter.holder, find_thread(getpid()).id);
    CHECK_EQUAL(find_thread(getpid()).claim_count, 1);
    kin_member child = find_process(kin_process_pid(process));
    CHECK_EQUAL(child.state, KIN_STATE_BLOCKED);
    CHECK_EQUAL(child.parent_id, find_process(getpid()).id);
    CHECK(strcmp(waiter.name, "worker") == 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    finish(process);
    CHECK_EQUAL(find_process(child.pid).id, 0);
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(one_that_waits_for_a_message_is_blocked_by_nobody)
{
    begin();
    REQUIRE(kin_queue_create(NULL, &queue) == 0);
    kin_process *process = start(wait_for_message);
    await_sleepers(kin_process_pid(process), 1);
    kin_member waiter = find_thread(kin_process_pid(process));
    CHECK_EQUAL(waiter.state, KIN_STATE_BLOCKED);
    REQUIRE(waiter.waits_for != NULL);
    CHECK(strcmp(waiter.waits_for, "queue") == 0);
    CHECK_EQUAL(waiter.object.counter, kin_queue_handle(queue).counter);
    CHECK_EQUAL(waiter.holder, 0);
    CHECK_EQUAL(kin_queue_put_bytes(queue, "", 0, KIN_NOW), 0);
    finish(process);
    kin_queue_free(queue);
}

static void *join_child(void *user)
{
    CHECK_EQUAL(kin_process_join(user, KIN_FOREVER), 0);
    return NULL;
}

TEST_OF_PROCESSES(one_that_joins_waits_for_a_process)
{
    pthread_t thread;
    kin_member joiner = {0};
    begin();
    kin_process *process = start(run_till_told);
    await_number(0, 1);
    CHECK_EQUAL(find_process(kin_process_pid(process)).state, KIN_STATE_RUNNING);
    REQUIRE(pthread_create(&thread, NULL, join_child, process) == 0);
    while (joiner.waits_for == NULL) {
        kin_member members[MEMBERS_MAX];
        int count = kin_members(members, MEMBERS_MAX);
        for (int i = 0; i < count; i++) {
            joiner = members[i].waits_for != NULL ? members[i] : joiner;
        }
        pause_a_moment();
    }
    CHECK_EQUAL(joiner.state, KIN_STATE_BLOCKED);
    CHECK_EQUAL(joiner.pid, getpid());
    CHECK(strcmp(joiner.waits_for, "process") == 0);
    CHECK_EQUAL(joiner.holder, find_process(kin_process_pid(process)).id);
    CHECK_EQUAL(find_process(getpid()).state, KIN_STATE_RUNNING); /* another thread looks */
    atomic_store(&numbers[1], 1);
    pthread_join(thread, NULL);
    finish(process);
}

TEST_OF_PROCESSES(the_count_tells_what_did_not_fit)
{
    kin_member member = {0};
    begin();
    int count = kin_members(NULL, 0);
    CHECK_EQUAL(count, 2); /* this process and its thread */
    CHECK_EQUAL(kin_members(&member, 1), 2);
    CHECK(member.id != 0);
    CHECK_EQUAL(kin_members(NULL, 1), -EINVAL);
    kin_fini();
    CHECK_EQUAL(kin_members(NULL, 0), KIN_EFAMILY);
}

TEST(states_have_names)
{
    CHECK(strcmp(kin_state_name(KIN_STATE_NEW), "new") == 0);
    CHECK(strcmp(kin_state_name(KIN_STATE_TERMINATED), "terminated") == 0);
    CHECK(strcmp(kin_state_name((kin_state)0), "unknown") == 0);
    CHECK(strcmp(kin_state_name((kin_state)77), "unknown") == 0);
}
