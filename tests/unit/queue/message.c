/* Messages: sizes, memory, lifetime, and what a queue gives back. */
#include "unit/queue/queues.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

TEST(messages_of_all_sizes_arrive_whole)
{
    static const size_t sizes[] = {0,    1,     7,     8,     103,   104,   105,   128,
                                   1000, 32751, 32752, 32753, 65535, 65536, 65537, 1 << 20};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    kin_queue *queue = new_queue(NULL);
    for (uint64_t i = 0; i < COUNT; i++) {
        CHECK_EQUAL(put_pattern(queue, i, sizes[i], KIN_NOW), 0);
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        CHECK_EQUAL(get_pattern(queue, i, KIN_NOW), sizes[i]);
    }
    CHECK_EQUAL(blocks_of_queue(queue), 2);
    kin_queue_free(queue);
}

TEST(a_message_of_100_mib_arrives_whole)
{
    enum { BYTES = 100 << 20 };
    kin_queue *queue = new_queue(NULL);
    kin_message message;
    unsigned char *bytes = malloc(BYTES);
    REQUIRE(bytes != NULL);
    memset(bytes, 0x5a, BYTES);
    for (size_t i = 0; i < BYTES; i += 4093) {
        bytes[i] = byte_of(3, i);
    }
    CHECK_EQUAL(kin_queue_put_bytes(queue, bytes, BYTES, KIN_NOW), 0);
    CHECK_EQUAL(kin_queue_get_bytes(queue, KIN_NOW, &message), 0);
    CHECK_EQUAL(kin_message_bytes(&message).size, BYTES);
    CHECK(memcmp(kin_message_bytes(&message).data, bytes, BYTES) == 0);
    kin_message_free(&message);
    free(bytes);
    kin_queue_free(queue);
}

static void put_sizes(void *user)
{
    for (uint64_t i = 0; i < 300; i++) {
        CHECK_EQUAL(put_pattern(user, i, i * i % 40000, KIN_FOREVER), 0);
    }
}

TEST_OF_PROCESSES(messages_of_all_sizes_cross_from_process_to_process)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 7));
    pid_t child = child_start(put_sizes, queue);
    for (uint64_t i = 0; i < 300; i++) {
        CHECK_EQUAL(get_pattern(queue, i, KIN_FOREVER), i * i % 40000);
    }
    child_join(child);
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    kin_queue_free(queue);
}

TEST(a_message_can_be_freed_twice_and_moved)
{
    kin_queue *queue = new_queue(NULL);
    static const size_t sizes[] = {10, 5000};
    for (int i = 0; i < 2; i++) {
        kin_message message;
        CHECK_EQUAL(put_pattern(queue, 1, sizes[i], KIN_NOW), 0);
        CHECK_EQUAL(kin_queue_get_bytes(queue, KIN_NOW, &message), 0);
        kin_message moved = message;
        const unsigned char *data = kin_message_bytes(&moved).data;
        CHECK_EQUAL(data[sizes[i] - 1], byte_of(1, sizes[i] - 1));
        uint64_t blocks = blocks_of_process();
        kin_message_free(&moved);
        CHECK_EQUAL(blocks_of_process(), blocks - (sizes[i] > SLOT_SMALL_BYTES));
        CHECK_EQUAL(kin_message_bytes(&moved).size, 0);
        kin_message_free(&moved);
        CHECK_EQUAL(blocks_of_process(), blocks - (sizes[i] > SLOT_SMALL_BYTES));
    }
    kin_queue_free(queue);
}

TEST(a_message_outlives_its_queue)
{
    kin_queue *queue = new_queue(NULL);
    kin_message message;
    CHECK_EQUAL(put_pattern(queue, 3, 4000, KIN_NOW), 0);
    CHECK_EQUAL(kin_queue_get_bytes(queue, KIN_NOW, &message), 0);
    kin_queue_free(queue);
    const unsigned char *data = kin_message_bytes(&message).data;
    for (size_t i = 0; i < 4000; i++) {
        CHECK(data[i] == byte_of(3, i));
    }
    kin_message_free(&message);
}

