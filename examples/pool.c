/*
 * A pool: worker processes square numbers. One number is refused, one kills its worker. See
 * docs/guide/pools.md.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <kin.h>

/* Runs in a worker. */
static int square(kin_call *call)
{
    uint64_t number;
    memcpy(&number, kin_call_bytes(call).data, sizeof number);
    if (number == 3) {
        raise(SIGKILL); /* as if the system had run out of memory */
    }
    if (number > UINT32_MAX) {
        return kin_call_fail(call, -ERANGE, "%llu is too large to square",
                             (unsigned long long)number);
    }
    number *= number;
    return kin_call_return_bytes(call, &number, sizeof number);
}
KIN_FUNCTION(square)

static void print(const kin_result *result)
{
    uint64_t squared;
    if (result->code < 0) {
        printf("input %llu: %s: %s\n", (unsigned long long)result->index,
               kin_code_name(result->code), kin_error_message(result->error));
        return;
    }
    memcpy(&squared, result->bytes.data, sizeof squared);
    printf("input %llu: %llu\n", (unsigned long long)result->index, (unsigned long long)squared);
}

int main(int argc, char **argv)
{
    static const uint64_t numbers[] = {1, 2, 3, 4, 5000000000, 6};
    enum { COUNT = sizeof numbers / sizeof numbers[0] };
    kin_bytes inputs[COUNT];
    kin_pool_results *results;
    kin_pool *pool;
    for (int i = 0; i < COUNT; i++) {
        inputs[i] = (kin_bytes){.data = &numbers[i], .size = sizeof numbers[i]};
    }
    int code = kin_init(&argc, &argv);
    if (code == 0) {
        code = kin_pool_create(KIN_OPTIONS(kin_pool_options, .worker_count = 1), &pool);
    }
    if (code == 0) {
        code = kin_pool_map_bytes(pool, square, inputs, COUNT, KIN_FOREVER, &results);
        for (size_t i = 0; code == 0 && i < kin_pool_results_count(results); i++) {
            print(kin_pool_results_at(results, i));
        }
        if (code == 0) {
            kin_pool_results_free(results);
        }
        kin_pool_free(pool);
    }
    if (code < 0) {
        fprintf(stderr, "pool: %s\n", kin_code_text(code));
    }
    return code < 0;
}
