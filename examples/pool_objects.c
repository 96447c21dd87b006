/*
 * A function over many objects, in worker processes.
 */
#include <errno.h>
#include <kin.h>
#include <stdio.h>

static int square(kin_call *call)
{
    int64_t number = kin_call_int(call, 0);
    if (number > INT32_MAX) {
        return kin_call_fail(call, -ERANGE, "%lld is too large to square", (long long)number);
    }
    return kin_call_return_int(call, number * number);
}
KIN_FUNCTION(square)

int main(int argc, char **argv)
{
    kin_init(&argc, &argv);
    kin_pool *pool;
    if (kin_pool_create(NULL, &pool) != 0) { /* one worker process per core */
        return 1;
    }
    kin_object *numbers = kin_object_from_range(0, 10), *squares;
    if (kin_pool_map(pool, square, numbers, NULL, KIN_FOREVER, &squares) == 0) {
        kin_object_print(squares, stdout);
        kin_object_free(squares);
    }
    kin_object_free(numbers);

    /* One that fails does not spoil the others, if one asks what became of each. */
    kin_object *mixed = KIN_LIST(kin_object_from_int(3), kin_object_from_int(INT64_C(1) << 40),
                                 kin_object_from_text("four"));
    kin_pool_results *outcomes;
    if (kin_pool_map(pool, square, mixed,
                     KIN_OPTIONS(kin_pool_map_options, .ret_outcomes = &outcomes), KIN_FOREVER,
                     &squares) == 0) {
        kin_object_print(squares, stdout);
        for (size_t i = 0; i < kin_pool_results_count(outcomes); i++) {
            const kin_result *result = kin_pool_results_at(outcomes, i);
            if (result->code < 0) {
                printf("task %zu: %s\n", i, kin_error_message(result->error));
            }
        }
        kin_object_free(squares);
        kin_pool_results_free(outcomes);
    }
    kin_object_free(mixed);
    kin_pool_free(pool);
    return 0;
}
