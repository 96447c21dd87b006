/* Tasks that are given shared objects and fds: what arrives, what it costs when somebody dies. */
#include "support.h"

#include "base/fault.h"
#include "family/runtime.h"
#include "os/fault.h"
#include "unit/alone.h"

#include <dirent.h>
#include <fcntl.h>
#include <kin/pipe.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* --- what runs in workers --- */

/* Writes its bytes to each of its fds. */
static int write_to_fds(kin_call *call)
{
    kin_bytes bytes = kin_call_bytes(call);
    for (uint32_t i = 0; i < kin_call_fd_count(call); i++) {
        if (write(kin_call_fd(call, i), bytes.data, bytes.size) != (ssize_t)bytes.size) {
            return kin_call_fail(call, -EIO, "cannot write");
        }
    }
    return kin_call_fd(call, kin_call_fd_count(call)) == -EINVAL ? 0 : -EPROTO;
}
KIN_FUNCTION(write_to_fds)

static int write_at_second_attempt(kin_call *call)
{
    if (kin_call_attempt(call) == 1) {
        raise(SIGKILL);
    }
    return write_to_fds(call);
}
KIN_FUNCTION(write_at_second_attempt)

static int count_fds(kin_call *call)
{
    uint64_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return kin_call_return_bytes(call, &count, sizeof count);
}
KIN_FUNCTION(count_fds)

/* Sets each event that it was given. */
static int set_events(kin_call *call)
{
    for (uint32_t i = 0; i < kin_call_handle_count(call); i++) {
        kin_event *event = NULL;
        int r = kin_event_attach(kin_call_handle(call, i), &event);
        if (r < 0) {
            return r;
        }
        kin_event_set(event);
        kin_event_free(event);
    }
    kin_handle none = kin_call_handle(call, kin_call_handle_count(call));
    kin_bytes bytes = kin_call_bytes(call);
    return none.counter != 0 ? -EPROTO : kin_call_return_bytes(call, bytes.data, bytes.size);
}
KIN_FUNCTION(set_events)

static int wait_for_event(kin_call *call)
{
    kin_event *event = NULL;
    int r = kin_event_attach(kin_call_handle(call, 0), &event);
    if (r == 0) {
        r = kin_event_wait(event, KIN_FOREVER);
        kin_event_free(event);
    }
    return r;
}
KIN_FUNCTION(wait_for_event)

/* Sends its bytes through the connection that it was given: handle and fd. */
static int send_through_connection(kin_call *call)
{
    kin_connection *connection = NULL;
    int fd = dup(kin_call_fd(call, 0)); /* the call's is closed at its end */
    int r = kin_connection_attach(kin_call_handle(call, 0), fd, &connection);
    if (r < 0) {
        close(fd);
        return r;
    }
    kin_bytes bytes = kin_call_bytes(call);
    r = kin_connection_send_bytes(connection, bytes.data, bytes.size, KIN_FOREVER);
    kin_connection_free(connection);
    return r;
}
KIN_FUNCTION(send_through_connection)

/* --- fds --- */

/* Pipes are made after the pool, whose workers would inherit them otherwise. */
static void new_pipe(int ret_pair[2])
{
    REQUIRE(pipe(ret_pair) == 0);
}

/* All that comes until the end, which comes when nobody has the writing end. */
static size_t read_all(int fd)
{
    char bytes[256];
    size_t total = 0;
    for (ssize_t got = 1; got > 0; total += (size_t)got) {
        got = read(fd, bytes, sizeof bytes);
        REQUIRE(got >= 0);
    }
    close(fd);
    return total;
}

static int map_one(kin_pool *pool, kin_function *function, const kin_pool_input *input)
{
    kin_pool_results *results = NULL;
    int r = kin_pool_map_inputs(pool, function, input, 1, KIN_FOREVER, &results);
    if (r == 0) {
        r = kin_pool_results_at(results, 0)->code;
        kin_pool_results_free(results);
    }
    return r;
}

