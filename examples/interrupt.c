/*
 * A program that Ctrl-C ends in order. See docs/guide/processes.md.
 */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <kin.h>
#include <signal.h>
#include <stdio.h>

static kin_queue *orders;

/* Runs in a child, which Ctrl-C does not reach: it ends when it is told to, nothing half done. */
static int serve(kin_call *call)
{
    int served = 0;
    kin_object *order = NULL;
    (void)call;
    while (kin_queue_get(orders, KIN_FOREVER, &order) == 0) {
        bool is_last = kin_object_kind(order) == KIN_KIND_NONE;
        kin_object_free(order);
        if (is_last) {
            return served;
        }
        served++;
    }
    return -EIO;
}
KIN_FUNCTION(serve)

int main(int argc, char **argv)
{
    kin_cancel *stop = NULL;
    kin_process *server = NULL;
    kin_object *nothing = kin_object_none();
    int served = 0;
    kin_init(&argc, &argv);
    if (kin_interrupt_handle(&stop) < 0 || kin_queue_create(NULL, &orders) < 0 ||
        kin_process_start(serve, nothing, NULL, &server) < 0) {
        return 1;
    }
    for (int i = 0; i < 3; i++) {
        kin_object *order = kin_object_from_int(i);
        kin_queue_put(orders, order, KIN_FOREVER);
        kin_object_free(order);
    }
    raise(SIGINT); /* for this example: somebody presses Ctrl-C */
    int r = kin_process_join(server, kin_by(INT64_MAX, stop));
    if (r == -ECANCELED) {
        printf("interrupted: no more orders\n");
        kin_queue_put(orders, nothing, KIN_FOREVER);
        kin_process_join(server, KIN_FOREVER);
    }
    kin_process_exit_code(server, &served);
    printf("%d orders were served\n", served);
    kin_process_free(server);
    kin_queue_free(orders);
    return 0;
}
