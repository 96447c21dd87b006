// boost::interprocess::message_queue: an array of slots and an index in a shared memory file,
// one mutex and two condition variables around every operation, one copy in and one out.

#include "queue/traffic.h"

#include <boost/interprocess/ipc/message_queue.hpp>
#include <exception>
#include <string>
#include <unistd.h>
#include <vector>

using boost::interprocess::message_queue;

static message_queue *queue;
static std::vector<unsigned char> message;

// The queue's name goes at once: the processes inherit the mapping, and nothing is left behind.
static void open_queue(const traffic_plan *plan)
{
    std::string name = "kin_bench_" + std::to_string(getpid());
    try {
        queue = new message_queue(boost::interprocess::create_only, name.c_str(), plan->capacity,
                                  plan->bytes);
    } catch (const std::exception &error) {
        harness_die("no queue: %s", error.what());
    }
    message_queue::remove(name.c_str());
    message.resize(plan->bytes);
}

static void produce(uint64_t first, uint64_t count)
{
    for (uint64_t number = first; number < first + count; number++) {
        payload_write(message.data(), message.size(), number);
        queue->send(message.data(), message.size(), 0);
    }
}

static uint64_t consume(uint64_t count)
{
    uint64_t number_sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        message_queue::size_type bytes;
        unsigned priority;
        queue->receive(message.data(), message.size(), bytes, priority);
        number_sum += payload_read(message.data(), bytes);
    }
    return number_sum;
}

const traffic_subject traffic_measured = {open_queue, produce, consume, &harness_forks};