TEST(a_task_can_use_the_fds_that_it_is_given)
{
    enum { COUNT = 200 };
    kin_pool *pool = pool_with(NULL);
    kin_pool_results *results = NULL;
    kin_pool_input inputs[COUNT];
    int pair[2];
    new_pipe(pair);
    int fds[] = {pair[1], pair[1], pair[1]};
    size_t expected = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        inputs[i] = (kin_pool_input){.bytes = {"x", 1}, .fds = fds, .fd_count = i % 4};
        expected += i % 4;
    }
    CHECK_EQUAL(kin_pool_map_inputs(pool, write_to_fds, inputs, COUNT, KIN_FOREVER, &results), 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        CHECK_EQUAL(kin_pool_results_at(results, i)->code, 0);
    }
    kin_pool_results_free(results);
    close(pair[1]);
    CHECK_EQUAL(read_all(pair[0]), expected);
    kin_pool_free(pool);
}

TEST(fds_that_were_given_are_closed_when_the_task_is_over)
{
    enum { MANY = 64 };
    kin_pool *pool = pool_with(KIN_OPTIONS(kin_pool_options, .worker_count = 1));
    kin_pool_input input = {.fd_count = MANY};
    int fds[MANY];
    uint64_t counts[2];
    for (int i = 0; i < MANY; i++) {
        fds[i] = STDERR_FILENO;
    }
    input.fds = fds;
    for (int i = 0; i < 2; i++) {
        kin_pool_results *results = NULL;
        kin_pool_input none = {0};
        CHECK_EQUAL(kin_pool_map_inputs(pool, count_fds, &none, 1, KIN_FOREVER, &results), 0);
        counts[i] = result_number(kin_pool_results_at(results, 0));
        kin_pool_results_free(results);
        CHECK_EQUAL(map_one(pool, count_fds, &input), 0);
    }
    CHECK_EQUAL(counts[1], counts[0]);
    kin_pool_free(pool);
}

struct feeder {
    int fd;
    uint32_t left;
    kin_event *event; /* given away with each input, and forgotten */
    kin_handle handle;
    int last_code;
};

/* The fd and the event are closed as soon as kin has its own. */
static int feed(void *user, kin_pool_input *ret_input)
{
    struct feeder *feeder = user;
    if (feeder->fd >= 0) {
        close(feeder->fd);
        feeder->fd = -1;
    }
    feeder->event = kin_event_free(feeder->event);
    if (feeder->left == 0) {
        return feeder->last_code;
    }
    feeder->left--;
    feeder->fd = dup(STDERR_FILENO);
    REQUIRE(feeder->fd >= 0 && kin_event_create(NULL, &feeder->event) == 0);
    feeder->handle = kin_event_handle(feeder->event);
    *ret_input = (kin_pool_input){.bytes = {"", 0},
                                  .handles = &feeder->handle,
                                  .handle_count = 1,
                                  .fds = &feeder->fd,
                                  .fd_count = 1};
    return 1;
}

TEST(what_an_imap_gives_away_may_be_closed_at_once)
{
    kin_pool *pool = pool_with(NULL);
    kin_pool_imap *imap = NULL;
    const kin_result *result = NULL;
    kin_event *event = NULL;
    struct feeder feeder = {.fd = -1, .left = 100, .last_code = -EDOM};
    CHECK_EQUAL(kin_pool_imap_unordered_inputs(pool, set_events, feed, &feeder, &imap), 0);
    int r = 0;
    uint32_t count = 0;
    while ((r = kin_pool_imap_next(imap, KIN_FOREVER, &result)) == 1) {
        CHECK_EQUAL(result->code, 0);
        count++;
    }
    CHECK_EQUAL(r, -EDOM);
    CHECK_EQUAL(count, 100);
    CHECK_EQUAL(kin_event_attach(feeder.handle, &event), -ESTALE); /* nobody has it any more */
    kin_pool_imap_free(imap);
    kin_pool_free(pool);
    CHECK_MEMORY_ALONE();
}

/* --- shared objects --- */