TEST(a_message_whose_slot_is_unsound_is_ebadmsg_and_the_queue_goes_on)
{
    kin_queue *queue = new_queue(NULL);
    struct segment *segment = kin__segment_at(inside(queue)->oldest);
    static const uint64_t blocks[] = {0, 8, 4711, UINT64_MAX, UINT64_MAX / 2};
    enum { COUNT = sizeof blocks / sizeof blocks[0] };
    kin_message message = {.size = 5, .place = 77};
    for (uint64_t i = 0; i < COUNT + 2; i++) {
        CHECK_EQUAL(put_pattern(queue, i, 500, KIN_NOW), 0);
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        kin__block_free(segment->slots[i].block,
                        kin__queue_owner(kin__object_index(&queue->object)));
        segment->slots[i].block = blocks[i];
    }
    segment->slots[COUNT].about = kin__slot_about(100000, 0, 0); /* more than the block has */
    for (uint64_t i = 0; i < COUNT + 1; i++) {
        CHECK_EQUAL(kin_queue_get_bytes(queue, KIN_NOW, &message), -EBADMSG);
        CHECK_EQUAL(message.size, 5);
        CHECK_EQUAL(message.place, 77);
    }
    CHECK_EQUAL(get_pattern(queue, COUNT + 1, KIN_NOW), 500);
    kin_queue_free(queue);
}

static void free_inherited(void *user)
{
    kin_message_free(user);
}

TEST_OF_PROCESSES(a_child_cannot_free_the_messages_of_its_parent)
{
    kin_queue *queue = new_queue(NULL);
    kin_message message;
    CHECK_EQUAL(put_pattern(queue, 3, 4000, KIN_NOW), 0);
    CHECK_EQUAL(kin_queue_get_bytes(queue, KIN_NOW, &message), 0);
    uint64_t blocks = blocks_of_process();
    child_join(child_start(free_inherited, &message));
    pid_t pid = fork();
    if (pid == 0) {
        kin_message_free(&message);
        kin_fini();
        _exit(0);
    }
    child_join(pid);
    CHECK_EQUAL(blocks_of_process(), blocks);
    kin_message_free(&message);
    kin_queue_free(queue);
}

/* --- memory --- */

TEST(a_queue_that_is_freed_with_messages_inside_frees_all)
{
    kin_queue *queue = new_queue(NULL);
    uint64_t owner = kin__queue_owner(kin__object_index(&queue->object));
    uint32_t busy = atomic_load(&kin__shared()->busy_chunk_count);
    for (uint64_t i = 0; i < 2000; i++) {
        CHECK_EQUAL(put_pattern(queue, i, i % 5 == 0 ? 70000 : i % 300, KIN_NOW), 0);
    }
    for (uint64_t i = 0; i < 700; i++) {
        CHECK(get_pattern(queue, i, KIN_NOW) >= 0);
    }
    CHECK(atomic_load(&kin__shared()->busy_chunk_count) > busy + 200);
    kin_queue_free(queue);
    CHECK_EQUAL(blocks_of(owner), 0);
    kin__heap_trim();
    CHECK(atomic_load(&kin__shared()->busy_chunk_count) <= busy + 8); /* spans are kept a while */
}

TEST(segments_come_and_go_with_the_messages)
{
    kin_queue *queue = new_queue(NULL);
    uint32_t busy = atomic_load(&kin__shared()->busy_chunk_count);
    for (uint64_t i = 0; i < 5000; i++) {
        CHECK_EQUAL(put_number(queue, i, KIN_NOW), 0);
    }
    CHECK(blocks_of_queue(queue) > 2 + 4900 / 511);
    for (uint64_t i = 0; i < 5000; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), i);
    }
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(blocks_of_queue(queue), 2);
    CHECK(atomic_load(&kin__shared()->busy_chunk_count) <= busy + 1);
    kin_queue_free(queue);
}

TEST_WITH(after_a_million_messages_the_memory_is_back, .limit_seconds = 60)
{
    enum { BATCH = 10000, BATCHES = 100 };
    kin_queue *queue = new_queue(NULL);
    uint32_t busy = atomic_load(&kin__shared()->busy_chunk_count);
    for (uint64_t batch = 0; batch < BATCHES; batch++) {
        for (uint64_t i = 0; i < BATCH; i++) {
            REQUIRE(put_number(queue, i, KIN_NOW) == 0);
        }
        for (uint64_t i = 0; i < BATCH; i++) {
            REQUIRE(get_number(queue, KIN_NOW) == (int64_t)i);
        }
    }
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(blocks_of_queue(queue), 2);
    CHECK(atomic_load(&kin__shared()->busy_chunk_count) <= busy + 1);
    kin_queue_free(queue);
}

