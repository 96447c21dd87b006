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
        r = use_queue(&got);
        fail(0);
        CHECK(r == 0 || r == -ENOMEM);
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