TEST(a_task_can_use_the_objects_that_it_is_given)
{
    enum { SMALL = 8, LARGE = 5000, MOST = 255 };
    kin_pool *pool = pool_with(NULL);
    kin_pool_results *results = NULL;
    kin_event *event = NULL;
    unsigned char bytes[LARGE];
    kin_handle handles[MOST];
    REQUIRE(kin_event_create(NULL, &event) == 0);
    memset(bytes, 7, sizeof bytes);
    for (int i = 0; i < MOST; i++) {
        handles[i] = kin_event_handle(event);
    }
    kin_pool_input inputs[] = {{.handles = handles, .handle_count = 1},
                               {.bytes = {bytes, SMALL}, .handles = handles, .handle_count = 2},
                               {.bytes = {bytes, LARGE}, .handles = handles, .handle_count = MOST},
                               {.bytes = {bytes, SMALL}}};
    CHECK_EQUAL(kin_pool_map_inputs(pool, set_events, inputs, 4, KIN_FOREVER, &results), 0);
    for (size_t i = 0; i < 4; i++) {
        const kin_result *result = kin_pool_results_at(results, i);
        CHECK_EQUAL(result->code, 0);
        CHECK_EQUAL(result->bytes.size, inputs[i].bytes.size);
        CHECK(result->bytes.size == 0 || memcmp(result->bytes.data, bytes, SMALL) == 0);
    }
    CHECK(kin_event_is_set(event));
    kin_pool_results_free(results);
    kin_event_free(event);
    kin_pool_free(pool);
    CHECK_MEMORY_ALONE();
}

TEST(a_task_can_use_a_connection_that_it_is_given)
{
    enum { COUNT = 20 };
    kin_pool *pool = pool_with(NULL);
    kin_pool_results *results = NULL;
    kin_connection *reader = NULL;
    kin_connection *writer = NULL;
    kin_pool_input inputs[COUNT];
    bool has_come[COUNT] = {false};
    REQUIRE(kin_pipe_create(false, &reader, &writer) == 0);
    kin_handle handle = kin_connection_handle(writer);
    int fd = kin_connection_fd(writer);
    unsigned char numbers[COUNT];
    for (unsigned char i = 0; i < COUNT; i++) {
        numbers[i] = i;
        inputs[i] = (kin_pool_input){.bytes = {&numbers[i], 1},
                                     .handles = &handle,
                                     .handle_count = 1,
                                     .fds = &fd,
                                     .fd_count = 1};
    }
    CHECK_EQUAL(
        kin_pool_map_inputs(pool, send_through_connection, inputs, COUNT, KIN_FOREVER, &results),
        0);
    kin_connection_free(writer);
    unsigned char number = 0;
    size_t size = 0;
    while (kin_connection_receive_into(reader, &number, 1, KIN_FOREVER, &size) == 0) {
        REQUIRE(size == 1 && number < COUNT && !has_come[number]);
        has_come[number] = true;
    }
    for (size_t i = 0; i < COUNT; i++) {
        CHECK_EQUAL(kin_pool_results_at(results, i)->code, 0);
        CHECK(has_come[i]);
    }
    kin_connection_free(reader);
    kin_pool_results_free(results);
    kin_pool_free(pool);
    CHECK_MEMORY_ALONE();
}

/* --- bad input --- */

TEST(inputs_that_cannot_be_given_are_refused)
{
    kin_pool *pool = pool_with(NULL);
    kin_pool_results *results = NULL;
    kin_handle handle = {0};
    int fd = 987654;
    kin_pool_input inputs[] = {{.bytes = {NULL, 1}},
                               {.handle_count = 1},
                               {.handles = &handle, .handle_count = 256},
                               {.fd_count = 1},
                               {.fds = &fd, .fd_count = 65},
                               {.handles = &handle, .handle_count = 1},
                               {.fds = &fd, .fd_count = 1}};
    int codes[] = {-EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -ESTALE, -EBADF};
    for (int i = 0; i < 7; i++) {
        CHECK_EQUAL(map_one(pool, echo, &inputs[i]), codes[i]);
    }
    kin_pool_input good = {0};
    CHECK_EQUAL(kin_pool_map_inputs(NULL, echo, &good, 1, KIN_FOREVER, &results), -EINVAL);
    CHECK_EQUAL(kin_pool_map_inputs(pool, NULL, &good, 1, KIN_FOREVER, &results), -EINVAL);
    CHECK_EQUAL(kin_pool_map_inputs(pool, echo, NULL, 1, KIN_FOREVER, &results), -EINVAL);
    CHECK_EQUAL(kin_pool_map_inputs(pool, echo, &good, 1, KIN_FOREVER, NULL), -EINVAL);
    CHECK(results == NULL);
    CHECK_EQUAL(kin_pool_map_inputs(pool, echo, NULL, 0, KIN_FOREVER, &results), 0);
    kin_pool_results_free(results);
    check_squares(pool, 10);
    kin_pool_free(pool);
}

