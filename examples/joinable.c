/*
 * A joinable queue: numbers go out in one call, and come in by the dozen; main waits until all are
 * worked on. See docs/guide/queues.md.
 */
#include <kin.h>
#include <stdio.h>
#include <string.h>

enum { COUNT = 1000, WORKERS = 3 };

static kin_queue *numbers;
static kin_queue *sums;

static int add(kin_call *call)
{
    kin_message batch[12];
    uint64_t sum = 0;
    int count = 0;
    (void)call;
    while ((count = kin_queue_get_many_bytes(numbers, 12, KIN_FOREVER, batch)) > 0) {
        for (int i = 0; i < count; i++) {
            uint64_t number;
            memcpy(&number, kin_message_bytes(&batch[i]).data, sizeof number);
            kin_message_free(&batch[i]);
            sum += number;
            kin_queue_task_done(numbers); /* one for each that was taken */
        }
    }
    return kin_queue_put_bytes(sums, &sum, sizeof sum, KIN_FOREVER);
}
KIN_FUNCTION(add)

int main(int argc, char **argv)
{
    static uint64_t values[COUNT];
    static kin_bytes messages[COUNT];
    kin_process *workers[WORKERS] = {NULL};
    kin_init(&argc, &argv);
    if (kin_queue_create(KIN_OPTIONS(kin_queue_options, .is_joinable = true), &numbers) < 0 ||
        kin_queue_create(NULL, &sums) < 0) {
        return 1;
    }
    for (int i = 0; i < WORKERS; i++) {
        kin_process_start_bytes(add, NULL, 0, NULL, &workers[i]);
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        values[i] = i + 1;
        messages[i] = (kin_bytes){&values[i], sizeof values[i]};
    }
    kin_queue_put_many_bytes(numbers, messages, COUNT, KIN_FOREVER);
    kin_queue_join(numbers, KIN_FOREVER);
    printf("%d numbers are done\n", COUNT);

    kin_queue_close(numbers); /* the workers end */
    uint64_t total = 0;
    for (int i = 0; i < WORKERS; i++) {
        kin_message message;
        uint64_t sum;
        kin_queue_get_bytes(sums, KIN_FOREVER, &message);
        memcpy(&sum, kin_message_bytes(&message).data, sizeof sum);
        kin_message_free(&message);
        total += sum;
        kin_process_join(workers[i], KIN_FOREVER);
        kin_process_free(workers[i]);
    }
    printf("sum %llu\n", (unsigned long long)total);
    kin_queue_free(numbers);
    kin_queue_free(sums);
    return 0;
}
