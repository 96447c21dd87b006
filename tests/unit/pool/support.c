#include "support.h"

void test_teardown(void)
{
    kin_fini();
}

static uint64_t number_of(const kin_call *call)
{
    uint64_t number = 0;
    kin_bytes input = kin_call_bytes(call);
    memcpy(&number, input.data, input.size < sizeof number ? input.size : sizeof number);
    return number;
}

int square(kin_call *call)
{
    uint64_t number = number_of(call);
    if (number > UINT32_MAX) {
        return kin_call_fail(call, -ERANGE, "%llu is too large to square",
                             (unsigned long long)number);
    }
    number *= number;
    return kin_call_return_bytes(call, &number, sizeof number);
}
KIN_FUNCTION(square)

int echo(kin_call *call)
{
    kin_bytes input = kin_call_bytes(call);
    return kin_call_return_bytes(call, input.data, input.size);
}
KIN_FUNCTION(echo)

int fill(kin_call *call)
{
    uint64_t size = number_of(call);
    unsigned char *bytes = malloc(size);
    if (bytes == NULL) {
        return -ENOMEM;
    }
    memset(bytes, (int)(size & 255), size);
    int r = kin_call_return_bytes(call, bytes, size);
    free(bytes);
    return r;
}
KIN_FUNCTION(fill)

int nap(kin_call *call)
{
    usleep((useconds_t)number_of(call));
    return 0;
}
KIN_FUNCTION(nap)

int wait_for_ever(kin_call *call)
{
    (void)call;
    while (pause() < 0) {
    }
    return 0;
}
KIN_FUNCTION(wait_for_ever)

int kill_itself(kin_call *call)
{
    (void)call;
    return kill(getpid(), SIGKILL);
}
KIN_FUNCTION(kill_itself)

int kill_itself_once(kin_call *call)
{
    uint64_t attempt = kin_call_attempt(call);
    if (attempt == 1) {
        kill(getpid(), SIGKILL);
    }
    return kin_call_return_bytes(call, &attempt, sizeof attempt);
}
KIN_FUNCTION(kill_itself_once)

int kill_itself_often(kin_call *call)
{
    return kin_call_attempt(call) < 12 ? kill(getpid(), SIGKILL) : 0;
}
KIN_FUNCTION(kill_itself_often)

int kill_itself_on_odd(kin_call *call)
{
    if (number_of(call) % 2 == 1) {
        kill(getpid(), SIGKILL);
    }
    return square(call);
}
KIN_FUNCTION(kill_itself_on_odd)

int exit_itself(kin_call *call)
{
    (void)call;
    exit(3);
    return 0;
}
KIN_FUNCTION(exit_itself)

int return_positive(kin_call *call)
{
    kin_call_return_bytes(call, "five", 4);
    return 5;
}
KIN_FUNCTION(return_positive)

int return_bare_code(kin_call *call)
{
    (void)call;
    return -EDOM;
}
KIN_FUNCTION(return_bare_code)

int write_pid(kin_call *call)
{
    int fd = (int)number_of(call);
    int32_t pid = getpid();
    if (write(fd, &pid, sizeof pid) != sizeof pid) {
        return -EIO;
    }
    return wait_for_ever(call);
}
KIN_FUNCTION(write_pid)

kin_pool *pool_with(const kin_pool_options *options)
{
    kin_pool_options two = {.size = sizeof two, .worker_count = 2};
    kin_pool *pool = NULL;
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(kin_pool_create(options == NULL ? &two : options, &pool) == 0);
    return pool;
}

struct numbers numbers_create(size_t count)
{
    struct numbers numbers = {.count = count};
    numbers.values = calloc(count + 1, sizeof *numbers.values);
    numbers.inputs = calloc(count + 1, sizeof *numbers.inputs);
    REQUIRE(numbers.values != NULL && numbers.inputs != NULL);
    for (size_t i = 0; i < count; i++) {
        numbers.values[i] = i;
        numbers.inputs[i] = (kin_bytes){.data = &numbers.values[i], .size = sizeof(uint64_t)};
    }
    return numbers;
}

void numbers_free(struct numbers *numbers)
{
    free(numbers->values);
    free(numbers->inputs);
}

uint64_t result_number(const kin_result *result)
{
    uint64_t number = UINT64_MAX;
    if (result != NULL && result->bytes.size == sizeof number) {
        memcpy(&number, result->bytes.data, sizeof number);
    }
    return number;
}

void check_squares(kin_pool *pool, size_t count)
{
    struct numbers numbers = numbers_create(count);
    kin_pool_results *results = NULL;
    CHECK_EQUAL(kin_pool_map_bytes(pool, square, numbers.inputs, count, KIN_FOREVER, &results), 0);
    CHECK_EQUAL(kin_pool_results_count(results), count);
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const kin_result *result = kin_pool_results_at(results, i);
        wrong += result == NULL || result->code != 0 || result->index != i || result->attempt < 1 ||
                 result->worker_index >= kin_pool_worker_count(pool) || result->error != NULL ||
                 result_number(result) != i * i;
    }
    CHECK_EQUAL(wrong, 0);
    kin_pool_results_free(results);
    numbers_free(&numbers);
}

int counter_next(void *user, kin_bytes *ret_input)
{
    struct counter *counter = user;
    if (counter->next == counter->end) {
        return counter->code;
    }
    counter->value = counter->next++;
    *ret_input = (kin_bytes){.data = &counter->value, .size = sizeof counter->value};
    return 1;
}

bool is_gone(int32_t pid)
{
    for (int i = 0; i < 12000; i++) {
        char path[64];
        char state = 'X';
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        FILE *file = fopen(path, "r");
        if (file == NULL) {
            return true;
        }
        int fields = fscanf(file, "%*d %*s %c", &state);
        fclose(file);
        if (fields == 1 && (state == 'Z' || state == 'X')) {
            return true;
        }
        usleep(5000);
    }
    return false;
}

int32_t worker_pid(const kin_pool *pool, uint32_t index)
{
    kin_pool_worker worker = {0};
    do {
        REQUIRE(kin_pool_worker_read(pool, index, &worker) == 0);
    } while (worker.pid == 0 && usleep(1000) == 0);
    return worker.pid;
}

void wait_until_busy(const kin_pool *pool, uint32_t index)
{
    kin_pool_worker worker = {0};
    do {
        usleep(1000);
        REQUIRE(kin_pool_worker_read(pool, index, &worker) == 0);
    } while (worker.task_index == UINT64_MAX);
}
