/* kin's queue of byte messages: one copy in, none out. */

#include "queue/traffic.h"

#include <kin.h>
#include <stdlib.h>
#include <string.h>

#define PROCESS_COUNT_MAX 16

static kin_queue *queue;
static unsigned char *message;
static size_t message_bytes;
static kin_process *processes[PROCESS_COUNT_MAX];

static void open_queue(const traffic_plan *plan)
{
    int code = kin_init(NULL, NULL);
    if (code < 0) {
        harness_die("kin_init: %s", kin_code_text(code));
    }
    code = kin_queue_create(KIN_OPTIONS(kin_queue_options, .item_count_max = plan->capacity),
                            &queue);
    if (code < 0) {
        harness_die("kin_queue_create: %s", kin_code_text(code));
    }
    message_bytes = plan->bytes;
    message = aligned_alloc(64, (plan->bytes + 63) / 64 * 64);
    if (message == NULL) {
        harness_die("no memory");
    }
}

static void produce(uint64_t first, uint64_t count)
{
    for (uint64_t number = first; number < first + count; number++) {
        payload_write(message, message_bytes, number);
        int code = kin_queue_put_bytes(queue, message, message_bytes, KIN_FOREVER);
        if (code < 0) {
            harness_die("kin_queue_put_bytes: %s", kin_code_text(code));
        }
    }
}

static uint64_t consume(uint64_t count)
{
    uint64_t number_sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        kin_message taken;
        int code = kin_queue_get_bytes(queue, KIN_FOREVER, &taken);
        if (code < 0) {
            harness_die("kin_queue_get_bytes: %s", kin_code_text(code));
        }
        kin_bytes bytes = kin_message_bytes(&taken);
        number_sum += payload_read(bytes.data, bytes.size);
        kin_message_free(&taken);
    }
    return number_sum;
}

static int take_part(kin_call *call)
{
    unsigned index;
    memcpy(&index, kin_call_bytes(call).data, sizeof index);
    harness_body_run(index);
    return 0;
}

static void start(unsigned index)
{
    int code = kin_process_start(take_part, &index, sizeof index,
                                 KIN_OPTIONS(kin_process_options, .is_daemon = true),
                                 &processes[index]);
    if (code < 0) {
        harness_die("kin_process_start: %s", kin_code_text(code));
    }
}

static void join(unsigned index)
{
    int exit_code = 1;
    int code = kin_process_join(processes[index], KIN_FOREVER);
    if (code == 0) {
        code = kin_process_exit_code(processes[index], &exit_code);
    }
    if (code < 0 || exit_code != 0) {
        harness_die("process %u: %s, exit code %d", index, kin_code_text(code), exit_code);
    }
    processes[index] = kin_process_free(processes[index]);
}

static const harness_starter kin_processes = {start, join};

const traffic_subject traffic_measured = {open_queue, produce, consume, &kin_processes};
