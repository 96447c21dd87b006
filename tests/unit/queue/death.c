/* Deaths in the middle of put and get. */
#include "unit/queue/queues.h"

static void reserve_and_stay(void *user)
{
    reserve_by_hand(user, 8, 0);
    stay_in(user);
}

TEST_OF_PROCESSES(a_producer_killed_while_it_writes_leaves_no_trace)
{
    kin_queue *queue = new_queue(
        KIN_OPTIONS(kin_queue_options, .item_count_max = 2, .message_bytes_max = 16));
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    pid_t producer = start_staying(reserve_and_stay, queue);
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), -EAGAIN);
    child_kill(producer);
    CHECK_EQUAL(kin_queue_item_count(queue), 1);
    CHECK_EQUAL(put_number(queue, 2, KIN_NOW), 0);
    CHECK_EQUAL(put_number(queue, 3, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 2);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    kin_queue_free(queue);
}

static void *put_and_count(void *user)
{
    CHECK_EQUAL(put_number(user, 9, KIN_FOREVER), 0);
    atomic_fetch_add(&numbers[1], 1);
    return NULL;
}

TEST_OF_PROCESSES(the_space_of_a_killed_producer_goes_to_those_who_wait_for_it)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 2));
    pid_t first = start_staying(reserve_and_stay, queue);
    pid_t second = start_staying(reserve_and_stay, queue);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        threads[i] = thread_start(put_and_count, queue);
    }
    await_sleepers(getpid(), 2);
    child_kill(first);
    await_number(1, 1);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(atomic_load(&numbers[1]), 1);
    child_kill(second);
    for (int i = 0; i < 2; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(get_number(queue, KIN_NOW), 9);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 9);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    kin_queue_free(queue);
}

static void *get_to_the_end(void *user)
{
    CHECK_EQUAL(get_number(user, KIN_FOREVER), -EPIPE);
    return NULL;
}

TEST_OF_PROCESSES(consumers_of_a_closed_queue_do_not_wait_for_a_killed_producer)
{
    kin_queue *queue = new_queue(NULL);
    pid_t producer = start_staying(reserve_and_stay, queue);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    pthread_t first = thread_start(get_to_the_end, queue);
    pthread_t second = thread_start(get_to_the_end, queue);
    await_sleepers(getpid(), 2);
    child_kill(producer);
    thread_join(first);
    thread_join(second);
    kin_queue_free(queue);
}

/* --- a large message at each step of its way in --- */

static uint64_t large_block(void)
{
    uint64_t block = 0;
    REQUIRE(kin__block_create(5000, 0, KIN__BLOCK_BYTES, &block) == 0);
    unsigned char *bytes = kin__at(block);
    for (size_t i = 0; i < 5000; i++) {
        bytes[i] = byte_of(4, i);
    }
    return block;
}

static void reserve_large_and_stay(void *user)
{
    reserve_by_hand(user, 5000, large_block());
    stay_in(user);
}

static void hand_over_large_and_stay(void *user)
{
    kin_queue *queue = user;
    uint64_t block = large_block();
    reserve_by_hand(queue, 5000, block);
    kin__block_give(block, kin__block_of_member(kin__family.owner),
                    kin__queue_owner(kin__object_index(&queue->object)));
    stay_in(queue);
}

TEST_OF_PROCESSES(a_large_message_whose_producer_was_killed_before_it_gave_it_is_gone)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .message_bytes_max = 5000));
    child_kill(start_staying(reserve_large_and_stay, queue));
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    CHECK_EQUAL(blocks_of_queue(queue), 2);
    CHECK_EQUAL(put_pattern(queue, 1, 5000, KIN_NOW), 0);
    CHECK_EQUAL(get_pattern(queue, 1, KIN_NOW), 5000);
    kin_queue_free(queue);
}

TEST_OF_PROCESSES(a_large_message_whose_producer_was_killed_after_it_gave_it_is_whole_or_gone)
{
    kin_queue *queue = new_queue(NULL);
    uint64_t mine = blocks_of_process();
    child_kill(start_staying(hand_over_large_and_stay, queue));
    int64_t got = get_pattern(queue, 4, KIN_NOW);
    CHECK(got == 5000 || got == -EAGAIN);
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    CHECK_EQUAL(blocks_of_queue(queue), 2);
    CHECK_EQUAL(blocks_of_process(), mine);
    CHECK_EQUAL(put_pattern(queue, 1, 5000, KIN_NOW), 0);
    CHECK_EQUAL(get_pattern(queue, 1, KIN_NOW), 5000);
    kin_queue_free(queue);
}

/* --- consumers --- */

static void lease_and_stay(void *user)
{
    lease_by_hand(user);
    stay_in(user);
}

