/*
 * Starts: threads lock, allocate and queue without a pause, while two others start children by
 * each way there is, and join them. A child uses the lock and a queue as well, and the sum of what
 * the children say must be right. At the end all is as it was: no process is left, dead or alive,
 * no fd, no block of the family's memory.
 */
#define _GNU_SOURCE
#include "soak/soak.h"
#include "storm/storm.h"
#include "storm/work.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <kin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 16, STARTERS = 2, AT_A_TIME = 3, ALLOCATIONS = 16, QUIET_SECONDS = 20 };

/* The ways to start a child, by turns. */
enum { BY_SPAWN, BY_FORKSERVER, BY_FORK, BY_COMMAND, BY_COMMAND_RUN, WAYS };

static const kin_start_method methods[] = {KIN_SPAWN, KIN_FORKSERVER, KIN_FORK};

struct starts {
    struct work work;
    kin_queue *objects; /* of the threads */
    kin_queue *numbers; /* of the children */
    _Atomic uint32_t next;
    uint32_t count;
    _Atomic uint32_t wrong_count;
    _Atomic int64_t number_sum; /* of those that children were given */
};

/* --- the children --- */

/* Arguments: the handles of the lock and the queue, and a number for the queue. */
static int put_number(kin_call *call)
{
    kin_handle handle;
    kin_lock *lock = NULL;
    kin_queue *queue = NULL;
    int r = kin_object_to_handle(kin_call_argument(call, 0), &handle);
    r = r < 0 ? r : kin_lock_attach(handle, &lock);
    r = r < 0 ? r : kin_object_to_handle(kin_call_argument(call, 1), &handle);
    r = r < 0 ? r : kin_queue_attach(handle, &queue);
    r = r < 0 ? r : kin_lock_acquire(lock, KIN_FOREVER);
    r = r < 0 ? r : kin_lock_release(lock);
    r = r < 0 ? r : kin_queue_put(queue, kin_call_argument(call, 2), KIN_FOREVER);
    kin_lock_free(lock);
    kin_queue_free(queue);
    return r;
}
KIN_FUNCTION(put_number)

/* --- the threads --- */

static bool allocate(uint64_t round)
{
    char *blocks[ALLOCATIONS];
    bool is = true;
    for (uint64_t i = 0; i < ALLOCATIONS; i++) {
        size_t bytes = (size_t)(1 + (round * 7919 + i * 104729) % 20000);
        blocks[i] = malloc(bytes);
        is = is && blocks[i] != NULL;
        if (blocks[i] != NULL) {
            memset(blocks[i], (int)i, bytes);
        }
    }
    for (uint64_t i = 0; i < ALLOCATIONS; i++) {
        is = is && blocks[i][0] == (char)i;
        free(blocks[i]);
    }
    return is;
}

static bool queue_object(kin_queue *queue, uint64_t round)
{
    kin_object *put = KIN_LIST(kin_object_from_int((int64_t)round), kin_object_from_text("text"));
    kin_object *got = NULL;
    bool is = put != NULL && kin_queue_put(queue, put, KIN_FOREVER) == 0 &&
              kin_queue_get(queue, KIN_FOREVER, &got) == 0 && kin_object_count(got) == 2;
    kin_object_free(put);
    kin_object_free(got);
    return is;
}

static void *work_in_thread(void *user)
{
    struct starts *starts = user;
    struct work_board *board = starts->work.board;
    for (uint64_t round = 0; atomic_load(&board->is_over) == 0; round++) {
        work_once(&starts->work);
        bool is = allocate(round) && queue_object(starts->objects, round);
        atomic_fetch_add(&board->wrong_count, !is);
    }
    return NULL;
}

/* --- the starters --- */

struct child {
    uint32_t way;
    kin_process *process;
    kin_command *command;
};

static void expect(struct starts *starts, const char *what, int actual, int expected)
{
    if (actual != expected) {
        printf("  %s: %d (%s), not %d\n", what, actual, kin_code_name(actual), expected);
        atomic_fetch_add(&starts->wrong_count, 1);
    }
}

static void start_process(struct starts *starts, struct child *child, int64_t number)
{
    kin_object *lock = NULL;
    kin_object *queue = NULL;
    kin_process_options options = {.size = sizeof options,
                                   .allow_threads = true,
                                   .context = kin_context_get(methods[child->way])};
    kin_object_from_handle(kin_lock_handle(starts->work.lock), &lock);
    kin_object_from_handle(kin_queue_handle(starts->numbers), &queue);
    kin_object *arguments = KIN_TUPLE(lock, queue, kin_object_from_int(number));
    int r = kin_process_start(put_number, arguments, &options, &child->process);
    kin_object_free(arguments);
    expect(starts, kin_context_name(options.context), r, 0);
    atomic_fetch_add(&starts->number_sum, r == 0 ? number : 0);
}

