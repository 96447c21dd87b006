/* The verifier of queues: silent on what is whole, loud on each thing that is broken in a copy. */
#include "family/verify.h"
#include "unit/queue/queues.h"

enum { REPORT_BYTES = 4096 };

/* A private copy of the family's memory: what is written to it nobody else sees. */
static struct kin__memory copy_memory(void)
{
    uint64_t bytes = kin__family.memory.bytes;
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE,
                      kin__family.fd, 0);
    REQUIRE(base != MAP_FAILED);
    return (struct kin__memory){.base = base, .bytes = bytes};
}

static void check_is_whole(void)
{
    char report[REPORT_BYTES];
    CHECK_EQUAL(kin__family_verify(kin__family.memory, report, sizeof report), 0);
    CHECK_STRING(report, "");
}

/* In the copy. */
static void *copied(const struct kin__memory *copy, const volatile void *place)
{
    return kin__memory_at(copy, kin__offset_of(place));
}

/* A queue with everything in it: two segments, slots taken, leased and skipped, large ones. */
static kin_queue *full_queue(void)
{
    kin_queue *queue = new_queue(NULL);
    for (uint64_t i = 0; i < 10; i++) {
        CHECK_EQUAL(put_pattern(queue, i, i % 2 == 0 ? 8 : 500, KIN_NOW), 0);
    }
    for (uint64_t i = 0; i < 5; i++) {
        CHECK(get_pattern(queue, i, KIN_NOW) >= 0);
    }
    reserve_by_hand(queue, 8, 0); /* ticket 10 */
    for (uint64_t i = 11; i < 90; i++) {
        CHECK_EQUAL(put_pattern(queue, i, i % 2 == 0 ? 8 : 500, KIN_NOW), 0);
    }
    for (uint64_t i = 5; i < 15; i++) {
        CHECK(i == 10 || get_pattern(queue, i, KIN_NOW) >= 0);
    }
    lease_by_hand(queue); /* ticket 15 */
    return queue;
}

TEST(a_queue_in_any_state_is_whole)
{
    kin_queue *queue = new_queue(NULL);
    check_is_whole();
    for (uint64_t i = 0; i < 200; i++) {
        CHECK_EQUAL(put_pattern(queue, i, i * 37 % 300, KIN_NOW), 0);
    }
    check_is_whole();
    for (uint64_t i = 0; i < 200; i++) {
        CHECK(get_pattern(queue, i, KIN_NOW) >= 0);
    }
    check_is_whole();
    CHECK_EQUAL(get_number(queue, KIN_NOW), -EAGAIN);
    check_is_whole();
    CHECK_EQUAL(kin_queue_close(queue), 0);
    check_is_whole();
    kin_queue_free(queue);
    check_is_whole();
}

TEST(a_queue_with_stopped_producers_and_consumers_is_whole)
{
    kin_queue *queue = full_queue();
    check_is_whole();
    kin_queue_free(queue);
}

static void break_off(void *user)
{
    kin_queue *queue = user;
    uint64_t block = 0;
    REQUIRE(kin__block_create(5000, 0, KIN__BLOCK_BYTES, &block) == 0);
    reserve_by_hand(queue, 5000, block);
    stay_in(queue);
}

TEST_OF_PROCESSES(a_queue_is_whole_after_deaths)
{
    kin_queue *queue = full_queue();
    child_kill(start_staying(break_off, queue));
    check_is_whole();
    CHECK_EQUAL(kin_queue_item_count(queue), 90 - 15);
    kin_queue_free(queue);
    check_is_whole();
}

/* --- broken in each way --- */

typedef void breaker(const struct kin__memory *copy, kin_queue *queue);

static struct slot *copied_slot(const struct kin__memory *copy, kin_queue *queue, uint64_t ticket)
{
    struct segment *first = kin__segment_at(inside(queue)->oldest);
    return copied(copy, &first->slots[ticket - first->base]);
}

static void break_state(const struct kin__memory *copy, kin_queue *queue)
{
    atomic_store(&copied_slot(copy, queue, 20)->state, kin__slot_word(20, 9, 0));
}

static void break_ticket(const struct kin__memory *copy, kin_queue *queue)
{
    atomic_store(&copied_slot(copy, queue, 20)->state, kin__slot_word(21, SLOT_READY, 0));
}