static void lease_large_and_stay(void *user)
{
    kin_queue *queue = user;
    struct slot *slot = lease_by_hand(queue);
    kin__block_give(slot->block, kin__queue_owner(kin__object_index(&queue->object)),
                    kin__block_of_member(kin__family.owner));
    stay_in(queue);
}

TEST_OF_PROCESSES(the_message_of_a_killed_consumer_comes_again_first)
{
    kin_queue *queue = new_queue(NULL);
    for (uint64_t i = 1; i <= 3; i++) {
        CHECK_EQUAL(put_number(queue, i, KIN_NOW), 0);
    }
    pid_t consumer = start_staying(lease_and_stay, queue);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 2);
    CHECK_EQUAL(kin_queue_item_count(queue), 1);
    child_kill(consumer);
    CHECK_EQUAL(kin_queue_item_count(queue), 2);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 3);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    kin_queue_free(queue);
}

static void check_large_comes_again(child_body *body)
{
    kin_queue *queue = new_queue(NULL);
    CHECK_EQUAL(put_pattern(queue, 1, 5000, KIN_NOW), 0);
    CHECK_EQUAL(put_pattern(queue, 2, 5000, KIN_NOW), 0);
    child_kill(start_staying(body, queue));
    CHECK_EQUAL(kin_queue_item_count(queue), 2);
    CHECK_EQUAL(get_pattern(queue, 1, KIN_NOW), 5000);
    CHECK_EQUAL(get_pattern(queue, 2, KIN_NOW), 5000);
    CHECK_EQUAL(blocks_of_queue(queue), 2);
    kin_queue_free(queue);
}

TEST_OF_PROCESSES(a_large_message_of_a_killed_consumer_comes_again)
{
    check_large_comes_again(lease_and_stay);
}

TEST_OF_PROCESSES(a_large_message_that_a_killed_consumer_had_taken_over_comes_again)
{
    check_large_comes_again(lease_large_and_stay);
}

static void *get_and_count(void *user)
{
    CHECK_EQUAL(get_number(user, KIN_FOREVER), 1);
    atomic_fetch_add(&numbers[1], 1);
    return NULL;
}

TEST_OF_PROCESSES(the_message_of_a_killed_consumer_wakes_another)
{
    kin_queue *queue = new_queue(NULL);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    pid_t consumer = start_staying(lease_and_stay, queue);
    pthread_t other = thread_start(get_and_count, queue);
    await_sleepers(getpid(), 1);
    child_kill(consumer);
    thread_join(other);
    kin_queue_free(queue);
}

TEST_OF_PROCESSES(a_message_comes_again_also_when_the_queue_is_closed)
{
    kin_queue *queue = new_queue(NULL);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    pid_t consumer = start_staying(lease_and_stay, queue);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    child_kill(consumer);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EPIPE);
    kin_queue_free(queue);
}

static void *get_the_last(void *user)
{
    CHECK_EQUAL(get_number(user, KIN_FOREVER), 1);
    CHECK_EQUAL(get_number(user, KIN_FOREVER), -EPIPE);
    return NULL;
}

TEST_OF_PROCESSES(consumers_of_a_closed_queue_stay_for_what_a_killed_one_had_in_hand)
{
    kin_queue *queue = new_queue(NULL);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    pid_t consumer = start_staying(lease_and_stay, queue);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    pthread_t other = thread_start(get_the_last, queue);
    await_sleepers(getpid(), 1);
    child_kill(consumer);
    thread_join(other);
    kin_queue_free(queue);
}

static void get_sleeping(void *user)
{
    get_number(user, KIN_FOREVER);
}

TEST_OF_PROCESSES(a_consumer_killed_asleep_takes_nothing_along)
{
    kin_queue *queue = new_queue(NULL);
    pid_t doomed = child_start(get_sleeping, queue);
    await_sleepers(doomed, 1);
    pthread_t other = thread_start(get_and_count, queue);
    await_sleepers(getpid(), 1);
    REQUIRE(kill(doomed, SIGSTOP) == 0);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0); /* wakes the stopped one */
    child_kill(doomed);
    thread_join(other);
    kin_queue_free(queue);
}

static void put_sleeping(void *user)
{
    put_number(user, 7, KIN_FOREVER);
}

TEST_OF_PROCESSES(a_producer_killed_asleep_takes_no_space_along)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 1));
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    pid_t doomed = child_start(put_sleeping, queue);
    await_sleepers(doomed, 1);
    pthread_t other = thread_start(put_and_count, queue);
    await_sleepers(getpid(), 1);
    REQUIRE(kill(doomed, SIGSTOP) == 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1); /* wakes the stopped one */
    child_kill(doomed);
    thread_join(other);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 9);
    kin_queue_free(queue);
}

