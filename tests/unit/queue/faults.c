/* Every allocation and every call to the system fails once: the code is clear, nothing is lost. */
#include "base/fault.h"
#include "os/fault.h"
#include "unit/queue/queues.h"

#include <kin/event.h>
#include <kin/lock.h>

#ifdef KIN_FAULTS

typedef void fail_at(uint64_t n);

static void fail_allocation(uint64_t n)
{
    kin__allocation_fail_at(n);
}

static void fail_call(uint64_t n)
{
    kin__os_fail_at(n);
}

/* A queue from its making to its end, with messages that need blocks and segments. The first
 * code that was not 0, and the messages that arrived. */
static int use_queue(uint64_t *ret_got)
{
    kin_queue *queue = NULL;
    kin_queue *other = NULL;
    uint64_t put = 0;
    uint64_t got = 0;
    int r = kin_queue_create(NULL, &queue);
    CHECK((r == 0) == (queue != NULL));
    if (r < 0) {
        return r;
    }
    r = kin_queue_attach(kin_queue_handle(queue), &other);
    CHECK((r == 0) == (other != NULL));
    int first = r;
    for (uint64_t i = 0; i < 140; i++) {
        size_t size = i % 50 == 49 ? 100000 : i % 10 == 9 ? 3000 : 8;
        r = put_pattern(queue, put, size, KIN_FOREVER);
        first = first < 0 ? first : r;
        put += r == 0;
        CHECK_EQUAL(kin_queue_item_count(queue), put);
    }
    while ((r = (int)get_pattern(queue, got, KIN_NOW)) >= 0) {
        got++;
    }
    CHECK_EQUAL(r, -EAGAIN);
    CHECK_EQUAL(got, put);
    kin_queue_free(other);
    uint64_t owner = kin__queue_owner(kin__object_index(&queue->object));
    kin_queue_free(queue);
    CHECK_EQUAL(blocks_of(owner), 0);
    *ret_got = got;
    return first;
}

/* Batches, handles, reservations, claims and tasks: each call does all or nothing, and what ends
 * something cannot fail. */
struct ways {
    kin_queue *queue;
    kin_event *event;
    int first; /* code that was not 0 */
    uint64_t put;
    uint64_t ended;
};

static void note_code(struct ways *ways, int r)
{
    ways->first = ways->first < 0 ? ways->first : r < 0 ? r : 0;
}

static void put_all_ways(struct ways *ways)
{
    static unsigned char bytes[70000];
    kin_bytes batch[100];
    kin_reservation reservation;
    for (int i = 0; i < 100; i++) {
        batch[i] = (kin_bytes){bytes, i == 5 ? 3000 : i == 70 ? 70000 : 8};
    }
    int r = kin_queue_put_many_bytes(ways->queue, batch, 100, KIN_NOW);
    note_code(ways, r == 100 ? 0 : r < 0 ? r : -ENOMEM);
    ways->put += r > 0 ? (uint64_t)r : 0;
    kin_handle handle = kin_event_handle(ways->event);
    r = kin_queue_put_with_handles(ways->queue, (kin_bytes){bytes, 500}, &handle, 1, KIN_NOW);
    note_code(ways, r);
    ways->put += r == 0;
    for (int i = 0; i < 4; i++) {
        r = kin_queue_reserve(ways->queue, i % 2 == 0 ? 8 : 5000, KIN_NOW, &reservation);
        note_code(ways, r);
        if (r == 0) {
            r = i < 2 ? kin_queue_commit(ways->queue, &reservation)
                      : kin_queue_abandon(ways->queue, &reservation);
            CHECK_EQUAL(r, 0);
            ways->put += i < 2;
        }
    }
    CHECK_EQUAL(kin_queue_item_count(ways->queue), ways->put);
}

static void end_all_ways(struct ways *ways)
{
    kin_claim claim;
    kin_message messages[8];
    int r = 0;
    while (ways->ended < 40 && (r = kin_queue_claim(ways->queue, KIN_NOW, &claim)) == 0) {
        CHECK_EQUAL(ways->ended % 2 == 0 ? kin_queue_acknowledge(ways->queue, &claim)
                                         : kin_queue_refuse(ways->queue, &claim),
                    0);
        ways->ended++;
    }
    while (kin_queue_claim_dead_letter(ways->queue, &claim) == 0) {
        CHECK_EQUAL(kin_queue_acknowledge(ways->queue, &claim), 0);
    }
    while ((r = kin_queue_get_many_bytes(ways->queue, 8, KIN_NOW, messages)) > 0) {
        for (int i = 0; i < r; i++) {
            kin_message_free(&messages[i]);
            CHECK_EQUAL(kin_queue_task_done(ways->queue), 0);
            ways->ended++;
        }
    }
    CHECK_EQUAL(r, -EAGAIN);
    CHECK_EQUAL(ways->ended, ways->put);
    CHECK_EQUAL(kin_queue_join(ways->queue, KIN_NOW), 0);
}

