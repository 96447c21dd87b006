/* kin from C++17: the values that are macros or inline functions, an options struct filled by
   hand, a registered function, and a message through a queue. */
#include <cerrno>
#include <cstring>
#include <kin.h>

static int answer(kin_call *call)
{
    static const char text[] = "42";
    return kin_call_return_bytes(call, text, sizeof text);
}
KIN_FUNCTION(answer)

static int send_and_receive(kin_queue *queue)
{
    kin_message message;
    if (kin_queue_get_bytes(queue, KIN_NOW, &message) != -EAGAIN ||
        kin_queue_put_bytes(queue, "hello", 6, kin_within_ms(1000)) != 0 ||
        kin_queue_get_bytes(queue, KIN_FOREVER, &message) != 0) {
        return 1;
    }
    int difference = std::strcmp(static_cast<const char *>(kin_message_bytes(&message).data),
                                 "hello");
    kin_message_free(&message);
    return difference;
}

int main(int argc, char **argv)
{
    if (kin_init(&argc, &argv) != 0) {
        return 1;
    }
    kin_queue_options options = {};
    options.size = sizeof options;
    options.item_count_max = 4;
    kin_queue *queue = nullptr;
    if (kin_queue_create(&options, &queue) != 0) {
        return 1;
    }
    int status = send_and_receive(queue);
    kin_queue_free(queue);
    return status;
}
