/* Many messages in one call. */
#include "unit/queue/queues.h"

enum { MANY = 1000 };

static uint64_t values[MANY];
static kin_bytes batch[MANY];
static kin_message taken[MANY];

/* Numbers from `first` on as messages. */
static const kin_bytes *numbers_from(uint64_t first)
{
    for (uint64_t i = 0; i < MANY; i++) {
        values[i] = first + i;
        batch[i] = (kin_bytes){&values[i], sizeof values[i]};
    }
    return batch;
}

static uint64_t number_in(kin_message *message)
{
    uint64_t number = 0;
    CHECK_EQUAL(kin_message_bytes(message).size, sizeof number);
    memcpy(&number, kin_message_bytes(message).data, sizeof number);
    kin_message_free(message);
    return number;
}

TEST(a_batch_comes_out_in_its_order)
{
    kin_queue *queue = new_queue(NULL);
    CHECK_EQUAL(kin_queue_put_many_bytes(queue, numbers_from(5), MANY, KIN_NOW), MANY);
    CHECK_EQUAL(kin_queue_item_count(queue), MANY);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 5);
    CHECK_EQUAL(kin_queue_get_many_bytes(queue, 100, KIN_NOW, taken), 100);
    for (uint64_t i = 0; i < 100; i++) {
        CHECK_EQUAL(number_in(&taken[i]), 6 + i);
    }
    CHECK_EQUAL(kin_queue_get_many_bytes(queue, MANY, KIN_NOW, taken), MANY - 101);
    CHECK_EQUAL(number_in(&taken[MANY - 102]), MANY + 4);
    CHECK_EQUAL(kin_queue_get_many_bytes(queue, MANY, KIN_NOW, taken), -EAGAIN);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

TEST(a_batch_has_messages_of_all_sizes)
{
    kin_queue *queue = new_queue(NULL);
    static unsigned char bytes[70000];
    static const size_t sizes[] = {0, 1, 104, 105, 70000, 8};
    for (size_t i = 0; i < 6; i++) {
        batch[i] = (kin_bytes){bytes, sizes[i]};
    }
    CHECK_EQUAL(kin_queue_put_many_bytes(queue, batch, 6, KIN_NOW), 6);
    CHECK_EQUAL(kin_queue_get_many_bytes(queue, 10, KIN_NOW, taken), 6);
    for (size_t i = 0; i < 6; i++) {
        CHECK_EQUAL(kin_message_bytes(&taken[i]).size, sizes[i]);
        kin_message_free(&taken[i]);
    }
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

TEST(of_a_batch_as_much_is_put_as_there_is_space_for)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 150));
    CHECK_EQUAL(kin_queue_put_many_bytes(queue, numbers_from(0), 200, KIN_NOW), 150);
    CHECK_EQUAL(kin_queue_put_many_bytes(queue, batch + 150, 50, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_queue_put_many_bytes(queue, batch + 150, 50, kin_within_ms(2)), -ETIMEDOUT);
    CHECK_EQUAL(kin_queue_get_many_bytes(queue, 10, KIN_NOW, taken), 10);
    CHECK_EQUAL(kin_queue_put_many_bytes(queue, batch + 150, 50, kin_within_ms(2)), 10);
    CHECK_EQUAL(kin_queue_item_count(queue), 150);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    CHECK_EQUAL(kin_queue_put_many_bytes(queue, batch, 1, KIN_FOREVER), -EPIPE);
    kin_queue_free(queue);
}

TEST(a_message_that_cannot_be_put_ends_a_batch)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .message_bytes_max = 100));
    numbers_from(0);
    batch[3].size = 101;
    CHECK_EQUAL(kin_queue_put_many_bytes(queue, batch, 10, KIN_NOW), 3);
    CHECK_EQUAL(kin_queue_put_many_bytes(queue, batch + 3, 7, KIN_NOW), -EMSGSIZE);
    batch[4].data = NULL;
    CHECK_EQUAL(kin_queue_put_many_bytes(queue, batch + 4, 6, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_queue_item_count(queue), 3);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

static void *put_all_in_a_small_queue(void *user)
{
    CHECK_EQUAL(kin_queue_put_many_bytes(user, numbers_from(0), MANY, KIN_FOREVER), MANY);
    return NULL;
}

TEST(a_batch_waits_for_space_for_all_of_it)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 7));
    pthread_t producer = thread_start(put_all_in_a_small_queue, queue);
    for (uint64_t i = 0; i < MANY;) {
        int count = kin_queue_get_many_bytes(queue, 5, KIN_FOREVER, taken);
        REQUIRE(count >= 1 && count <= 5);
        for (int at = 0; at < count; at++) {
            CHECK_EQUAL(number_in(&taken[at]), i++);
        }
    }
    thread_join(producer);
    kin_queue_free(queue);
}

static void *get_one(void *user)
{
    CHECK(get_number(user, KIN_FOREVER) >= 0);
    return NULL;
}

TEST(a_batch_wakes_as_many_as_it_has_messages)
{
    kin_queue *queue = new_queue(NULL);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        threads[i] = thread_start(get_one, queue);
    }
    await_sleepers(getpid(), 4);
    CHECK_EQUAL(kin_queue_put_many_bytes(queue, numbers_from(0), 4, KIN_NOW), 4);
    for (int i = 0; i < 4; i++) {
        thread_join(threads[i]);
    }
    kin_queue_free(queue);
}

TEST(bad_batches_are_refused)
{
    kin_queue *queue = new_queue(NULL);
    kin_timeout none = {0};
    CHECK_EQUAL(kin_queue_put_many_bytes(queue, NULL, 0, KIN_NOW), 0);
    CHECK_EQUAL(kin_queue_put_many_bytes(queue, NULL, 1, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_queue_put_many_bytes(queue, batch, 1u << 31, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_queue_put_many_bytes(NULL, batch, 1, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_queue_put_many_bytes(queue, batch, 1, none), -EINVAL);
    CHECK_EQUAL(kin_queue_get_many_bytes(queue, 0, KIN_NOW, taken), -EINVAL);
    CHECK_EQUAL(kin_queue_get_many_bytes(queue, 1, KIN_NOW, NULL), -EINVAL);
    CHECK_EQUAL(kin_queue_get_many_bytes(NULL, 1, KIN_NOW, taken), -EINVAL);
    kin_queue_free(queue);
}
