/* Who sleeps beside owners that live uses no CPU: no looks around, no nets. */
#include "unit/queue/queues.h"

#include <dirent.h>
#include <kin/condition.h>
#include <kin/event.h>
#include <kin/lock.h>

enum { KINDS = 6, MORE_THAN_A_SECOND_US = 1300000 };

static struct {
    kin_queue *empty;
    kin_queue *full;
    kin_lock *lock; /* held by the parent */
    kin_lock *fair; /* likewise */
    kin_condition *condition;
    kin_event *event;
} stage;

static void sleep_in(void *user)
{
    kin_message message;
    switch (*(const int *)user) {
    case 0:
        kin_queue_get_bytes(stage.empty, KIN_FOREVER, &message);
        break;
    case 1:
        kin_queue_put_bytes(stage.full, "", 0, KIN_FOREVER);
        break;
    case 2:
        kin_lock_acquire(stage.lock, KIN_FOREVER);
        break;
    case 3:
        kin_lock_acquire(stage.fair, KIN_FOREVER);
        break;
    case 4:
        kin_condition_acquire(stage.condition, KIN_FOREVER);
        kin_condition_wait(stage.condition, KIN_FOREVER);
        break;
    default:
        kin_event_wait(stage.event, KIN_FOREVER);
    }
}

/* How often a thread has gone to sleep so far. */
static uint64_t switches_of(pid_t pid, const char *thread)
{
    char path[300];
    char line[128];
    unsigned long count = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid, thread);
    FILE *status = fopen(path, "re");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        sscanf(line, "voluntary_ctxt_switches: %lu", &count);
    }
    if (status != NULL) {
        fclose(status);
    }
    return count;
}

/* The same for all threads of the children; 0: one of them has not slept yet. */
static uint64_t switches(const pid_t *pids)
{
    uint64_t count = 0;
    bool has_all_slept = true;
    for (int i = 0; i < KINDS; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/task", (int)pids[i]);
        DIR *folder = opendir(path);
        REQUIRE(folder != NULL);
        for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
            if (entry->d_name[0] != '.') {
                uint64_t of_thread = switches_of(pids[i], entry->d_name);
                has_all_slept = has_all_slept && of_thread != 0;
                count += of_thread;
            }
        }
        closedir(folder);
    }
    return has_all_slept ? count : 0;
}

static void set_stage(void)
{
    stage.empty = new_queue(NULL);
    REQUIRE(kin_queue_create(KIN_OPTIONS(kin_queue_options, .item_count_max = 1), &stage.full) ==
            0);
    REQUIRE(kin_queue_put_bytes(stage.full, "", 0, KIN_NOW) == 0);
    REQUIRE(kin_lock_create(NULL, &stage.lock) == 0);
    REQUIRE(kin_lock_create(KIN_OPTIONS(kin_lock_options, .is_fair = true), &stage.fair) == 0);
    REQUIRE(kin_condition_create(NULL, &stage.condition) == 0);
    REQUIRE(kin_event_create(NULL, &stage.event) == 0);
    REQUIRE(kin_lock_acquire(stage.lock, KIN_NOW) == 0);
    REQUIRE(kin_lock_acquire(stage.fair, KIN_NOW) == 0);
}

static void clear_stage(void)
{
    kin_lock_release(stage.lock);
    kin_lock_release(stage.fair);
    kin_queue_free(stage.empty);
    kin_queue_free(stage.full);
    kin_lock_free(stage.lock);
    kin_lock_free(stage.fair);
    kin_condition_free(stage.condition);
    kin_event_free(stage.event);
}

TEST_OF_PROCESSES(who_sleeps_beside_owners_that_live_is_not_woken)
{
    enum { ROUNDS_MAX = 10 };
    pid_t pids[KINDS];
    set_stage();
    for (int i = 0; i < KINDS; i++) {
        pids[i] = child_start(sleep_in, &i);
        await_sleepers(pids[i], 1);
    }
    uint64_t before = 0;
    int round = 0;
    do { /* until the news of the starts has come everywhere, which nobody knows */
        before = switches(pids);
        usleep(MORE_THAN_A_SECOND_US); /* the least often that anybody looks where he has to */
    } while ((before == 0 || switches(pids) != before) && ++round < ROUNDS_MAX);
    CHECK_EQUAL(switches(pids), before);
    for (int i = 0; i < KINDS; i++) {
        child_kill(pids[i]);
    }
    clear_stage();
}
