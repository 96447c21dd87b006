/* kin's pool: squares of 8-byte numbers. The pool is made and has done some tasks before the
 * clock starts. A task is always one message here, so the two kinds of map are the same. */

#include "harness.h"

#include <kin.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WARM_UP_COUNT 64
#define ASLEEP_AFTER_US 1000 /* by then workers do not spin any more */

typedef struct squares {
    uint64_t *numbers;
    kin_bytes *inputs;
    uint64_t count;
} squares;

static int square(kin_call *call)
{
    uint64_t number;
    memcpy(&number, kin_call_bytes(call).data, sizeof number);
    number *= number;
    return kin_call_return_bytes(call, &number, sizeof number);
}
KIN_FUNCTION(square)

static void must(int code, const char *what)
{
    if (code < 0) {
        harness_die("%s: %s", what, kin_code_text(code));
    }
}

static squares squares_create(uint64_t count)
{
    squares work = {calloc(count, sizeof(uint64_t)), calloc(count, sizeof(kin_bytes)), count};
    if (work.numbers == NULL || work.inputs == NULL) {
        harness_die("no memory");
    }
    for (uint64_t i = 0; i < count; i++) {
        work.numbers[i] = i;
        work.inputs[i] = (kin_bytes){&work.numbers[i], sizeof work.numbers[i]};
    }
    return work;
}

static void squares_free(squares *work)
{
    free(work->numbers);
    free(work->inputs);
}

static void result_check(const kin_result *result, uint64_t number)
{
    uint64_t squared;
    must(result->code, "square");
    if (result->bytes.size != sizeof squared) {
        harness_die("a result of %zu bytes", result->bytes.size);
    }
    memcpy(&squared, result->bytes.data, sizeof squared);
    if (squared != number * number) {
        harness_die("the square of %llu is wrong", (unsigned long long)number);
    }
}

/* All of these return the seconds that the pool took, without the checking of its results. */

static double measure_map(kin_pool *pool, const squares *work)
{
    kin_pool_results *results;
    int64_t begin_ns = harness_now_ns();
    must(kin_pool_map_bytes(pool, square, work->inputs, work->count, KIN_FOREVER, &results),
         "kin_pool_map_bytes");
    int64_t end_ns = harness_now_ns();
    for (uint64_t i = 0; i < work->count; i++) {
        result_check(kin_pool_results_at(results, i), i);
    }
    kin_pool_results_free(results);
    return (double)(end_ns - begin_ns) / 1e9;
}

/* One task at a time, after a pause of `pause_us`. */
static double measure_round_trips(kin_pool *pool, const squares *work, unsigned pause_us)
{
    double seconds = 0;
    for (uint64_t i = 0; i < work->count; i++) {
        squares one = {NULL, work->inputs, 1};
        if (pause_us > 0) {
            usleep(pause_us);
        }
        seconds += measure_map(pool, &one);
    }
    return seconds;
}

struct position {
    const squares *work;
    uint64_t next;
};

static int source_next(void *user, kin_bytes *ret_input)
{
    struct position *position = user;
    if (position->next == position->work->count) {
        return 0;
    }
    *ret_input = position->work->inputs[position->next++];
    return 1;
}

/* Here the results are checked on the way: they are valid until the next one only. */
static double measure_imap_unordered(kin_pool *pool, const squares *work)
{
    struct position position = {work, 0};
    const kin_result *result;
    kin_pool_imap *imap;
    uint64_t count = 0;
    int code;

    int64_t begin_ns = harness_now_ns();
    must(kin_pool_imap_unordered_bytes(pool, square, source_next, &position, &imap),
         "kin_pool_imap_unordered_bytes");
    while ((code = kin_pool_imap_next(imap, KIN_FOREVER, &result)) == 1) {
        result_check(result, result->index);
        count++;
    }
    must(code, "kin_pool_imap_next");
    int64_t end_ns = harness_now_ns();
    kin_pool_imap_free(imap);
    if (count != work->count) {
        harness_die("%llu results are missing", (unsigned long long)(work->count - count));
    }
    return (double)(end_ns - begin_ns) / 1e9;
}

static double measure(const char *mode, kin_pool *pool, uint64_t count)
{
    squares work = squares_create(count);
    double seconds;
    if (strcmp(mode, "imap_unordered") == 0) {
        seconds = measure_imap_unordered(pool, &work);
    } else if (strcmp(mode, "round_trip") == 0) {
        seconds = measure_round_trips(pool, &work, 0);
    } else if (strcmp(mode, "round_trip_asleep") == 0) {
        seconds = measure_round_trips(pool, &work, ASLEEP_AFTER_US);
    } else {
        seconds = measure_map(pool, &work);
    }
    squares_free(&work);
    return seconds;
}

int main(int argc, char **argv)
{
    kin_pool *pool;
    harness_open(argc, argv);
    must(kin_init(&argc, &argv), "kin_init");
    const char *mode = harness_word("mode");
    uint64_t count = harness_number("tasks");
    kin_pool_options options = {.size = sizeof options,
                                .worker_count = (uint32_t)harness_number("workers")};
    must(kin_pool_create(&options, &pool), "kin_pool_create");

    measure(mode, pool, WARM_UP_COUNT);
    double seconds = measure(mode, pool, count);
    bool is_round_trip = strncmp(mode, "round_trip", strlen("round_trip")) == 0;
    harness_report(is_round_trip ? seconds * 1e6 / (double)count : (double)count / seconds);
    kin_pool_free(pool);
    return 0;
}
