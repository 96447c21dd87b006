/*
 * Waiting for several things at once: messages of a worker, the end of the worker, and a word from
 * outside. See docs/guide/waiting.md.
 */
#include <errno.h>
#include <kin.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static kin_queue *results;

/* Runs in a child; it does not live long enough to say all that it wants to say. */
static int work(kin_call *call)
{
    (void)call;
    for (int number = 1; number <= 3; number++) {
        int square = number * number;
        kin_queue_put_bytes(results, &square, sizeof square, KIN_FOREVER);
    }
    abort();
}
KIN_FUNCTION(work)

static void show_results(void)
{
    kin_message message;
    while (kin_queue_get_bytes(results, KIN_NOW, &message) == 0) {
        printf("a result: %d\n", *(const int *)kin_message_bytes(&message).data);
        kin_message_free(&message);
    }
}

/* One thing that has happened; false: that was all. */
static bool handle(kin_wait_item *things, uint32_t *count)
{
    enum { RESULT, DOOR, WORKER };
    if (things[RESULT].is_ready) {
        show_results();
    } else if (things[DOOR].is_ready) {
        puts("somebody is at the door");
        return false;
    } else { /* and what it had put is taken */
        puts("the worker has ended");
        *count = WORKER; /* its sentinel would be ready for ever */
    }
    return true;
}

int main(int argc, char **argv)
{
    kin_process *worker;
    int door[2]; /* stands for a socket */
    const kin_process_options *quiet = KIN_OPTIONS(kin_process_options, .crash_is_quiet = true);
    kin_init(&argc, &argv);
    if (pipe(door) != 0 || kin_queue_create(NULL, &results) < 0 ||
        kin_process_start_bytes(work, NULL, 0, quiet, &worker) < 0) {
        return 1;
    }
    kin_wait_item things[] = {kin_wait_for_queue(results), kin_wait_for_read(door[0]),
                              kin_wait_for_read(kin_process_sentinel(worker))};
    uint32_t count = 3;
    int r;
    do {
        r = kin_wait_many(things, count, kin_within_ms(count == 3 ? 60000 : 10));
        if (r == -ETIMEDOUT && write(door[1], "x", 1) != 1) {
            break;
        }
    } while (r == -ETIMEDOUT || (r > 0 && handle(things, &count)));
    close(door[0]);
    close(door[1]);
    kin_process_free(worker);
    kin_queue_free(results);
    return r < 0;
}
