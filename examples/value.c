/*
 * Values that processes share: a counter under its lock, a counter without, and the handle of a
 * queue whose giver is gone. See docs/guide/shared.md.
 */
#include <kin.h>
#include <signal.h>
#include <stdio.h>

enum { PROCESSES = 5, ROUNDS = 1000 };

static kin_value *locked; /* what is open here is open in every child */
static kin_value *atomic;
static kin_value *name;

static int count(kin_call *call)
{
    (void)call;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t number = 0;
        kin_value_acquire(locked, KIN_FOREVER); /* get and set are one step for the others */
        kin_value_get_int(locked, &number);
        kin_value_set_int(locked, number + 1);
        kin_value_release(locked);

        kin_value_add_int(atomic, 1, NULL); /* is one step without the lock */
    }
    return 0;
}
KIN_FUNCTION(count)

/* Is killed between its two steps. */
static int die_halfway(kin_call *call)
{
    (void)call;
    kin_value_acquire(locked, KIN_FOREVER);
    kin_value_set_int(locked, -1);
    raise(SIGKILL);
    return 0;
}
KIN_FUNCTION(die_halfway)

/* Makes a queue, puts a message into it, leaves it in the value, and is killed. */
static int leave_a_queue(kin_call *call)
{
    kin_queue *queue = NULL;
    int r = kin_queue_create(NULL, &queue);
    if (r < 0 || kin_queue_put_bytes(queue, "still here", 10, KIN_NOW) < 0 ||
        kin_value_set_handle(name, kin_queue_handle(queue)) < 0) {
        return kin_call_fail(call, r, "no queue");
    }
    raise(SIGKILL);
    return 0;
}
KIN_FUNCTION(leave_a_queue)

static void run(kin_function *function, int process_count)
{
    kin_process *children[PROCESSES] = {NULL};
    for (int i = 0; i < process_count; i++) {
        if (kin_process_start_bytes(function, NULL, 0, NULL, &children[i]) < 0) {
            puts("no process");
        }
    }
    for (int i = 0; i < process_count; i++) {
        kin_process_join(children[i], KIN_FOREVER);
        kin_process_free(children[i]);
    }
}

static void read_the_queue(void)
{
    kin_handle handle;
    kin_queue *queue = NULL;
    kin_message message;
    kin_value_get_handle(name, &handle);
    if (kin_queue_attach(handle, &queue) == 0 &&
        kin_queue_get_bytes(queue, KIN_NOW, &message) == 0) {
        kin_bytes bytes = kin_message_bytes(&message);
        printf("%.*s\n", (int)bytes.size, (const char *)bytes.data);
        kin_message_free(&message);
    }
    kin_queue_free(queue);
}

int main(int argc, char **argv)
{
    int64_t number = 0;
    int64_t sum = 0;
    kin_init(&argc, &argv);
    if (kin_value_create(KIN_ITEM_INT, NULL, &locked) < 0 ||
        kin_value_create(KIN_ITEM_INT, KIN_OPTIONS(kin_value_options, .is_raw = true), &atomic) <
            0 ||
        kin_value_create(KIN_ITEM_HANDLE, NULL, &name) < 0) {
        return 1;
    }
    run(count, PROCESSES);
    kin_value_get_int(locked, &number);
    kin_value_get_int(atomic, &sum);
    printf("%lld and %lld\n", (long long)number, (long long)sum);

    run(die_halfway, 1);
    int r = kin_value_get_int(locked, &number);
    printf("%lld, %s\n", (long long)number, kin_code_name(r));
    kin_value_acquire(locked, KIN_FOREVER);
    kin_value_set_int(locked, sum);
    kin_value_mark_consistent(locked); /* it is in order again */
    kin_value_release(locked);
    r = kin_value_get_int(locked, &number);
    printf("%lld, %s\n", (long long)number, kin_code_name(r));

    run(leave_a_queue, 1);
    read_the_queue();
    kin_value_free(name); /* and with it the queue */
    kin_value_free(locked);
    kin_value_free(atomic);
    return 0;
}
