/* Messages that are worked on in place, acknowledged or refused. */
#include "unit/queue/queues.h"

/* Claims the oldest number; or a code. */
static int64_t claim_number(kin_queue *queue, kin_claim *claim)
{
    uint64_t number = 0;
    int r = kin_queue_claim(queue, KIN_NOW, claim);
    if (r < 0) {
        return r;
    }
    CHECK_EQUAL(claim->bytes.size, sizeof number);
    memcpy(&number, claim->bytes.data, sizeof number);
    return (int64_t)number;
}

static kin_queue *numbered_queue(const kin_queue_options *options, uint64_t count)
{
    kin_queue *queue = new_queue(options);
    for (uint64_t i = 0; i < count; i++) {
        REQUIRE(put_number(queue, i, KIN_NOW) == 0);
    }
    return queue;
}

TEST(an_acknowledged_message_is_over)
{
    kin_queue *queue = new_queue(NULL);
    uint64_t mine = blocks_of_process();
    for (size_t size = 0; size < 300000; size = size * 3 + 50) {
        CHECK_EQUAL(put_pattern(queue, size, size, KIN_NOW), 0);
        kin_claim claim;
        REQUIRE(kin_queue_claim(queue, KIN_NOW, &claim) == 0);
        CHECK_EQUAL(claim.bytes.size, size);
        CHECK_EQUAL(claim.delivery, 1);
        CHECK(claim.handles == NULL);
        for (size_t at = 0; at < size; at += 41) {
            REQUIRE(((const unsigned char *)claim.bytes.data)[at] == byte_of(size, at));
        }
        CHECK_EQUAL(kin_queue_item_count(queue), 0);
        CHECK_EQUAL(kin_queue_acknowledge(queue, &claim), 0);
    }
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(blocks_of_process(), mine);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

TEST(a_refused_message_comes_first_again)
{
    kin_queue *queue = numbered_queue(NULL, 4);
    kin_claim claim;
    CHECK_EQUAL(claim_number(queue, &claim), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    CHECK_EQUAL(kin_queue_refuse(queue, &claim), 0);
    CHECK_EQUAL(kin_queue_item_count(queue), 3);
    CHECK_IS_WHOLE();
    CHECK_EQUAL(claim_number(queue, &claim), 0);
    CHECK_EQUAL(claim.delivery, 2);
    CHECK_EQUAL(kin_queue_refuse(queue, &claim), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 2);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 3);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

TEST(refused_messages_keep_their_order_among_passed_ones)
{
    kin_queue *queue = new_queue(NULL);
    kin_claim claims[20];
    struct slot *stopped[4];
    for (uint64_t i = 0; i < 20; i++) {
        if (i % 5 == 0) {
            stopped[i / 5] = reserve_by_hand(queue, 8, 0);
        }
        CHECK_EQUAL(put_number(queue, i, KIN_NOW), 0);
    }
    for (uint64_t i = 0; i < 20; i++) {
        CHECK_EQUAL(claim_number(queue, &claims[i]), i);
    }
    for (int i = 19; i >= 0; i -= 3) { /* 19, 16 .. 1 */
        CHECK_EQUAL(kin_queue_refuse(queue, &claims[i]), 0);
        CHECK_IS_WHOLE();
    }
    commit_by_hand(queue, stopped[1], 100);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 4);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 100);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 7);
    commit_by_hand(queue, stopped[0], 101);
    commit_by_hand(queue, stopped[2], 102);
    commit_by_hand(queue, stopped[3], 103);
    static const int64_t rest[] = {101, 102, 10, 13, 103, 16, 19, -EAGAIN};
    for (int i = 0; i < 8; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), rest[i]);
    }
    for (int i = 18; i >= 0; i--) {
        if (i % 3 != 1) {
            CHECK_EQUAL(kin_queue_acknowledge(queue, &claims[i]), 0);
        }
    }
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

TEST(claims_are_over_the_limit_when_they_come_back)
{
    kin_queue *queue = numbered_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 2), 2);
    kin_claim claim;
    CHECK_EQUAL(claim_number(queue, &claim), 0);
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), 0);
    CHECK_EQUAL(kin_queue_refuse(queue, &claim), 0);
    CHECK_EQUAL(kin_queue_item_count(queue), 3);
    CHECK_EQUAL(put_number(queue, 3, KIN_NOW), -EAGAIN);
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), i);
    }
    CHECK_EQUAL(put_number(queue, 3, KIN_NOW), 0);
    kin_queue_free(queue);
}

