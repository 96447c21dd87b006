/*
 * Two queues: work goes out, results come back. See docs/guide/queues.md.
 */
#include <errno.h>
#include <kin.h>
#include <stdio.h>
#include <string.h>

static kin_queue *words; /* what is open here is open in every child */
static kin_queue *lengths;

/* Takes words until there will be no more. */
static int measure(kin_call *call)
{
    kin_message message;
    int r = 0;
    while ((r = kin_queue_get_bytes(words, KIN_FOREVER, &message)) == 0) {
        uint64_t length = kin_message_bytes(&message).size;
        kin_message_free(&message);
        r = kin_queue_put_bytes(lengths, &length, sizeof length, KIN_FOREVER);
        if (r < 0) {
            break;
        }
    }
    return r == -EPIPE ? 0 : kin_call_fail(call, r, "cannot go on");
}
KIN_FUNCTION(measure)

int main(int argc, char **argv)
{
    static const char *const poem[] = {"so", "much", "depends", "upon", "a", "red", "wheelbarrow"};
    enum { COUNT = sizeof poem / sizeof poem[0] };
    kin_init(&argc, &argv);
    /* At most 4 words wait at a time: whoever puts a fifth waits until one was taken. */
    if (kin_queue_create(KIN_OPTIONS(kin_queue_options, .item_count_max = 4), &words) < 0 ||
        kin_queue_create(NULL, &lengths) < 0) {
        return 1;
    }
    kin_process *workers[2] = {NULL};
    for (int i = 0; i < 2; i++) {
        if (kin_process_start_bytes(measure, NULL, 0, NULL, &workers[i]) < 0) {
            return 1;
        }
    }
    for (int i = 0; i < COUNT; i++) {
        kin_queue_put_bytes(words, poem[i], strlen(poem[i]), KIN_FOREVER);
    }
    kin_queue_close(words); /* what is in it is still taken; then the workers get -EPIPE */

    uint64_t letters = 0;
    for (int i = 0; i < COUNT; i++) {
        kin_message message;
        uint64_t length = 0;
        if (kin_queue_get_bytes(lengths, kin_within_ms(60000), &message) < 0) {
            return 1;
        }
        memcpy(&length, kin_message_bytes(&message).data, sizeof length);
        kin_message_free(&message);
        letters += length;
    }
    printf("%d words, %llu letters\n", COUNT, (unsigned long long)letters);

    for (int i = 0; i < 2; i++) {
        kin_process_join(workers[i], KIN_FOREVER);
        kin_process_free(workers[i]);
    }
    printf("left in the queues: %d\n",
           (int)(kin_queue_item_count(words) + kin_queue_item_count(lengths)));
    kin_queue_free(words);
    kin_queue_free(lengths);
    return 0;
}
