/* Many producers and consumers: order, counts, blocking, wake-ups. */
#include "unit/queue/queues.h"

enum { PRODUCERS = 3, CONSUMERS = 3, EACH = 3000 };

/* A message says who put it and which of its messages it is. */
static uint64_t label(uint64_t producer, uint64_t number)
{
    return producer << 32 | number;
}

struct work {
    kin_queue *queue;
    uint64_t producer; /* or consumer */
    uint64_t count;
};

static void produce(void *user)
{
    struct work *work = user;
    for (uint64_t i = 0; i < work->count; i++) {
        CHECK_EQUAL(put_number(work->queue, label(work->producer, i), KIN_FOREVER), 0);
    }
}

/* Takes until the queue is closed. Each producer's numbers must rise. numbers[0]: messages,
 * numbers[1]: sum of them. */
static void consume(void *user)
{
    struct work *work = user;
    uint64_t next[2 * PRODUCERS] = {0};
    int64_t got = 0;
    while ((got = get_number(work->queue, KIN_FOREVER)) >= 0) {
        uint64_t producer = (uint64_t)got >> 32;
        uint64_t number = (uint64_t)got & UINT32_MAX;
        CHECK(producer < 2 * PRODUCERS && number >= next[producer]);
        next[producer % (2 * PRODUCERS)] = number + 1;
        atomic_fetch_add(&numbers[0], 1);
        atomic_fetch_add(&numbers[1], (uint64_t)got);
    }
    CHECK_EQUAL(got, -EPIPE);
}

static void *produce_in_thread(void *user)
{
    produce(user);
    return NULL;
}

static void *consume_in_thread(void *user)
{
    consume(user);
    return NULL;
}

static void check_all_came(uint64_t producers, uint64_t each)
{
    uint64_t sum = 0;
    for (uint64_t producer = 0; producer < producers; producer++) {
        for (uint64_t i = 0; i < each; i++) {
            sum += label(producer, i);
        }
    }
    CHECK_EQUAL(atomic_load(&numbers[0]), producers * each);
    CHECK_EQUAL(atomic_load(&numbers[1]), sum);
}

TEST_OF_PROCESSES(one_consumer_sees_the_order_of_one_producer)
{
    kin_queue *queue = new_queue(NULL);
    struct work work = {.queue = queue, .count = 5000};
    pid_t producer = child_start(produce, &work);
    for (uint64_t i = 0; i < 5000; i++) {
        CHECK_EQUAL(get_number(queue, KIN_FOREVER), i);
    }
    child_join(producer);
    kin_queue_free(queue);
}

static void run_threads(const kin_queue_options *options)
{
    kin_queue *queue = new_queue(options);
    struct work consuming = {.queue = queue};
    struct work work[PRODUCERS];
    pthread_t producers[PRODUCERS];
    pthread_t consumers[CONSUMERS];
    for (uint64_t i = 0; i < CONSUMERS; i++) {
        consumers[i] = thread_start(consume_in_thread, &consuming);
    }
    for (uint64_t i = 0; i < PRODUCERS; i++) {
        work[i] = (struct work){.queue = queue, .producer = i, .count = EACH};
        producers[i] = thread_start(produce_in_thread, &work[i]);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        thread_join(producers[i]);
    }
    CHECK_EQUAL(kin_queue_close(queue), 0);
    for (int i = 0; i < CONSUMERS; i++) {
        thread_join(consumers[i]);
    }
    check_all_came(PRODUCERS, EACH);
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    kin_queue_free(queue);
}

static void run_processes(const kin_queue_options *options)
{
    kin_queue *queue = new_queue(options);
    pid_t producers[PRODUCERS];
    pid_t consumers[CONSUMERS];
    struct work work = {.queue = queue, .count = EACH};
    for (int i = 0; i < CONSUMERS; i++) {
        consumers[i] = child_start(consume, &work);
    }
    for (uint64_t i = 0; i < PRODUCERS; i++) {
        work.producer = i;
        producers[i] = child_start(produce, &work);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        child_join(producers[i]);
    }
    CHECK_EQUAL(kin_queue_close(queue), 0);
    for (int i = 0; i < CONSUMERS; i++) {
        child_join(consumers[i]);
    }
    check_all_came(PRODUCERS, EACH);
    kin_queue_free(queue);
}

TEST(all_messages_of_many_threads_arrive_once)
{
    run_threads(NULL);
}

TEST(all_messages_of_many_threads_pass_a_queue_of_one_item)
{
    run_threads(KIN_OPTIONS(kin_queue_options, .item_count_max = 1));
}