/* --- holders of the queue's locks --- */

static void hold_tail_and_stay(void *user)
{
    struct queue_shared *shared = inside(user);
    struct kin__thread *self = kin__self();
    kin__lock_acquire(&shared->tail_lock, self);
    shared->bytes_put = 12345; /* half done */
    atomic_store(&shared->tail, 54321);
    stay_in(user);
}

TEST_OF_PROCESSES(the_tail_is_made_good_after_its_holder_was_killed)
{
    kin_queue *queue = new_queue(
        KIN_OPTIONS(kin_queue_options, .item_count_max = 100, .message_bytes_max = 800));
    for (uint64_t i = 0; i < 70; i++) {
        CHECK_EQUAL(put_number(queue, i, KIN_NOW), 0);
    }
    child_kill(start_staying(hold_tail_and_stay, queue));
    CHECK_EQUAL(kin_queue_item_count(queue), 70);
    for (uint64_t i = 70; i < 100; i++) {
        CHECK_EQUAL(put_number(queue, i, KIN_NOW), 0);
    }
    CHECK_EQUAL(put_number(queue, 100, KIN_NOW), -EAGAIN);
    for (uint64_t i = 0; i < 100; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), i);
    }
    kin_queue_free(queue);
}

static void hold_head_and_stay(void *user)
{
    struct queue_shared *shared = inside(user);
    kin__lock_acquire(&shared->head_lock, kin__self());
    shared->head.ticket = 3; /* half done */
    shared->skipped_count = 5;
    atomic_store(&shared->taken, 1);
    atomic_store(&shared->bytes_taken, 999);
    stay_in(user);
}

TEST_OF_PROCESSES(the_head_is_made_good_after_its_holder_was_killed)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .message_bytes_max = 1600));
    for (uint64_t i = 0; i < 200; i++) {
        CHECK_EQUAL(put_number(queue, i, KIN_NOW), 0);
    }
    for (uint64_t i = 0; i < 80; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), i);
    }
    struct slot *stopped = lease_by_hand(queue); /* alive, beside the dead */
    child_kill(start_staying(hold_head_and_stay, queue));
    CHECK_EQUAL(kin_queue_item_count(queue), 119);
    for (uint64_t i = 81; i < 200; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), i);
    }
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    uint64_t ticket = atomic_load(&stopped->state) & 0xfffffff;
    atomic_store(&stopped->state, kin__slot_word(ticket, SLOT_DONE, 0));
    for (uint64_t i = 0; i < 200; i++) {
        CHECK_EQUAL(put_number(queue, i, KIN_NOW), 0);
    }
    CHECK_EQUAL(put_number(queue, 0, KIN_NOW), -EAGAIN);
    kin_queue_free(queue);
}

static void link_segment_and_stay(void *user)
{
    kin_queue *queue = user;
    struct queue_shared *shared = inside(queue);
    uint64_t second = 0;
    REQUIRE(kin__segment_create(SEGMENT_BYTES, &second) == 0);
    struct kin__thread *self = kin__self();
    kin__lock_acquire(&shared->tail_lock, self);
    kin__segment_at(second)->base = atomic_load(&shared->tail);
    kin__segment_at(second)->bytes_base = shared->bytes_put;
    atomic_store(&kin__segment_at(atomic_load(&shared->tail_segment))->next, second);
    stay_in(queue);
}

TEST_OF_PROCESSES(a_segment_linked_by_a_killed_producer_is_used)
{
    kin_queue *queue = new_queue(NULL);
    for (uint64_t i = 0; i < 62; i++) {
        CHECK_EQUAL(put_number(queue, i, KIN_NOW), 0);
    }
    pid_t producer = start_staying(link_segment_and_stay, queue);
    for (uint64_t i = 0; i < 62; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), i);
    }
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    child_kill(producer);
    for (uint64_t i = 0; i < 1000; i++) {
        CHECK_EQUAL(put_number(queue, i, KIN_NOW), 0);
    }
    for (uint64_t i = 0; i < 1000; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), i);
    }
    for (int i = 0; i < 4; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    }
    CHECK_EQUAL(blocks_of_queue(queue), 2);
    kin_queue_free(queue);
}

static void retire_and_stay(void *user)
{
    kin_queue *queue = user;
    struct queue_shared *shared = inside(queue);
    kin__lock_acquire(&shared->head_lock, kin__self());
    kin__block_give(shared->oldest, kin__queue_owner(kin__object_index(&queue->object)),
                    kin__block_of_member(kin__family.owner));
    stay_in(queue);
}