TEST(nothing_is_put_where_what_came_back_is_more_than_the_limit)
{
    kin_queue *queue = numbered_queue(
        KIN_OPTIONS(kin_queue_options, .item_count_max = 2, .message_bytes_max = 16), 2);
    kin_claim claims[2];
    CHECK_EQUAL(claim_number(queue, &claims[0]), 0);
    CHECK_EQUAL(claim_number(queue, &claims[1]), 1);
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), 0); /* has seen that both were taken */
    CHECK_EQUAL(kin_queue_refuse(queue, &claims[0]), 0);
    CHECK_EQUAL(kin_queue_refuse(queue, &claims[1]), 0);
    CHECK_EQUAL(kin_queue_item_count(queue), 3);
    CHECK_EQUAL(put_number(queue, 3, KIN_NOW), -EAGAIN);
    CHECK_IS_WHOLE();
    CHECK_EQUAL(get_number(queue, KIN_NOW), 0);
    CHECK_EQUAL(put_number(queue, 3, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    CHECK_EQUAL(put_number(queue, 3, KIN_NOW), 0);
    kin_queue_free(queue);
}

TEST(a_claim_that_is_held_keeps_one_segment)
{
    kin_queue *queue = numbered_queue(NULL, 1);
    kin_claim claim;
    CHECK_EQUAL(claim_number(queue, &claim), 0);
    for (uint64_t i = 0; i < 20000; i++) {
        REQUIRE(put_number(queue, i, KIN_NOW) == 0);
        REQUIRE(get_number(queue, KIN_NOW) == (int64_t)i);
    }
    CHECK(blocks_of_queue(queue) <= 4);
    CHECK_IS_WHOLE();
    CHECK_EQUAL(kin_queue_refuse(queue, &claim), 0);
    CHECK_IS_WHOLE();
    CHECK_EQUAL(get_number(queue, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

/* --- dead letters --- */

TEST(a_message_that_comes_back_too_often_is_a_dead_letter)
{
    kin_queue *queue = numbered_queue(KIN_OPTIONS(kin_queue_options, .delivery_count_max = 2), 2);
    kin_claim claim;
    CHECK_EQUAL(kin_queue_claim_dead_letter(queue, &claim), -EAGAIN);
    for (uint32_t i = 1; i <= 2; i++) {
        CHECK_EQUAL(claim_number(queue, &claim), 0);
        CHECK_EQUAL(claim.delivery, i);
        CHECK_EQUAL(kin_queue_refuse(queue, &claim), 0);
    }
    CHECK_EQUAL(kin_queue_dead_letter_count(queue), 1);
    CHECK_EQUAL(kin_queue_item_count(queue), 1);
    CHECK_IS_WHOLE();
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    for (uint32_t i = 3; i <= 4; i++) {
        CHECK_EQUAL(kin_queue_claim_dead_letter(queue, &claim), 0);
        CHECK_EQUAL(claim.delivery, i);
        CHECK_EQUAL(kin_queue_dead_letter_count(queue), 0);
        CHECK_IS_WHOLE();
        CHECK_EQUAL(kin_queue_refuse(queue, &claim), 0);
    }
    CHECK_EQUAL(kin_queue_claim_dead_letter(queue, &claim), 0);
    CHECK_EQUAL(kin_queue_acknowledge(queue, &claim), 0);
    CHECK_EQUAL(kin_queue_dead_letter_count(queue), 0);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

TEST(the_count_of_deliveries_ends_at_its_greatest)
{
    kin_queue *queue = numbered_queue(
        KIN_OPTIONS(kin_queue_options, .is_joinable = true, .delivery_count_max = 65534), 1);
    kin_claim claim;
    for (uint32_t i = 1; i < 66000; i++) {
        REQUIRE((i <= 65534 ? kin_queue_claim(queue, KIN_NOW, &claim)
                            : kin_queue_claim_dead_letter(queue, &claim)) == 0);
        REQUIRE(claim.delivery == (i < 65535 ? i : 65535));
        REQUIRE(kin_queue_refuse(queue, &claim) == 0);
    }
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    CHECK_EQUAL(kin_queue_dead_letter_count(queue), 1);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), 0);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

static void claim_half_and_get_half(void *user)
{
    /* What a claim has done when it is killed before the slot says so; and then a get. */
    kin__slot_deliver(kin__segment_at(inside(user)->oldest)->slots, 0);
    lease_by_hand(user);
    stay_in(user);
}

TEST_OF_PROCESSES(a_message_that_a_killed_get_gives_back_is_no_dead_letter)
{
    kin_queue *queue = numbered_queue(
        KIN_OPTIONS(kin_queue_options, .is_joinable = true, .delivery_count_max = 1), 1);
    kin_claim claim;
    child_kill(start_staying(claim_half_and_get_half, queue));
    CHECK_EQUAL(claim_number(queue, &claim), 0);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_queue_acknowledge(queue, &claim), 0);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), 0);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

TEST(a_claim_of_an_unsound_message_is_ebadmsg_and_the_queue_goes_on)
{
    kin_queue *queue = new_queue(
        KIN_OPTIONS(kin_queue_options, .is_joinable = true, .delivery_count_max = 1));
    kin_claim claim;
    for (uint64_t i = 0; i < 2; i++) {
        CHECK_EQUAL(put_pattern(queue, i, 500, KIN_NOW), 0);
    }
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), 0);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    struct segment *segment = kin__segment_at(inside(queue)->oldest);
    segment->slots[0].about = kin__slot_about(100000, 0, 0); /* more than the block has */
    CHECK_EQUAL(kin_queue_claim(queue, KIN_NOW, &claim), -EBADMSG);
    CHECK_EQUAL(kin_queue_claim(queue, KIN_NOW, &claim), 0);
    CHECK_EQUAL(kin_queue_refuse(queue, &claim), 0);
    segment->slots[1].about = kin__slot_about(100000, 0, 1);
    CHECK_EQUAL(kin_queue_claim_dead_letter(queue, &claim), -EBADMSG);
    CHECK_EQUAL(kin_queue_claim_dead_letter(queue, &claim), -EAGAIN);
    CHECK_EQUAL(claim_number(queue, &claim), 2);
    CHECK_EQUAL(kin_queue_acknowledge(queue, &claim), 0);
    CHECK_EQUAL(kin_queue_claim(queue, KIN_FOREVER, &claim), -EPIPE);
    CHECK_EQUAL(kin_queue_join(queue, KIN_NOW), 0);
    kin_queue_free(queue);
}