TEST(all_messages_of_many_threads_pass_a_queue_of_few_bytes)
{
    run_threads(KIN_OPTIONS(kin_queue_options, .message_bytes_max = 24));
}

TEST_OF_PROCESSES(all_messages_of_many_processes_arrive_once)
{
    run_processes(NULL);
}

TEST_OF_PROCESSES(all_messages_of_many_processes_pass_a_queue_of_two_items)
{
    run_processes(KIN_OPTIONS(kin_queue_options, .item_count_max = 2));
}

TEST_OF_PROCESSES(threads_and_processes_share_a_queue)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 50));
    struct work work = {.queue = queue, .count = EACH};
    struct work other = {.queue = queue, .producer = 1, .count = EACH};
    pid_t child_consumer = child_start(consume, &work);
    pid_t child_producer = child_start(produce, &work);
    pthread_t consumer = thread_start(consume_in_thread, &work);
    pthread_t producer = thread_start(produce_in_thread, &other);
    child_join(child_producer);
    thread_join(producer);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    child_join(child_consumer);
    thread_join(consumer);
    check_all_came(2, EACH);
    kin_queue_free(queue);
}

/* --- blocking --- */

struct one {
    kin_queue *queue;
    size_t size;
    int number; /* counted up when done */
};

static void *put_one(void *user)
{
    struct one *one = user;
    CHECK_EQUAL(put_pattern(one->queue, 1, one->size, KIN_FOREVER), 0);
    atomic_fetch_add(&numbers[one->number], 1);
    return NULL;
}

static void *get_one(void *user)
{
    struct one *one = user;
    CHECK_EQUAL(get_pattern(one->queue, 1, KIN_FOREVER), one->size);
    atomic_fetch_add(&numbers[one->number], 1);
    return NULL;
}

TEST(a_get_sleeps_until_there_is_a_message)
{
    struct one one = {.queue = new_queue(NULL), .size = 8};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        threads[i] = thread_start(get_one, &one);
    }
    await_sleepers(getpid(), 3);
    CHECK_EQUAL(atomic_load(&numbers[0]), 0);
    for (uint64_t i = 1; i <= 3; i++) {
        CHECK_EQUAL(put_pattern(one.queue, 1, 8, KIN_NOW), 0);
        await_number(0, i);
        CHECK_EQUAL(atomic_load(&numbers[0]), i);
    }
    for (int i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    kin_queue_free(one.queue);
}

TEST(two_puts_in_a_row_wake_two)
{
    struct one one = {.queue = new_queue(NULL), .size = 8};
    for (int round = 0; round < 50; round++) {
        pthread_t first = thread_start(get_one, &one);
        pthread_t second = thread_start(get_one, &one);
        await_sleepers(getpid(), 2);
        CHECK_EQUAL(put_pattern(one.queue, 1, 8, KIN_NOW), 0);
        CHECK_EQUAL(put_pattern(one.queue, 1, 8, KIN_NOW), 0);
        thread_join(first);
        thread_join(second);
    }
    kin_queue_free(one.queue);
}

TEST(two_gets_in_a_row_wake_two)
{
    struct one one = {.queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 2)),
                      .size = 8};
    for (int round = 0; round < 50; round++) {
        CHECK_EQUAL(put_pattern(one.queue, 1, 8, KIN_NOW), 0);
        CHECK_EQUAL(put_pattern(one.queue, 1, 8, KIN_NOW), 0);
        pthread_t first = thread_start(put_one, &one);
        pthread_t second = thread_start(put_one, &one);
        await_sleepers(getpid(), 2);
        CHECK_EQUAL(get_pattern(one.queue, 1, KIN_NOW), 8);
        CHECK_EQUAL(get_pattern(one.queue, 1, KIN_NOW), 8);
        thread_join(first);
        thread_join(second);
        CHECK_EQUAL(get_pattern(one.queue, 1, KIN_NOW), 8);
        CHECK_EQUAL(get_pattern(one.queue, 1, KIN_NOW), 8);
    }
    kin_queue_free(one.queue);
}

TEST(a_producer_whose_message_fits_is_not_held_up_by_one_whose_does_not)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .message_bytes_max = 100));
    struct one large = {.queue = queue, .size = 100, .number = 0};
    struct one small = {.queue = queue, .size = 1, .number = 1};
    CHECK_EQUAL(put_pattern(queue, 1, 10, KIN_NOW), 0);
    CHECK_EQUAL(put_pattern(queue, 1, 90, KIN_NOW), 0);
    pthread_t first = thread_start(put_one, &large);
    await_sleepers(getpid(), 1);
    pthread_t second = thread_start(put_one, &small);
    await_sleepers(getpid(), 2);
    CHECK_EQUAL(get_pattern(queue, 1, KIN_NOW), 10); /* wakes the first, for which it is no use */
    thread_join(second);
    CHECK_EQUAL(get_pattern(queue, 1, KIN_NOW), 90);
    CHECK_EQUAL(atomic_load(&numbers[0]), 0);
    CHECK_EQUAL(get_pattern(queue, 1, KIN_NOW), 1);
    thread_join(first);
    CHECK_EQUAL(get_pattern(queue, 1, KIN_NOW), 100);
    kin_queue_free(queue);
}

