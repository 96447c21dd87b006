/*
 * Start methods: a child that is a copy of its parent, and one that is this program anew. Both are
 * given a queue, which travels as a handle, and the end of a pipe. See docs/guide/processes.md.
 */
#include <stdio.h>
#include <unistd.h>

#include <kin.h>

static int counter; /* each process has its own */

/* Runs in a child: arguments are a queue and the end of a pipe. */
static int report(kin_call *call)
{
    kin_handle handle = {0};
    kin_queue *queue = NULL;
    int code = kin_object_to_handle(kin_call_argument(call, 0), &handle);
    if (code == 0) {
        code = kin_queue_attach(handle, &queue);
    }
    if (code == 0) {
        code = kin_queue_put_bytes(queue, &counter, sizeof counter, KIN_FOREVER);
        kin_queue_free(queue);
    }
    if (code == 0 && dprintf(kin_object_fd(kin_call_argument(call, 1)), "hello\n") < 0) {
        code = kin_call_fail(call, -EPIPE, "nobody reads");
    }
    counter++;
    return code;
}
KIN_FUNCTION(report)

static int run(const kin_context *context, kin_queue *queue)
{
    int ends[2];
    char line[8] = "";
    kin_object *given = NULL, *pipe_end = NULL;
    kin_message number;
    kin_process *process = NULL;
    if (pipe(ends) != 0) {
        return -1;
    }
    kin_object_from_handle(kin_queue_handle(queue), &given);
    kin_object_from_fd(ends[1], &pipe_end);
    kin_object *arguments = KIN_TUPLE(given, pipe_end);
    const kin_process_options *options = KIN_OPTIONS(kin_process_options, .context = context);
    int code = kin_process_start(report, arguments, options, &process);
    kin_object_free(arguments);
    close(ends[1]);
    if (code == 0) {
        code = kin_queue_get_bytes(queue, KIN_FOREVER, &number);
    }
    if (code == 0) {
        printf("%s by %s: ", kin_process_name(process), kin_context_name(context));
        printf("counter is %d\n", *(const int *)kin_message_bytes(&number).data);
        kin_message_free(&number);
    }
    if (code == 0 && read(ends[0], line, sizeof line - 1) > 0) {
        fputs(line, stdout);
    }
    kin_process_join(process, KIN_FOREVER);
    kin_process_free(process);
    close(ends[0]);
    return code;
}

int main(int argc, char **argv)
{
    kin_queue *queue = NULL;
    int code = kin_init(&argc, &argv); /* a spawned child runs its function in here */
    if (code == 0) {
        code = kin_queue_create(NULL, &queue);
    }
    counter = 5;
    if (code == 0) {
        code = run(kin_context_get(KIN_FORK), queue);
    }
    if (code == 0) {
        code = run(kin_context_get(KIN_SPAWN), queue);
    }
    printf("counter is still %d\n", counter);
    kin_queue_free(queue);
    return code == 0 ? 0 : 1;
}