TEST_OF_PROCESSES(a_segment_half_taken_out_by_a_killed_consumer_is_out)
{
    kin_queue *queue = new_queue(NULL);
    for (uint64_t i = 0; i < 100; i++) {
        CHECK_EQUAL(put_number(queue, i, KIN_NOW), 0);
    }
    struct slot *slot = lease_by_hand(queue); /* keeps the first segment */
    for (uint64_t i = 1; i < 90; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), i);
    }
    atomic_store(&slot->state, kin__slot_word(0, SLOT_DONE, 0));
    CHECK_EQUAL(blocks_of_queue(queue), 3);
    child_kill(start_staying(retire_and_stay, queue));
    CHECK_EQUAL(blocks_of_queue(queue), 2);
    for (uint64_t i = 90; i < 100; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), i);
    }
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    kin_queue_free(queue);
}

/* --- ends --- */

static void put_and_exit(void *user)
{
    CHECK_EQUAL(put_number(user, 1, KIN_NOW), 0);
    CHECK_EQUAL(put_pattern(user, 2, 30000, KIN_NOW), 0);
    CHECK_EQUAL(put_pattern(user, 3, 300000, KIN_NOW), 0);
}

static void put_and_exit_at_once(void *user)
{
    put_and_exit(user);
    _exit(0);
}

static void put_and_be_killed(void *user)
{
    put_and_exit(user);
    kill(getpid(), SIGKILL);
}

static void check_messages_stay(child_body *body)
{
    kin_queue *queue = new_queue(NULL);
    int status = 0;
    REQUIRE(waitpid(child_start(body, queue), &status, 0) > 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    CHECK_EQUAL(get_pattern(queue, 2, KIN_NOW), 30000);
    CHECK_EQUAL(get_pattern(queue, 3, KIN_NOW), 300000);
    kin_queue_free(queue);
}

TEST_OF_PROCESSES(an_exit_right_after_put_loses_nothing)
{
    check_messages_stay(put_and_exit);
}

TEST_OF_PROCESSES(an_exit_without_goodbye_right_after_put_loses_nothing)
{
    check_messages_stay(put_and_exit_at_once);
}

TEST_OF_PROCESSES(a_kill_right_after_put_loses_nothing)
{
    check_messages_stay(put_and_be_killed);
}

static void get_and_exit(void *user)
{
    kin_message message;
    CHECK_EQUAL(kin_queue_get_bytes(user, KIN_NOW, &message), 0);
    kill(getpid(), SIGKILL);
}

TEST_OF_PROCESSES(a_consumer_that_dies_with_its_message_takes_it_along_and_leaves_no_memory)
{
    kin_queue *queue = new_queue(NULL);
    CHECK_EQUAL(put_pattern(queue, 1, 300000, KIN_NOW), 0);
    uint32_t busy = atomic_load(&kin__shared()->busy_chunk_count);
    uint64_t deaths = atomic_load(&kin__shared()->death_count);
    REQUIRE(waitpid(child_start(get_and_exit, queue), NULL, 0) > 0);
    while (atomic_load(&kin__shared()->death_count) == deaths) {
        pause_a_moment();
    }
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK(atomic_load(&kin__shared()->busy_chunk_count) < busy);
    kin_queue_free(queue);
}

static void open_and_be_killed(void *user)
{
    kin_queue *queue = NULL;
    CHECK_EQUAL(kin_queue_create(NULL, &queue), 0);
    for (uint64_t i = 0; i < 300; i++) {
        CHECK_EQUAL(put_pattern(queue, i, 500, KIN_NOW), 0);
    }
    kin_handle handle = kin_queue_handle(queue);
    CHECK_EQUAL(kin_queue_put_bytes(user, &handle, sizeof handle, KIN_NOW), 0);
    kill(getpid(), SIGKILL);
}

TEST_OF_PROCESSES(a_queue_that_only_the_killed_had_open_is_freed_with_its_messages)
{
    kin_queue *queue = new_queue(NULL);
    kin_queue *other = NULL;
    kin_message message;
    kin_handle handle;
    uint64_t deaths = atomic_load(&kin__shared()->death_count);
    REQUIRE(waitpid(child_start(open_and_be_killed, queue), NULL, 0) > 0);
    while (atomic_load(&kin__shared()->death_count) == deaths) {
        pause_a_moment();
    }
    REQUIRE(kin_queue_get_bytes(queue, KIN_NOW, &message) == 0);
    memcpy(&handle, kin_message_bytes(&message).data, sizeof handle);
    CHECK_EQUAL(kin_queue_attach(handle, &other), -ESTALE);
    CHECK_EQUAL(blocks_of(kin__block_of_object(handle.index, handle.counter)), 0);
    kin_queue_free(queue);
}