/* Good once, then bad. */
static int feed_stale_handle(void *user, kin_pool_input *ret_input)
{
    static const kin_handle stale;
    uint32_t *count = user;
    *ret_input = (kin_pool_input){.handles = &stale, .handle_count = (*count)++ == 0 ? 0 : 1};
    return 1;
}

TEST(an_imap_ends_with_an_input_that_cannot_be_given)
{
    kin_pool *pool = pool_with(NULL);
    kin_pool_imap *imap = NULL;
    const kin_result *result = NULL;
    uint32_t count = 0;
    CHECK_EQUAL(kin_pool_imap_unordered_inputs(pool, echo, NULL, &count, &imap), -EINVAL);
    CHECK_EQUAL(kin_pool_imap_unordered_inputs(pool, echo, feed_stale_handle, &count, &imap), 0);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 1);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), -ESTALE);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), -ESTALE);
    CHECK_EQUAL(count, 2);
    kin_pool_imap_free(imap);
    kin_pool_free(pool);
}

TEST(a_worker_that_may_not_have_so_many_fds_fails_the_task)
{
    enum { MANY = 64, MOST = 60 };
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    struct rlimit less = {.rlim_cur = MOST, .rlim_max = limit.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &less) == 0);
    kin_pool *pool = pool_with(NULL);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int fds[MANY];
    for (int i = 0; i < MANY; i++) {
        fds[i] = STDERR_FILENO;
    }
    kin_pool_input input = {.fds = fds, .fd_count = MANY};
    CHECK_EQUAL(map_one(pool, write_to_fds, &input), -EMFILE);
    input.fd_count = 10;
    CHECK_EQUAL(map_one(pool, write_to_fds, &input), 0);
    kin_pool_free(pool);
}

/* --- deaths --- */

TEST(the_next_attempt_gets_the_fds_anew)
{
    kin_pool *pool = pool_with(
        KIN_OPTIONS(kin_pool_options, .worker_count = 2, .lost_task_retries = 1));
    int pair[2];
    for (int round = 0; round < 5; round++) {
        new_pipe(pair);
        kin_pool_input input = {.bytes = {"abc", 3}, .fds = &pair[1], .fd_count = 1};
        CHECK_EQUAL(map_one(pool, write_at_second_attempt, &input), 0);
        close(pair[1]);
        CHECK_EQUAL(read_all(pair[0]), 3);
    }
    kin_pool_free(pool);
}

TEST(the_fds_of_a_task_that_is_lost_are_closed)
{
    kin_pool *pool = pool_with(NULL);
    int pair[2];
    new_pipe(pair);
    kin_pool_input input = {.fds = &pair[1], .fd_count = 1};
    CHECK_EQUAL(map_one(pool, kill_itself, &input), KIN_EWORKER);
    close(pair[1]);
    CHECK_EQUAL(read_all(pair[0]), 0);
    kin_pool_free(pool);
}