TEST(a_large_message_taken_lets_several_small_ones_in)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .message_bytes_max = 100));
    struct one one = {.queue = queue, .size = 20};
    pthread_t threads[5];
    CHECK_EQUAL(put_pattern(queue, 1, 100, KIN_NOW), 0);
    for (int i = 0; i < 5; i++) {
        threads[i] = thread_start(put_one, &one);
    }
    await_sleepers(getpid(), 5);
    CHECK_EQUAL(get_pattern(queue, 1, KIN_NOW), 100);
    for (int i = 0; i < 5; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(put_pattern(queue, 1, 1, KIN_NOW), -EAGAIN);
    kin_queue_free(queue);
}

TEST(a_consumer_that_gives_up_leaves_no_other_asleep)
{
    kin_queue *queue = new_queue(NULL);
    struct one one = {.queue = queue, .size = 8};
    for (int round = 0; round < 100; round++) {
        pthread_t patient = thread_start(get_one, &one);
        int64_t got = get_pattern(queue, 1, kin_within_ms(round % 3));
        CHECK_EQUAL(got, -ETIMEDOUT);
        CHECK_EQUAL(put_pattern(queue, 1, 8, KIN_NOW), 0);
        thread_join(patient);
    }
    kin_queue_free(queue);
}

static void *count_items(void *user)
{
    while (atomic_load(&numbers[2]) == 0) {
        CHECK(kin_queue_item_count(user) <= 4);
    }
    return NULL;
}

TEST(the_item_count_never_passes_the_bound)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 4));
    struct work work = {.queue = queue, .count = 20000};
    pthread_t counter = thread_start(count_items, queue);
    pthread_t consumer = thread_start(consume_in_thread, &work);
    produce(&work);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    thread_join(consumer);
    atomic_store(&numbers[2], 1);
    thread_join(counter);
    kin_queue_free(queue);
}

/* --- ends of waits beside what is waited for --- */

static void *put_until_closed(void *user)
{
    int r = 0;
    while ((r = put_number(user, 1, KIN_FOREVER)) == 0) {
        atomic_fetch_add(&numbers[0], 1);
    }
    CHECK_EQUAL(r, -EPIPE);
    return NULL;
}

static void *get_until_closed(void *user)
{
    int64_t got = 0;
    while ((got = get_number(user, KIN_FOREVER)) == 1) {
        atomic_fetch_add(&numbers[1], 1);
    }
    CHECK_EQUAL(got, -EPIPE);
    return NULL;
}

TEST(a_close_beside_puts_and_gets_loses_nothing_and_ends_all)
{
    begin();
    for (int round = 0; round < 100; round++) {
        kin_queue *queue = NULL;
        uint64_t before = atomic_load(&numbers[1]);
        REQUIRE(kin_queue_create(KIN_OPTIONS(kin_queue_options, .item_count_max = 3), &queue) == 0);
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) {
            threads[i] = thread_start(i % 2 == 0 ? put_until_closed : get_until_closed, queue);
        }
        await_number(1, before + (uint64_t)round);
        CHECK_EQUAL(kin_queue_close(queue), 0);
        for (int i = 0; i < 4; i++) {
            thread_join(threads[i]);
        }
        CHECK_EQUAL(atomic_load(&numbers[0]), atomic_load(&numbers[1]));
        kin_queue_free(queue);
    }
}

struct fight {
    kin_queue *queue;
    kin_timeout timeout;
};

static void *get_under_fire(void *user)
{
    struct fight *fight = user;
    int64_t got = get_number(fight->queue, fight->timeout);
    CHECK(got == 1 || got == -ECANCELED || got == -ETIMEDOUT);
    atomic_fetch_add(&numbers[1], got == 1);
    return NULL;
}

