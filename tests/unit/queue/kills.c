/* Random kills: whatever the instant, nothing is torn, doubled or lost. */
#include "unit/queue/queues.h"

#include <time.h>

enum { KILLS = 30, MESSAGES = 4000 };

struct traffic {
    kin_queue *queue;
    uint64_t producer;
};

static void sleep_us(long us)
{
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

/* Sizes on both sides of what fits into a slot, and beyond a span. */
static size_t size_of(uint64_t number)
{
    static const size_t sizes[] = {8, 16, 104, 105, 600, 5000, 40000};
    return sizes[number % (sizeof sizes / sizeof sizes[0])];
}

struct record {
    uint64_t producer;
    uint64_t number;
    unsigned char rest[40000];
};

static int put_record(kin_queue *queue, uint64_t producer, uint64_t number)
{
    static struct record record;
    size_t size = size_of(number) + 16;
    record.producer = producer;
    record.number = number;
    memset(record.rest, byte_of(producer, number), size - 16);
    return kin_queue_put_bytes(queue, &record, size, KIN_FOREVER);
}

/* Checks a message; its producer and number. */
static void read_record(const kin_message *message, uint64_t *ret_producer, uint64_t *ret_number)
{
    kin_bytes bytes = kin_message_bytes(message);
    const struct record *record = bytes.data;
    size_t wrong = 0;
    REQUIRE(bytes.size >= 16);
    *ret_producer = record->producer;
    *ret_number = record->number;
    CHECK_EQUAL(bytes.size, size_of(record->number) + 16);
    for (size_t i = 0; i < bytes.size - 16; i++) {
        wrong += record->rest[i] != byte_of(record->producer, record->number);
    }
    CHECK_EQUAL(wrong, 0);
}

static void put_for_ever(void *user)
{
    struct traffic *traffic = user;
    for (uint64_t i = 0;; i++) {
        CHECK_EQUAL(put_record(traffic->queue, traffic->producer, i), 0);
        atomic_store(&numbers[traffic->producer], i + 1);
    }
}

static void *check_stream(void *user)
{
    static uint64_t next[KILLS];
    kin_message message;
    int r = 0;
    while ((r = kin_queue_get_bytes(user, KIN_FOREVER, &message)) == 0) {
        uint64_t producer = 0;
        uint64_t number = 0;
        read_record(&message, &producer, &number);
        REQUIRE(producer < KILLS);
        CHECK_EQUAL(number, next[producer]++); /* no gap, no double, in order */
        kin_message_free(&message);
    }
    CHECK_EQUAL(r, -EPIPE);
    for (uint64_t i = 0; i < KILLS; i++) {
        uint64_t returned = atomic_load(&numbers[i]); /* puts that returned */
        CHECK(next[i] == returned || next[i] == returned + 1);
    }
    return NULL;
}

static void kill_producers(const kin_queue_options *options)
{
    kin_queue *queue = new_queue(options);
    pthread_t consumer = thread_start(check_stream, queue);
    for (uint64_t i = 0; i < KILLS; i += 2) {
        struct traffic traffic = {.queue = queue, .producer = i};
        pid_t first = child_start(put_for_ever, &traffic);
        traffic.producer = i + 1;
        pid_t second = child_start(put_for_ever, &traffic);
        sleep_us(500 + (long)(i * 7919 % 5000));
        child_kill(first);
        sleep_us((long)(i * 104729 % 3000));
        child_kill(second);
    }
    CHECK_EQUAL(kin_queue_close(queue), 0);
    thread_join(consumer);
    for (int i = 0; i < 8; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), -EPIPE);
    }
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    CHECK_EQUAL(blocks_of_queue(queue), 2);
    kin_queue_free(queue);
}

TEST_OF_PROCESSES_WITH(producers_are_killed_and_their_messages_have_no_gap, .limit_seconds = 60)
{
    kill_producers(KIN_OPTIONS(kin_queue_options, .item_count_max = 300));
}

TEST_OF_PROCESSES_WITH(producers_of_a_tight_queue_are_killed_and_nobody_waits_for_ever,
                       .limit_seconds = 60)
{
    kill_producers(KIN_OPTIONS(kin_queue_options, .item_count_max = 1));
}

static void *put_for_ever_in_thread(void *user)
{
    put_for_ever(user);
    return NULL;
}

/* exit() is called while another thread is somewhere in a put, and runs on beside the handlers. */
static void exit_beside_a_thread(void *user)
{
    struct traffic *traffic = user;
    thread_start(put_for_ever_in_thread, traffic);
    sleep_us(300 + (long)(traffic->producer * 7919 % 2000));
    exit(0);
}

TEST_OF_PROCESSES_WITH(an_exit_beside_a_thread_that_puts_tears_nothing, .limit_seconds = 60)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 20));
    pthread_t consumer = thread_start(check_stream, queue);
    for (uint64_t i = 0; i < KILLS; i++) {
        struct traffic traffic = {.queue = queue, .producer = i};
        child_join(child_start(exit_beside_a_thread, &traffic));
    }
    CHECK_EQUAL(kin_queue_close(queue), 0);
    thread_join(consumer);
    for (int i = 0; i < 8; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), -EPIPE);
    }
    CHECK_EQUAL(blocks_of_queue(queue), 2);
    kin_queue_free(queue);
}

/* Which messages were taken: one bit of 64 in `numbers` each would be a race; a byte each. */
static _Atomic unsigned char *taken;

static void get_for_ever(void *user)
{
    kin_message message;
    while (kin_queue_get_bytes(user, KIN_FOREVER, &message) == 0) {
        uint64_t producer = 0;
        uint64_t number = 0;
        read_record(&message, &producer, &number);
        REQUIRE(number < MESSAGES);
        atomic_fetch_add(&taken[number], 1);
        kin_message_free(&message);
    }
}

static void *put_all(void *user)
{
    for (uint64_t i = 0; i < MESSAGES; i++) {
        CHECK_EQUAL(put_record(user, 0, i), 0);
        if (i % 64 == 0) {
            sleep_us(1000); /* so that the killings spread */
        }
    }
    return NULL;
}

TEST_OF_PROCESSES_WITH(consumers_are_killed_and_each_message_comes_once, .limit_seconds = 60)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 100));
    taken = mmap(NULL, MESSAGES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(taken != MAP_FAILED);
    pthread_t producer = thread_start(put_all, queue);
    int kills = 0;
    for (; kills < KILLS; kills++) {
        pid_t other = child_start(get_for_ever, queue);
        pid_t consumer = child_start(get_for_ever, queue);
        sleep_us(300 + kills * 7919 % 3000);
        child_kill(consumer);
        sleep_us(kills * 104729 % 1000);
        child_kill(other);
    }
    pid_t last = child_start(get_for_ever, queue);
    thread_join(producer);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    child_join(last);
    int missing = 0;
    for (int i = 0; i < MESSAGES; i++) {
        missing += atomic_load(&taken[i]) == 0;
        CHECK(atomic_load(&taken[i]) <= 1);
    }
    CHECK(missing <= 2 * kills); /* taken by one that was killed before it could note it */
    munmap((void *)taken, MESSAGES);
    for (int i = 0; i < 8; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), -EPIPE);
    }
    CHECK_EQUAL(blocks_of_queue(queue), 2);
    kin_queue_free(queue);
}