static int use_all_ways(uint64_t *ret_got)
{
    struct ways ways = {0};
    int fd = -1;
    int r = kin_queue_create(
        KIN_OPTIONS(kin_queue_options, .is_joinable = true, .delivery_count_max = 1), &ways.queue);
    if (r < 0) {
        return r;
    }
    r = kin_event_create(NULL, &ways.event);
    if (r == 0) {
        r = kin_queue_event_fd(ways.queue, &fd);
        CHECK((r == 0) == (fd >= 0));
        note_code(&ways, r);
        put_all_ways(&ways);
        end_all_ways(&ways);
        r = ways.first;
    }
    uint64_t owner = kin__queue_owner(kin__object_index(&ways.queue->object));
    kin_queue_free(ways.queue);
    kin_event_free(ways.event);
    CHECK_EQUAL(blocks_of(owner), 0);
    *ret_got = ways.put == 103 ? 140 : ways.put;
    return r;
}

static int (*use)(uint64_t *ret_got) = use_queue;

static void fail_each(fail_at *fail, bool in_fresh_family)
{
    int r = -1;
    begin();
    for (uint64_t n = 1; r < 0 && n < 1000; n++) {
        if (in_fresh_family) { /* with no span and no page of its own yet */
            kin_fini();
            REQUIRE(kin_init(NULL, NULL) == 0);
        }
        uint64_t got = 0;
        fail(n);
        r = use(&got);
        fail(0);
        CHECK(r == 0 || r == -ENOMEM || r == -EMFILE);
        CHECK(r < 0 || got == 140);
        CHECK(blocks_of_process() <= 1); /* its references */
    }
    CHECK_EQUAL(r, 0);
}

TEST(each_failing_allocation_is_enomem_and_loses_nothing)
{
    fail_each(fail_allocation, false);
}

TEST(each_failing_allocation_in_a_fresh_family_is_enomem_and_loses_nothing)
{
    fail_each(fail_allocation, true);
}

TEST(each_failing_call_to_the_system_is_enomem_and_loses_nothing)
{
    fail_each(fail_call, true);
}

TEST(each_failing_allocation_loses_nothing_of_batches_reservations_and_claims)
{
    use = use_all_ways;
    fail_each(fail_allocation, false);
}

TEST(each_failing_allocation_in_a_fresh_family_loses_no_batches_reservations_and_claims)
{
    use = use_all_ways;
    fail_each(fail_allocation, true);
}

TEST(each_failing_call_to_the_system_loses_nothing_of_batches_reservations_and_claims)
{
    use = use_all_ways;
    fail_each(fail_call, true);
}

TEST(a_lock_and_an_event_that_cannot_be_made_are_enomem)
{
    int r = -1;
    begin();
    for (uint64_t n = 1; r < 0; n++) {
        kin_lock *lock = NULL;
        kin_event *event = NULL;
        kin_fini();
        REQUIRE(kin_init(NULL, NULL) == 0);
        kin__allocation_fail_at(n);
        int made = kin_lock_create(NULL, &lock);
        CHECK((made == 0) == (lock != NULL));
        r = kin_event_create(NULL, &event);
        CHECK((r == 0) == (event != NULL));
        r = made < 0 ? made : r;
        kin__allocation_fail_at(0);
        CHECK(r == 0 || r == -ENOMEM);
        kin_lock_free(lock);
        kin_event_free(event);
    }
}

static void put_five(void *user)
{
    for (uint64_t i = 0; i < 5; i++) {
        CHECK_EQUAL(put_number(user, i, KIN_FOREVER), 0);
    }
}

TEST_OF_PROCESSES(where_the_kernel_cannot_wait_on_two_words_waits_end_all_the_same)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .item_count_max = 1));
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    pid_t child = child_start(put_five, queue);
    for (uint64_t i = 0; i < 5; i++) {
        kin__os_fail_at(1);
        CHECK_EQUAL(get_number(queue, kin_by(INT64_MAX, cancel)), i);
    }
    kin__os_fail_at(1);
    CHECK_EQUAL(get_number(queue, kin_by(kin_now_ns() + 2000000, cancel)), -ETIMEDOUT);
    kin__os_fail_at(0);
    child_join(child);
    kin_cancel_free(cancel);
    kin_queue_free(queue);
}

#endif