static void free_a_slot(const struct kin__memory *copy, kin_queue *queue)
{
    atomic_store(&copied_slot(copy, queue, 20)->state, 0);
}

static void claim_by_nobody(const struct kin__memory *copy, kin_queue *queue)
{
    atomic_store(&copied_slot(copy, queue, 10)->state, kin__slot_word(10, SLOT_RESERVED, 0x70077));
}

static void own_a_ready_slot(const struct kin__memory *copy, kin_queue *queue)
{
    atomic_store(&copied_slot(copy, queue, 20)->state,
                 kin__slot_word(20, SLOT_READY, kin__self()->owner));
}

static void lease_without_counting(const struct kin__memory *copy, kin_queue *queue)
{
    atomic_store(&copied_slot(copy, queue, 20)->state,
                 kin__slot_word(20, SLOT_LEASED, kin__self()->owner));
}

static void pass_a_message(const struct kin__memory *copy, kin_queue *queue)
{
    atomic_store(&copied_slot(copy, queue, 12)->state, kin__slot_word(12, SLOT_READY, 0));
}

static void take_a_skipped_one(const struct kin__memory *copy, kin_queue *queue)
{
    atomic_store(&copied_slot(copy, queue, 10)->state, kin__slot_word(10, SLOT_DONE, 0));
}

static void break_size(const struct kin__memory *copy, kin_queue *queue)
{
    copied_slot(copy, queue, 20)->about++;
}

static void break_block(const struct kin__memory *copy, kin_queue *queue)
{
    copied_slot(copy, queue, 21)->block += 64;
}

static void share_a_block(const struct kin__memory *copy, kin_queue *queue)
{
    copied_slot(copy, queue, 21)->block = copied_slot(copy, queue, 23)->block;
}

static void break_tail(const struct kin__memory *copy, kin_queue *queue)
{
    struct queue_shared *shared = copied(copy, inside(queue));
    atomic_fetch_add(&shared->tail, 1);
}

static void break_bytes_put(const struct kin__memory *copy, kin_queue *queue)
{
    struct queue_shared *shared = copied(copy, inside(queue));
    shared->bytes_put--;
}

static void break_tail_segment(const struct kin__memory *copy, kin_queue *queue)
{
    struct queue_shared *shared = copied(copy, inside(queue));
    atomic_store(&shared->tail_segment, shared->oldest);
}

static void break_taken_seen(const struct kin__memory *copy, kin_queue *queue)
{
    struct queue_shared *shared = copied(copy, inside(queue));
    shared->taken_seen = 10000;
}

static void break_taken(const struct kin__memory *copy, kin_queue *queue)
{
    struct queue_shared *shared = copied(copy, inside(queue));
    atomic_fetch_add(&shared->taken, 1);
}

static void break_bytes_taken(const struct kin__memory *copy, kin_queue *queue)
{
    struct queue_shared *shared = copied(copy, inside(queue));
    atomic_fetch_add(&shared->bytes_taken, 1);
}

static void break_head(const struct kin__memory *copy, kin_queue *queue)
{
    struct queue_shared *shared = copied(copy, inside(queue));
    shared->head.ticket += 1000;
}

static void break_head_segment(const struct kin__memory *copy, kin_queue *queue)
{
    struct queue_shared *shared = copied(copy, inside(queue));
    shared->head.segment = 4711;
}

static void forget_skipped(const struct kin__memory *copy, kin_queue *queue)
{
    struct queue_shared *shared = copied(copy, inside(queue));
    shared->skipped_count = 0;
}

static void break_skipped(const struct kin__memory *copy, kin_queue *queue)
{
    struct queue_shared *shared = copied(copy, inside(queue));
    shared->skipped_count = 1000000;
}

static void skip_another(const struct kin__memory *copy, kin_queue *queue)
{
    struct queue_shared *shared = copied(copy, inside(queue));
    shared->skipped[0].ticket++;
}

static void close_twice(const struct kin__memory *copy, kin_queue *queue)
{
    struct queue_shared *shared = copied(copy, inside(queue));
    atomic_store(&shared->closing, 3);
}

static void hold_a_lock(const struct kin__memory *copy, kin_queue *queue)
{
    struct queue_shared *shared = copied(copy, inside(queue));
    atomic_store(&shared->head_lock.word, 4711);
}