TEST(a_get_that_is_cancelled_or_late_has_taken_nothing)
{
    struct fight fight = {.queue = new_queue(NULL)};
    for (uint64_t round = 0; round < 200; round++) {
        kin_cancel *cancel = NULL;
        REQUIRE(kin_cancel_create(&cancel) == 0);
        fight.timeout = kin_by(round % 2 == 0 ? INT64_MAX : kin_now_ns() + 100000, cancel);
        pthread_t thread = thread_start(get_under_fire, &fight);
        CHECK_EQUAL(put_number(fight.queue, 1, KIN_NOW), 0);
        CHECK_EQUAL(kin_cancel_request(cancel), 0);
        thread_join(thread);
        CHECK_EQUAL(atomic_load(&numbers[1]) + kin_queue_item_count(fight.queue), round + 1);
        kin_cancel_free(cancel);
    }
    kin_queue_free(fight.queue);
}

static void *put_under_fire(void *user)
{
    struct fight *fight = user;
    int r = put_number(fight->queue, 1, fight->timeout);
    CHECK(r == 0 || r == -ECANCELED || r == -ETIMEDOUT);
    atomic_fetch_add(&numbers[0], r == 0);
    return NULL;
}

TEST(a_put_that_is_cancelled_or_late_has_put_nothing)
{
    struct fight fight = {.queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 1))};
    CHECK_EQUAL(put_number(fight.queue, 1, KIN_NOW), 0);
    for (uint64_t round = 0; round < 200; round++) {
        kin_cancel *cancel = NULL;
        REQUIRE(kin_cancel_create(&cancel) == 0);
        fight.timeout = kin_by(round % 2 == 0 ? INT64_MAX : kin_now_ns() + 100000, cancel);
        pthread_t thread = thread_start(put_under_fire, &fight);
        CHECK_EQUAL(get_number(fight.queue, KIN_NOW), 1);
        CHECK_EQUAL(kin_cancel_request(cancel), 0);
        thread_join(thread);
        CHECK_EQUAL(kin_queue_item_count(fight.queue), atomic_load(&numbers[0]));
        if (atomic_exchange(&numbers[0], 0) == 0) {
            CHECK_EQUAL(put_number(fight.queue, 1, KIN_NOW), 0);
        }
        kin_cancel_free(cancel);
    }
    kin_queue_free(fight.queue);
}

/* --- handles --- */

static void answer(void *user)
{
    kin_message message;
    kin_queue *answers = NULL;
    CHECK_EQUAL(kin_queue_get_bytes(user, KIN_FOREVER, &message), 0);
    kin_handle handle;
    CHECK_EQUAL(kin_message_bytes(&message).size, sizeof handle);
    memcpy(&handle, kin_message_bytes(&message).data, sizeof handle);
    kin_message_free(&message);
    CHECK_EQUAL(kin_queue_attach(handle, &answers), 0);
    CHECK_EQUAL(put_number(answers, 42, KIN_NOW), 0);
    kin_queue_free(answers);
}

TEST_OF_PROCESSES(a_queue_travels_to_another_process_by_its_handle)
{
    kin_queue *questions = new_queue(NULL);
    pid_t child = child_start(answer, questions);
    kin_queue *answers = NULL; /* the child has never seen it */
    REQUIRE(kin_queue_create(NULL, &answers) == 0);
    kin_handle handle = kin_queue_handle(answers);
    CHECK_EQUAL(kin_queue_put_bytes(questions, &handle, sizeof handle, KIN_NOW), 0);
    CHECK_EQUAL(get_number(answers, KIN_FOREVER), 42);
    child_join(child);
    kin_queue_free(answers);
    kin_queue_free(questions);
}

TEST_OF_PROCESSES(a_plainly_forked_child_puts_and_gets)
{
    kin_queue *queue = new_queue(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQUAL(put_number(queue, 6, KIN_NOW), 0);
        CHECK_EQUAL(put_pattern(queue, 7, 3000, KIN_NOW), 0);
        kin_queue_free(queue);
        kin_fini();
        _exit(0);
    }
    child_join(pid);
    CHECK_EQUAL(get_number(queue, KIN_FOREVER), 6);
    CHECK_EQUAL(get_pattern(queue, 7, KIN_FOREVER), 3000);
    kin_queue_free(queue);
}

TEST_OF_PROCESSES(a_queue_that_was_freed_before_a_plainly_forked_child_joined_is_stale)
{
    kin_queue *queue = new_queue(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        await_number(0, 1);
        CHECK_EQUAL(kin_queue_item_count(queue), 0);
        CHECK(kin_queue_is_closed(queue));
        CHECK_EQUAL(put_number(queue, 6, KIN_NOW), -ESTALE);
        CHECK_EQUAL(get_number(queue, KIN_NOW), -ESTALE);
        CHECK_EQUAL(kin_queue_close(queue), -ESTALE);
        kin_queue_free(queue);
        kin_fini();
        _exit(0);
    }
    kin_queue_free(queue);
    atomic_store(&numbers[0], 1);
    child_join(pid);
}