TEST(consumers_that_were_slow_to_leave_do_not_cost_segments)
{
    kin_queue *queue = new_queue(NULL);
    uint64_t mine = blocks_of_process();
    for (uint64_t i = 0; i < 2000; i++) {
        CHECK_EQUAL(put_number(queue, i, KIN_NOW), 0);
    }
    struct slot *slot = lease_by_hand(queue); /* in the first segment */
    for (uint64_t i = 1; i < 2000; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), i);
    }
    CHECK(blocks_of_queue(queue) <= 4); /* one of them is only kept by that slot */
    uint64_t ticket = atomic_load(&slot->state) & 0xfffffff;
    atomic_store(&slot->state, kin__slot_word(ticket, SLOT_DONE, 0));
    /* One get looks several times, and retires a segment each time. */
    CHECK_EQUAL(get_number(queue, kin_within_ms(10)), -ETIMEDOUT);
    for (int i = 0; i < 5; i++) {
        CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    }
    CHECK_EQUAL(blocks_of_queue(queue), 2);
    CHECK_EQUAL(blocks_of_process(), mine);
    kin_queue_free(queue);
}

static void put_large_and_exit(void *user)
{
    for (uint64_t i = 0; i < 200; i++) {
        CHECK_EQUAL(put_pattern(user, i, 1000, KIN_NOW), 0);
    }
}

TEST_OF_PROCESSES(the_messages_of_one_who_left_take_no_memory_from_others)
{
    kin_queue *queue = new_queue(NULL);
    child_join(child_start(put_large_and_exit, queue));
    for (uint64_t i = 200; i < 400; i++) { /* finds the spans of the child, which are full */
        CHECK_EQUAL(put_pattern(queue, i, 1000, KIN_NOW), 0);
    }
    for (uint64_t i = 0; i < 400; i++) {
        CHECK_EQUAL(get_pattern(queue, i, KIN_NOW), 1000);
    }
    kin_queue_free(queue);
}

/* Puts messages of a size, of which the first 8 bytes count up, until one is refused. Its code. */
static int fill(kin_queue *queue, size_t size, uint64_t *number)
{
    static unsigned char bytes[1 << 20];
    int r = 0;
    for (;;) {
        memcpy(bytes, number, sizeof *number);
        r = kin_queue_put_bytes(queue, bytes, size, KIN_FOREVER);
        if (r < 0) {
            return r;
        }
        (*number)++;
    }
}

TEST(when_the_memory_is_used_up_put_says_enomem_and_nothing_is_lost)
{
    kin_queue *queue = NULL;
    kin_message message;
    uint64_t put = 0;
    REQUIRE(kin_init_with(NULL, NULL,
                          KIN_OPTIONS(kin_family_options, .memory_bytes_max = 64 << 20)) == 0);
    REQUIRE(kin_queue_create(NULL, &queue) == 0);
    for (int round = 0; round < 2; round++) {
        uint64_t got = put;
        CHECK_EQUAL(fill(queue, 1 << 20, &put), -ENOMEM);
        CHECK(put - got >= 32 && put - got < 64);
        CHECK_EQUAL(fill(queue, 40, &put), -ENOMEM); /* down to no segment */
        CHECK_EQUAL(kin_queue_item_count(queue), put - got);
        for (; got < put; got++) {
            REQUIRE(kin_queue_get_bytes(queue, KIN_NOW, &message) == 0);
            CHECK(memcmp(kin_message_bytes(&message).data, &got, sizeof got) == 0);
            kin_message_free(&message);
        }
        CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    }
    kin_queue_free(queue);
}

/* --- the way without system calls --- */

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
static void *work_without_system_calls(void *user)
{
    kin_message message;
    char large[2000] = {0};
    kin_queue *queue = user; /* bounded to 2 items */
    CHECK_EQUAL(kin_queue_put_bytes(queue, large, sizeof large, KIN_NOW), 0);
    CHECK_EQUAL(kin_queue_get_bytes(queue, KIN_NOW, &message), 0);
    kin_message_free(&message);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT); /* from here on, one system call kills us */
    int sum = 0;
    for (int i = 0; i < 20; i++) {
        sum += kin_queue_get_bytes(queue, KIN_NOW, &message) != -EAGAIN;
        sum += kin_queue_put_bytes(queue, large, 8, KIN_NOW);
        sum += kin_queue_put_bytes(queue, large, sizeof large, KIN_FOREVER);
        sum += kin_queue_put_bytes(queue, large, 8, KIN_NOW) != -EAGAIN;
        sum += kin_queue_put_bytes(queue, large, sizeof large, KIN_NOW) != -EAGAIN;
        for (int taken = 0; taken < 2; taken++) {
            sum += kin_queue_get_bytes(queue, KIN_FOREVER, &message);
            kin_message_free(&message);
        }
    }
    atomic_store(&numbers[0], sum == 0 ? 1 : 2);
    syscall(SYS_exit, 0);
    return NULL;
}

TEST(where_nobody_waits_no_system_call_is_made)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 2));
    thread_join(thread_start(work_without_system_calls, queue));
    CHECK_EQUAL(atomic_load(&numbers[0]), 1);
    kin_queue_free(queue);
}
#endif