static void break_oldest(const struct kin__memory *copy, kin_queue *queue)
{
    struct queue_shared *shared = copied(copy, inside(queue));
    shared->oldest = UINT64_MAX - 20;
}

static void break_next(const struct kin__memory *copy, kin_queue *queue)
{
    struct segment *first = copied(copy, kin__segment_at(inside(queue)->oldest));
    atomic_store(&first->next, copy->bytes - 64);
}

static void bend_into_a_ring(const struct kin__memory *copy, kin_queue *queue)
{
    struct segment *first = kin__segment_at(inside(queue)->oldest);
    struct segment *second = copied(copy, kin__segment_at(atomic_load(&first->next)));
    atomic_store(&second->next, inside(queue)->oldest);
}

static void bend_onto_itself(const struct kin__memory *copy, kin_queue *queue)
{
    struct segment *first = copied(copy, kin__segment_at(inside(queue)->oldest));
    atomic_store(&first->next, inside(queue)->oldest);
}

static void break_slot_count(const struct kin__memory *copy, kin_queue *queue)
{
    struct segment *first = copied(copy, kin__segment_at(inside(queue)->oldest));
    first->slot_count = UINT32_MAX;
}

static void break_base(const struct kin__memory *copy, kin_queue *queue)
{
    struct segment *first = kin__segment_at(inside(queue)->oldest);
    struct segment *second = copied(copy, kin__segment_at(atomic_load(&first->next)));
    second->base++;
}

static void take_a_segment_away(const struct kin__memory *copy, kin_queue *queue)
{
    struct kin__block_header *header = copied(copy, kin__block_header_at(inside(queue)->oldest));
    atomic_store(&header->owner, kin__block_of_member(kin__family.owner));
}

static void lose_a_block(const struct kin__memory *copy, kin_queue *queue)
{
    struct slot *slot = copied_slot(copy, queue, 21); /* as if it had been small */
    struct kin__block_header *header = copied(copy, kin__block_header_at(slot->block));
    uint64_t reference = kin__references.blocks[0];
    struct kin__block_header *other = copied(copy, kin__block_header_at(reference));
    atomic_store(&other->owner, atomic_load(&header->owner));
}

TEST(each_thing_that_is_broken_is_found)
{
    static const struct {
        const char *name;
        breaker *break_it;
    } breakers[] = {
        {"state", break_state},
        {"ticket", break_ticket},
        {"free slot", free_a_slot},
        {"claim", claim_by_nobody},
        {"owner of a ready slot", own_a_ready_slot},
        {"lease", lease_without_counting},
        {"passed message", pass_a_message},
        {"skipped and taken", take_a_skipped_one},
        {"size", break_size},
        {"block", break_block},
        {"shared block", share_a_block},
        {"tail", break_tail},
        {"bytes put", break_bytes_put},
        {"tail segment", break_tail_segment},
        {"taken seen", break_taken_seen},
        {"taken", break_taken},
        {"bytes taken", break_bytes_taken},
        {"head", break_head},
        {"head segment", break_head_segment},
        {"forgotten skipped", forget_skipped},
        {"skipped", break_skipped},
        {"another skipped", skip_another},
        {"closed", close_twice},
        {"lock", hold_a_lock},
        {"oldest", break_oldest},
        {"next", break_next},
        {"ring", bend_into_a_ring},
        {"short ring", bend_onto_itself},
        {"slot count", break_slot_count},
        {"base", break_base},
        {"segment's owner", take_a_segment_away},
        {"lost block", lose_a_block},
    };
    kin_queue *queue = full_queue();
    check_is_whole();
    for (size_t i = 0; i < sizeof breakers / sizeof breakers[0]; i++) {
        char report[REPORT_BYTES];
        struct kin__memory copy = copy_memory();
        breakers[i].break_it(&copy, queue);
        if (kin__family_verify(copy, report, sizeof report) == 0 ||
            strstr(report, "queue ") == NULL) {
            test_fail(TEST_HERE, "not found: %s; report: %s", breakers[i].name, report);
        }
        munmap(copy.base, copy.bytes);
    }
    check_is_whole();
    kin_queue_free(queue);
}
