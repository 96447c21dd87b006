/*
 * The forkserver: a table that takes long to make is made once, in the process that children are
 * forked from. See docs/guide/processes.md.
 */
#include <stdbool.h>
#include <stdio.h>

#include <kin.h>

enum { LIMIT = 1000000, PARTS = 4 };

static bool is_composite[LIMIT]; /* made in the server, found in its children, empty in main */

/* Runs once, in the server. */
static int sieve(kin_call *call)
{
    int64_t limit = kin_call_int(call, 0);
    for (int64_t i = 2; i * i < limit; i++) {
        for (int64_t j = i * i; !is_composite[i] && j < limit; j += i) {
            is_composite[j] = true;
        }
    }
    return 0;
}
KIN_FUNCTION(sieve)

/* Runs in a child: adds the number of primes in a range to a value. */
static int count_primes(kin_call *call)
{
    kin_handle handle;
    kin_value *total = NULL;
    int64_t count = 0;
    for (int64_t i = kin_call_int(call, 0); i < kin_call_int(call, 1); i++) {
        count += i >= 2 && !is_composite[i];
    }
    int code = kin_object_to_handle(kin_call_argument(call, 2), &handle);
    if (code == 0) {
        code = kin_value_attach(handle, &total);
    }
    if (code == 0) {
        code = kin_value_add_int(total, count, NULL);
    }
    kin_value_free(total);
    return code;
}
KIN_FUNCTION(count_primes)

static int start_child(int64_t part, const kin_value *total, kin_process **ret_process)
{
    kin_object *handle = NULL;
    int code = kin_object_from_handle(kin_value_handle(total), &handle);
    if (code < 0) {
        return code;
    }
    kin_object *arguments = KIN_TUPLE(kin_object_from_int(part * LIMIT / PARTS),
                                      kin_object_from_int((part + 1) * LIMIT / PARTS), handle);
    code = kin_process_start(
        count_primes, arguments,
        KIN_OPTIONS(kin_process_options, .context = kin_context_get(KIN_FORKSERVER)), ret_process);
    kin_object_free(arguments);
    return code;
}

static int count_in_children(kin_value *total)
{
    kin_process *children[PARTS] = {NULL};
    int code = 0;
    for (int i = 0; i < PARTS && code == 0; i++) {
        code = start_child(i, total, &children[i]);
    }
    for (int i = 0; i < PARTS; i++) {
        if (children[i] != NULL) {
            kin_process_join(children[i], KIN_FOREVER);
            kin_process_free(children[i]);
        }
    }
    return code;
}

int main(int argc, char **argv)
{
    kin_value *total = NULL;
    int64_t count = 0;
    int code = kin_init(&argc, &argv);
    if (code == 0) {
        kin_object *arguments = KIN_TUPLE(kin_object_from_int(LIMIT));
        code = kin_forkserver_preload(sieve, arguments);
        kin_object_free(arguments);
    }
    if (code == 0) {
        code = kin_value_create('q', NULL, &total);
    }
    if (code == 0) {
        code = count_in_children(total);
    }
    if (code == 0) {
        code = kin_value_get_int(total, &count);
    }
    if (code == 0) {
        printf("%lld primes below %d\n", (long long)count, LIMIT);
    } else {
        fprintf(stderr, "forkserver: %s\n", kin_code_text(code));
    }
    kin_value_free(total);
    return code != 0;
}