/* The worker asks, and is killed before the keeper, which is held up, has answered. */
TEST_WITH(a_worker_that_is_killed_while_it_asks_leaves_no_fd_open, .limit_seconds = 60)
{
    kin_pool *pool = pool_with(
        KIN_OPTIONS(kin_pool_options, .worker_count = 1, .lost_task_retries = 1));
    kin_pool_input none = {0};
    CHECK_EQUAL(map_one(pool, echo, &none), 0); /* from here on the keeper answers */
    for (int round = 0; round < 10; round++) {
        struct feeder feeder = {.fd = -1, .left = 1};
        kin_pool_imap *imap = NULL;
        const kin_result *result = NULL;
        int32_t pid = worker_pid(pool, 0);
        REQUIRE(kin_pool_imap_unordered_inputs(pool, set_events, feed, &feeder, &imap) == 0);
        mtx_lock(&kin__family.errand_lock);
        CHECK_EQUAL(kin_pool_imap_next(imap, KIN_NOW, &result), -EAGAIN);
        wait_until_busy(pool, 0);
        usleep((useconds_t)(round * 50));
        kill(pid, SIGKILL);
        mtx_unlock(&kin__family.errand_lock);
        CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 1);
        CHECK_EQUAL(result->code, 0);
        CHECK_EQUAL(result->attempt, 2);
        CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 0);
        kin_pool_imap_free(imap);
    }
    kin_pool_free(pool);
    CHECK_MEMORY_ALONE();
}

static _Noreturn void submit_and_be_killed(int fd)
{
    kin_pool *pool = NULL;
    kin_event *event = NULL;
    kin_pool_results *results = NULL;
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(kin_pool_create(KIN_OPTIONS(kin_pool_options, .worker_count = 1), &pool) == 0);
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_handle handle = kin_event_handle(event);
    kin_pool_input input = {.handles = &handle, .handle_count = 1, .fds = &fd, .fd_count = 1};
    kin_pool_map_inputs(pool, wait_for_event, &input, 1, kin_within_ms(20), &results);
    raise(SIGKILL);
    _exit(1);
}

TEST_WITH(a_submitter_that_is_killed_takes_the_fds_with_it, .limit_seconds = 60)
{
    int pair[2];
    new_pipe(pair);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        close(pair[0]);
        submit_and_be_killed(pair[1]);
    }
    close(pair[1]);
    CHECK_EQUAL(read_all(pair[0]), 0); /* the nursery and the worker are gone, too */
    CHECK_EQUAL(waitpid(pid, NULL, 0), pid);
}

TEST(a_task_that_nobody_waits_for_keeps_its_fds_until_it_is_over)
{
    kin_pool *pool = pool_with(KIN_OPTIONS(kin_pool_options, .worker_count = 1));
    kin_pool_results *results = NULL;
    kin_event *event = NULL;
    int pair[2];
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_handle handle = kin_event_handle(event);
    new_pipe(pair);
    kin_pool_input input = {.handles = &handle, .handle_count = 1, .fds = &pair[1], .fd_count = 1};
    kin_pool_input inputs[] = {input, input};
    CHECK_EQUAL(kin_pool_map_inputs(pool, wait_for_event, inputs, 2, kin_within_ms(20), &results),
                -ETIMEDOUT);
    close(pair[1]);
    kin_event_set(event);
    kin_event_free(event);
    kin_pool_free(pool); /* lets it finish */
    CHECK_EQUAL(read_all(pair[0]), 0);
    CHECK_MEMORY_ALONE();
}

#ifdef KIN_FAULTS
TEST_WITH(each_call_that_fails_is_told_and_nothing_is_lost, .limit_seconds = 60)
{
    kin_pool *pool = pool_with(NULL);
    int fd = STDERR_FILENO;
    kin_event *event = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_handle handle = kin_event_handle(event);
    kin_pool_input input = {.handles = &handle, .handle_count = 1, .fds = &fd, .fd_count = 1};
    for (uint64_t n = 1; n < 12; n++) {
        kin__allocation_fail_at(n);
        int r = map_one(pool, set_events, &input);
        kin__allocation_fail_at(0);
        CHECK(r == 0 || r == -ENOMEM);
        kin__os_fail_at(n); /* the keeper's calls count, too */
        r = map_one(pool, set_events, &input);
        kin__os_fail_at(0);
        CHECK(r == 0 || r == -ENOMEM || r == -EMFILE || r == -ENOBUFS);
    }
    CHECK_EQUAL(map_one(pool, set_events, &input), 0);
    kin_event_free(event);
    kin_pool_free(pool);
    CHECK_MEMORY_ALONE();
}
#endif
