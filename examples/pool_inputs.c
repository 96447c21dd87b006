/*
 * Tasks that are given an open file and a shared number: the files have no names by which a worker
 * could open them. See docs/guide/pools.md.
 */
#include <kin.h>
#include <stdio.h>
#include <unistd.h>

/* Counts the lines of a file and adds them to a number. Runs in a worker. */
static int count_lines(kin_call *call)
{
    int64_t lines = 0;
    char bytes[4096];
    kin_value *total = NULL;
    int r = kin_value_attach(kin_call_handle(call, 0), &total);
    if (r < 0) {
        return r;
    }
    off_t at = 0;
    ssize_t got;
    while ((got = pread(kin_call_fd(call, 0), bytes, sizeof bytes, at)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            lines += bytes[i] == '\n';
        }
        at += got;
    }
    r = kin_value_add_int(total, lines, NULL);
    kin_value_free(total);
    return r < 0 ? r : kin_call_return_bytes(call, &lines, sizeof lines);
}
KIN_FUNCTION(count_lines)

enum { FILE_COUNT = 4 };

/* Makes the files and the tasks; `fds` and `total` are borrowed by them. */
static void make_inputs(kin_pool_input *inputs, int *fds, const kin_handle *total)
{
    for (int i = 0; i < FILE_COUNT; i++) {
        FILE *file = tmpfile();
        for (int line = 0; line <= i; line++) {
            fprintf(file, "line %d\n", line);
        }
        fflush(file);
        fds[i] = dup(fileno(file));
        fclose(file);
        inputs[i] = (kin_pool_input){
            .handles = total, .handle_count = 1, .fds = &fds[i], .fd_count = 1};
    }
}

int main(int argc, char **argv)
{
    kin_pool *pool;
    kin_value *total;
    kin_pool_input inputs[FILE_COUNT];
    kin_pool_results *results;
    int fds[FILE_COUNT];
    int64_t sum;
    kin_init(&argc, &argv);
    if (kin_pool_create(KIN_OPTIONS(kin_pool_options, .worker_count = 2), &pool) < 0 ||
        kin_value_create('q', NULL, &total) < 0) {
        return 1;
    }
    kin_handle handle = kin_value_handle(total);
    make_inputs(inputs, fds, &handle);
    if (kin_pool_map_inputs(pool, count_lines, inputs, FILE_COUNT, KIN_FOREVER, &results) < 0) {
        return 1;
    }
    for (int i = 0; i < FILE_COUNT; i++) {
        const kin_result *result = kin_pool_results_at(results, (size_t)i);
        printf("file %d: %lld lines\n", i, (long long)*(const int64_t *)result->bytes.data);
        close(fds[i]);
    }
    kin_value_get_int(total, &sum);
    printf("together: %lld\n", (long long)sum);
    kin_pool_results_free(results);
    kin_pool_free(pool);
    kin_value_free(total);
    return 0;
}
