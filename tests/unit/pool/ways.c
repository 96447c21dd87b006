#define _GNU_SOURCE
#include "ways.h"

#include "family/heap.h"
#include "family/member.h"
#include "family/runtime.h"
#include "family/verify.h"
#include "process/runtime.h"

#include <dirent.h>
#include <sys/wait.h>

enum { INPUTS = 3, PATIENCE_STEPS = 20000, PATIENCE_US = 500 };
enum { OWN_MEMBERS = 2 }; /* this thread and the keeper */

/* --- the ways --- */

static int return_seven(kin_call *call)
{
    (void)call;
    return 7;
}
KIN_FUNCTION(return_seven)

/* A child that was started may find too little to begin, and says so: it exits with 1, or is ended
 * by the kernel. */
static int run_process(const struct way *way)
{
    kin_process *process = NULL;
    int code = 0;
    int r = kin_process_start_bytes(return_seven, "input", 5,
                                    KIN_OPTIONS(kin_process_options,
                                                .context = kin_context_get(way->method),
                                                .crash_is_quiet = true),
                                    &process);
    CHECK_EQUAL(r < 0, process == NULL);
    if (r < 0) {
        return r;
    }
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_exit_code(process, &code), 0);
    CHECK(code == 7 || code == 1 || code < 0);
    kin_process_free(process);
    return code == 7 ? 0 : 1;
}

static int free_failed(kin_command *command, int r)
{
    kin_error *error = command == NULL ? NULL : kin_command_error(command);
    CHECK(command != NULL || r == -ENOMEM);
    CHECK(error == NULL || kin_error_code(error) == r);
    kin_error_free(error);
    kin_command_free(command);
    return r;
}

/* A program may find too little as well. */
static int free_ended(kin_command *command)
{
    int code = -1;
    CHECK_EQUAL(kin_command_poll(command, &code), 0);
    kin_command_free(command);
    return code == 0 ? 0 : 1;
}

static int run_command(const struct way *way)
{
    (void)way;
    kin_command *command = NULL;
    int r = kin_command_start(KIN_ARGV("true"), NULL, &command);
    if (r < 0) {
        return free_failed(command, r);
    }
    while ((r = kin_command_wait(command, KIN_FOREVER)) == -ENOMEM) {
    }
    CHECK_EQUAL(r, 0);
    return free_ended(command);
}

static int run_command_with_streams(const struct way *way)
{
    (void)way;
    kin_command *command = NULL;
    int r = kin_command_run(KIN_ARGV("cat"),
                            KIN_OPTIONS(kin_command_options, .input = {"text", 4},
                                        .stdout_to = {.kind = KIN_STREAM_CAPTURE},
                                        .stderr_to = {.kind = KIN_STREAM_CAPTURE}),
                            KIN_FOREVER, &command);
    if (r < 0) {
        return free_failed(command, r);
    }
    bool has_output = kin_command_output(command).size == 4;
    return free_ended(command) == 0 && has_output ? 0 : 1;
}

static int communicate(const struct way *way)
{
    (void)way;
    kin_command *command = NULL;
    int r = kin_command_start(KIN_ARGV("cat"),
                              KIN_OPTIONS(kin_command_options, .input = {"text", 4},
                                          .stdout_to = {.kind = KIN_STREAM_CAPTURE}),
                              &command);
    if (r == 0) {
        r = kin_command_communicate(command, KIN_FOREVER);
    }
    if (r < 0) {
        kin_command_free(command);
        return r;
    }
    bool has_output = kin_command_output(command).size == 4;
    return free_ended(command) == 0 && has_output ? 0 : 1;
}

static int run_pool(const struct way *way)
{
    (void)way;
    kin_pool *pool = NULL;
    kin_pool_results *results = NULL;
    uint64_t values[INPUTS] = {1, 2, 3};
    kin_bytes inputs[INPUTS];
    for (size_t i = 0; i < INPUTS; i++) {
        inputs[i] = (kin_bytes){&values[i], sizeof values[i]};
    }
    int r = kin_pool_create(KIN_OPTIONS(kin_pool_options, .worker_count = 1), &pool);
    if (r == 0) {
        r = kin_pool_map_bytes(pool, square, inputs, INPUTS, KIN_FOREVER, &results);
    }
    for (size_t i = 0; r == 0 && i < INPUTS; i++) {
        r = kin_pool_results_at(results, i)->code;
        CHECK(r < 0 || result_number(kin_pool_results_at(results, i)) == values[i] * values[i]);
    }
    kin_pool_results_free(results);
    kin_pool_free(pool);
    return r;
}

