/*
 * A queue and a pipe in one poll loop, and an object sent along with a message. See
 * docs/guide/queues.md.
 */
#include <kin.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static kin_queue *orders;

/* Orders something, and an event with it that says when it was delivered. */
static int order(kin_call *call)
{
    kin_event *delivered = NULL;
    (void)call;
    if (kin_event_create(NULL, &delivered) < 0) {
        return 1;
    }
    kin_handle handle = kin_event_handle(delivered);
    int r = kin_queue_put_with_handles(orders, (kin_bytes){"bread", 6}, &handle, 1, KIN_FOREVER);
    if (r == 0) {
        r = kin_event_wait(delivered, KIN_FOREVER);
    }
    kin_event_free(delivered);
    return r;
}
KIN_FUNCTION(order)

static void serve_orders(void)
{
    kin_message message;
    while (kin_queue_get_bytes(orders, KIN_NOW, &message) == 0) { /* until -EAGAIN */
        kin_event *delivered = NULL;
        printf("order: %s\n", (const char *)kin_message_bytes(&message).data);
        if (kin_event_attach(kin_message_handles(&message, NULL)[0], &delivered) == 0) {
            kin_event_set(delivered);
            kin_event_free(delivered);
        }
        kin_message_free(&message);
    }
}

int main(int argc, char **argv)
{
    kin_process *customer = NULL;
    int ends[2];
    int queue_fd = -1;
    kin_init(&argc, &argv);
    if (pipe(ends) != 0 || kin_queue_create(NULL, &orders) < 0 ||
        kin_queue_event_fd(orders, &queue_fd) < 0 ||
        kin_process_start_bytes(order, NULL, 0, NULL, &customer) < 0) {
        return 1;
    }
    struct pollfd polled[] = {{.fd = queue_fd, .events = POLLIN},
                              {.fd = ends[0], .events = POLLIN}};
    for (bool is_open = true; is_open;) {
        if (poll(polled, 2, -1) < 0) {
            return 1;
        }
        if (polled[0].revents != 0) {
            serve_orders();
            kin_process_join(customer, KIN_FOREVER); /* it has heard of the delivery */
            if (write(ends[1], "x", 1) != 1) {
                return 1;
            }
        }
        if (polled[1].revents != 0) {
            puts("pipe: closing time");
            is_open = false;
        }
    }
    close(ends[0]);
    close(ends[1]);
    kin_process_free(customer);
    kin_queue_free(orders);
    return 0;
}
