#include "connection/exchange.h"

#include <stdlib.h>
#include <string.h>

static size_t message_bytes;
static uint64_t message_count;
static uint64_t warm_up_count;
static bool is_ping_pong;
static unsigned char *message;

static void put(uint64_t number)
{
    memcpy(message, &number, sizeof number);
    exchange_measured.send(message, message_bytes);
}

static void get(uint64_t number)
{
    uint64_t got = 0;
    exchange_measured.receive(message, message_bytes);
    memcpy(&got, message, sizeof got);
    if (got != number) {
        harness_die("message %llu came, not %llu", (unsigned long long)got,
                    (unsigned long long)number);
    }
}

static void send_all(uint64_t count)
{
    for (uint64_t number = 0; number < count; number++) {
        put(number);
        if (is_ping_pong) {
            get(number);
        }
    }
}

static void receive_all(uint64_t count)
{
    for (uint64_t number = 0; number < count; number++) {
        get(number);
        if (is_ping_pong) {
            put(number);
        }
    }
}

static void lap(unsigned end, uint64_t count)
{
    if (end == 1) {
        send_all(count);
    } else {
        receive_all(count);
    }
}

static void run(unsigned end)
{
    exchange_measured.keep(end);
    harness_meet();
    lap(end, warm_up_count);
    harness_meet();
    harness_begin();
    lap(end, message_count);
    harness_end();
}

int main(int argc, char **argv)
{
    harness_open(argc, argv);
    message_bytes = harness_number("bytes");
    message_count = harness_number("messages");
    warm_up_count = message_count / 16 + 1;
    is_ping_pong = harness_number_or("ping_pong", 0) != 0;
    message = calloc(1, message_bytes);
    if (message == NULL) {
        harness_die("no memory");
    }
    exchange_measured.open(harness_number_or("one_way", 0) == 0);
    harness_prepare(2, run);
    exchange_measured.starter->start(0);
    exchange_measured.starter->start(1);
    exchange_measured.leave();
    exchange_measured.starter->join(0);
    exchange_measured.starter->join(1);
    double seconds = harness_seconds();
    harness_report(is_ping_pong ? seconds * 1e6 / (double)message_count
                                : (double)message_count / seconds);
    return 0;
}