TEST(dead_letters_do_not_keep_a_closed_queue_open)
{
    kin_queue *queue = numbered_queue(KIN_OPTIONS(kin_queue_options, .delivery_count_max = 1), 1);
    kin_claim claim;
    CHECK_EQUAL(kin_queue_close(queue), 0);
    CHECK_EQUAL(claim_number(queue, &claim), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_queue_refuse(queue, &claim), 0);
    CHECK_EQUAL(get_number(queue, KIN_FOREVER), -EPIPE);
    CHECK_EQUAL(kin_queue_dead_letter_count(queue), 1);
    kin_queue_free(queue);
}

/* --- the end of a closed queue --- */

static void *get_until_the_end(void *user)
{
    while (get_number(user, KIN_FOREVER) >= 0) {
        atomic_fetch_add(&numbers[1], 1);
    }
    return NULL;
}

static void end_a_closed_queue(int (*end)(kin_queue *queue, kin_claim *claim), uint64_t rest)
{
    kin_queue *queue = numbered_queue(NULL, 2);
    kin_claim claims[2];
    pthread_t threads[2];
    CHECK_EQUAL(claim_number(queue, &claims[0]), 0);
    CHECK_EQUAL(claim_number(queue, &claims[1]), 1);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    threads[0] = thread_start(get_until_the_end, queue);
    threads[1] = thread_start(get_until_the_end, queue);
    await_sleepers(getpid(), 2);
    CHECK_EQUAL(kin_queue_acknowledge(queue, &claims[0]), 0);
    CHECK_EQUAL(end(queue, &claims[1]), 0);
    thread_join(threads[0]);
    thread_join(threads[1]);
    CHECK_EQUAL(atomic_load(&numbers[1]), rest);
    kin_queue_free(queue);
}