struct way ways[WAYS] = {{"fork", KIN_FORK, run_process, 0},
                         {"spawn", KIN_SPAWN, run_process, 0},
                         {"forkserver", KIN_FORKSERVER, run_process, 0},
                         {"command", 0, run_command, 0},
                         {"command with streams", 0, run_command_with_streams, 0},
                         {"communicate", 0, communicate, 0},
                         {"pool", 0, run_pool, 0}};

/* --- what there is --- */

struct stock {
    uint32_t fds;
    uint32_t members;
    uint32_t blocks;
};

static struct stock stock;

static void count_block(void *user, const struct kin__block_header *header, uint64_t offset,
                        uint64_t bytes)
{
    (void)offset;
    (void)bytes;
    *(uint32_t *)user += atomic_load(&header->owner) != 0;
}

static struct stock count_stock(void)
{
    struct stock found = {0};
    kin__children_close_null(); /* kept or not, as it came */
    DIR *folder = opendir("/proc/self/fd");
    REQUIRE(folder != NULL);
    while (readdir(folder) != NULL) {
        found.fds++;
    }
    closedir(folder);
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        uint64_t word = atomic_load(&kin__member_at(slot)->word);
        found.members += kin__word_state(word) != KIN__MEMBER_FREE;
    }
    kin__heap_each(&kin__family.memory, count_block, &found.blocks);
    return found;
}

/* No child runs, or has ended and was not waited for. */
static bool has_no_child(void)
{
    siginfo_t child = {0};
    return waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

/* The forkserver ends a moment later, and is waited for when one comes by again. */
static void await_no_child(void)
{
    for (int i = 0; i < PATIENCE_STEPS; i++) {
        CHECK_EQUAL(kin_forkserver_stop(), 0);
        if (has_no_child()) {
            return;
        }
        usleep(PATIENCE_US);
    }
    CHECK(has_no_child());
}

/* The dead are reaped a moment later. */
static void check_stock(const char *name)
{
    struct stock found = {0};
    char report[2048] = "";
    await_no_child();
    for (int i = 0; i < PATIENCE_STEPS; i++) {
        found = count_stock();
        if (memcmp(&found, &stock, sizeof stock) == 0) {
            break;
        }
        usleep(PATIENCE_US);
    }
    mtx_lock(&kin__family.reap_lock); /* not beside the keeper's last steps */
    uint32_t broken = kin__family_verify(kin__family.memory, report, sizeof report);
    mtx_unlock(&kin__family.reap_lock);
    if (memcmp(&found, &stock, sizeof stock) != 0 || broken != 0) {
        test_fail(name, "%u fds, %u members, %u blocks are left of %u, %u, %u; %u broken: %s",
                  found.fds, found.members, found.blocks, stock.fds, stock.members, stock.blocks,
                  broken, report);
        test_fail_and_end(name, "nothing is left"); /* all that follow would wait as long */
    }
}

static void check_that_all_work(void)
{
    for (int i = 0; i < WAYS; i++) {
        int r = ways[i].run(&ways[i]);
        if (r != 0) {
            test_fail(ways[i].name, "fails where nothing is short: %d", r);
        }
    }
}

void ways_begin(const kin_family_options *options)
{
    REQUIRE(kin_init_with(NULL, NULL, options) == 0);
    check_that_all_work();
    await_no_child();
    for (int i = 0; i < PATIENCE_STEPS && (stock = count_stock()).members != OWN_MEMBERS; i++) {
        usleep(PATIENCE_US);
    }
    CHECK_EQUAL(stock.members, OWN_MEMBERS);
}

void ways_stock_again(void)
{
    await_no_child();
    stock = count_stock();
}

uint32_t ways_try(const int *codes, void (*make_short)(void), void (*undo)(void))
{
    uint32_t worked_count = 0;
    for (int i = 0; i < WAYS; i++) {
        struct way *way = &ways[i];
        make_short();
        int r = way->run(way);
        undo();
        const int *code = codes;
        while (*code != 0 && *code != r) {
            code++;
        }
        if (r < 0 && *code == 0) {
            test_fail(way->name, "not a clear code: %d (%s)", r, kin_code_name(r));
        }
        way->worked_count += r == 0;
        worked_count += r == 0;
        check_stock(way->name);
    }
    return worked_count;
}

void ways_end(void)
{
    for (int i = 0; i < WAYS; i++) {
        if (ways[i].worked_count == 0) {
            test_fail(ways[i].name, "worked never");
        }
    }
    check_that_all_work();
    check_stock("the end");
}