static void start(struct starts *starts, struct child *child, uint32_t number)
{
    *child = (struct child){.way = number % WAYS};
    if (child->way == BY_COMMAND) {
        expect(starts, "command", kin_command_start(KIN_ARGV("true"), NULL, &child->command), 0);
    } else if (child->way == BY_COMMAND_RUN) {
        const kin_command_options options = {.size = sizeof options,
                                             .input = {"text", 4},
                                             .stdout_to = {.kind = KIN_STREAM_CAPTURE}};
        int r = kin_command_run(KIN_ARGV("cat"), &options, KIN_FOREVER, &child->command);
        expect(starts, "command with streams", r, 0);
        expect(starts, "its output", (int)kin_command_output(child->command).size, 4);
    } else {
        start_process(starts, child, number);
    }
}

static void join(struct starts *starts, struct child *child)
{
    int code = -1;
    if (child->process != NULL) {
        expect(starts, "join", kin_process_join(child->process, KIN_FOREVER), 0);
        expect(starts, "exit code", kin_process_exit_code(child->process, &code), 0);
        expect(starts, "child", code, 0);
    } else if (child->command != NULL) {
        expect(starts, "wait", kin_command_wait(child->command, KIN_FOREVER), 0);
        expect(starts, "status", kin_command_poll(child->command, &code), 0);
        expect(starts, "program", code, 0);
    }
    kin_process_free(child->process);
    kin_command_free(child->command);
    *child = (struct child){0};
}

static void *start_children(void *user)
{
    struct starts *starts = user;
    struct child children[AT_A_TIME] = {{0}};
    uint32_t number;
    for (uint32_t i = 0; (number = atomic_fetch_add(&starts->next, 1)) < starts->count; i++) {
        struct child *child = &children[i % AT_A_TIME];
        join(starts, child);
        start(starts, child, number);
    }
    for (uint32_t i = 0; i < AT_A_TIME; i++) {
        join(starts, &children[i]);
    }
    return NULL;
}

/* --- what must hold --- */

/* Children, of which there may be none that has ended, and others of this process's group. */
static uint32_t count_processes(void)
{
    uint32_t count = 0;
    DIR *folder = opendir("/proc");
    const struct dirent *entry = NULL;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char path[300], line[512] = "", state = 0;
        int parent = 0, group = 0;
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *file = atoi(entry->d_name) > 0 ? fopen(path, "re") : NULL;
        if (file == NULL) {
            continue;
        }
        const char *end = fgets(line, sizeof line, file) == NULL ? NULL : strrchr(line, ')');
        if (end != NULL && sscanf(end + 1, " %c %d %d", &state, &parent, &group) == 3) {
            count += atoi(entry->d_name) != getpid() && (parent == getpid() || group == getpgrp());
        }
        fclose(file);
    }
    closedir(folder);
    return count;
}

static uint32_t count_fds(void)
{
    uint32_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

/* The forkserver ends a moment after it was told to, and is waited for when one comes by again. */
static uint32_t await_quiet(void)
{
    double limit = soak_now() + QUIET_SECONDS;
    while (kin_forkserver_stop() == 0 && count_processes() > 0 && soak_now() < limit) {
        usleep(1000);
    }
    return count_processes();
}

static int64_t take_numbers(struct starts *starts)
{
    int64_t sum = 0;
    kin_object *object = NULL;
    while (kin_queue_get(starts->numbers, KIN_NOW, &object) == 0) {
        int64_t number = 0;
        expect(starts, "a number", kin_object_to_int(object, &number), 0);
        sum += number;
        object = kin_object_free(object);
    }
    return sum;
}

/* One child by each way, alone: what is opened once is open then. */
static void warm_up(struct starts *starts)
{
    for (uint32_t way = 0; way < WAYS; way++) {
        struct child child;
        start(starts, &child, way);
        join(starts, &child);
    }
    work_once(&starts->work);
    await_quiet();
}

static void run_threads(struct starts *starts)
{
    pthread_t threads[THREADS], starter;
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, work_in_thread, starts);
    }
    pthread_create(&starter, NULL, start_children, starts);
    start_children(starts);
    pthread_join(starter, NULL);
    atomic_store(&starts->work.board->is_over, 1);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

bool storm_starts(const struct storm_options *options)
{
    struct starts starts = {.count = options->starts};
    if (kin_init(NULL, NULL) != 0 || !work_create(&starts.work, THREADS) ||
        kin_queue_create(NULL, &starts.objects) != 0 ||
        kin_queue_create(NULL, &starts.numbers) != 0) {
        return false;
    }
    warm_up(&starts);
    uint32_t fd_count = count_fds();
    run_threads(&starts);
    uint32_t process_count = await_quiet();
    uint32_t fds_left = count_fds() - fd_count;
    int64_t sum_left = atomic_load(&starts.number_sum) - take_numbers(&starts);
    uint32_t wrong = atomic_load(&starts.wrong_count);
    printf("starts: %u children beside %d threads, %" PRIu64 " rounds; %u wrong, %" PRId64
           " not said by children, %u processes left, %u fds more\n",
           starts.count, THREADS, atomic_load(&starts.work.board->round_count), wrong, sum_left,
           process_count, fds_left);
    bool is_right = work_is_right(&starts.work) && wrong == 0 && sum_left == 0 &&
                    process_count == 0 && fds_left == 0;
    kin_queue_free(starts.objects);
    kin_queue_free(starts.numbers);
    work_free(&starts.work);
    is_right &= soak_check_family(2) == 0;
    kin_fini();
    return is_right;
}