TEST(consumers_of_a_closed_queue_sleep_until_its_claims_are_acknowledged)
{
    end_a_closed_queue(kin_queue_acknowledge, 0);
}

TEST(consumers_of_a_closed_queue_take_what_is_refused)
{
    end_a_closed_queue(kin_queue_refuse, 1);
}

/* --- who has a claim --- */

static void *end_anothers(void *user)
{
    kin_claim *claim = user;
    kin_queue *queue = NULL;
    memcpy(&queue, &numbers[1], sizeof(void *));
    CHECK_EQUAL(kin_queue_acknowledge(queue, claim), -EPERM);
    CHECK_EQUAL(kin_queue_refuse(queue, claim), -EPERM);
    return NULL;
}

TEST(a_claim_ends_in_its_queue)
{
    kin_queue *queue = numbered_queue(NULL, 1);
    kin_queue *other = NULL;
    kin_claim claim;
    REQUIRE(kin_queue_create(NULL, &other) == 0);
    CHECK_EQUAL(claim_number(queue, &claim), 0);
    CHECK_EQUAL(kin_queue_acknowledge(other, &claim), -EPERM);
    CHECK_EQUAL(kin_queue_refuse(other, &claim), -EPERM);
    CHECK_IS_WHOLE();
    CHECK_EQUAL(kin_queue_refuse(queue, &claim), 0);
    CHECK_EQUAL(kin_queue_item_count(queue), 1);
    CHECK_IS_WHOLE();
    kin_queue_free(other);
    kin_queue_free(queue);
}

TEST(a_claim_ends_once_and_in_its_thread)
{
    kin_queue *queue = numbered_queue(NULL, 1);
    kin_claim claim;
    CHECK_EQUAL(claim_number(queue, &claim), 0);
    kin_claim copy = claim;
    memcpy((void *)&numbers[1], (void *)&queue, sizeof(void *));
    thread_join(thread_start(end_anothers, &claim));
    CHECK_EQUAL(kin_queue_refuse(queue, &claim), 0);
    CHECK_EQUAL(kin_queue_acknowledge(queue, &claim), -EINVAL); /* it is zeroed */
    CHECK_EQUAL(kin_queue_acknowledge(queue, &copy), -EPERM);
    CHECK_EQUAL(kin_queue_refuse(queue, NULL), -EINVAL);
    CHECK_EQUAL(kin_queue_claim(queue, KIN_NOW, NULL), -EINVAL);
    CHECK_EQUAL(kin_queue_claim_dead_letter(queue, NULL), -EINVAL);
    CHECK_EQUAL(kin_queue_claim_dead_letter(NULL, &claim), -EINVAL);
    CHECK_EQUAL(kin_queue_dead_letter_count(NULL), 0);
    kin_queue_free(queue);
}

static void *claim_and_end(void *user)
{
    kin_claim claim;
    CHECK_EQUAL(claim_number(user, &claim), 0);
    return NULL;
}

TEST(the_claim_of_a_thread_that_ends_is_refused)
{
    kin_queue *queue = numbered_queue(NULL, 2);
    thread_join(thread_start(claim_and_end, queue));
    CHECK_EQUAL(kin_queue_item_count(queue), 2);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 0);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

static void claim_all_and_stay(void *user)
{
    kin_claim claim;
    while (kin_queue_claim(user, KIN_NOW, &claim) == 0) {
    }
    stay_in(user);
}

TEST_OF_PROCESSES(the_claims_of_a_killed_process_come_again)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .delivery_count_max = 2));
    for (uint64_t i = 0; i < 40; i++) { /* more than a member can list; some are large */
        REQUIRE(put_pattern(queue, i, i * 20, KIN_NOW) == 0);
    }
    child_kill(start_staying(claim_all_and_stay, queue));
    CHECK_EQUAL(kin_queue_item_count(queue), 40);
    CHECK_IS_WHOLE();
    for (uint64_t i = 0; i < 10; i++) {
        CHECK_EQUAL(get_pattern(queue, i, KIN_NOW), i * 20);
    }
    child_kill(start_staying(claim_all_and_stay, queue));
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    CHECK_EQUAL(kin_queue_dead_letter_count(queue), 30);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}
