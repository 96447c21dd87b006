/*
 * A bounded buffer made of two conditions and one lock, into which items are put in batches: a
 * batch goes in when there is room for all of it. See docs/guide/locks.md.
 *
 * For real work there is kin_queue, which can do this and survives more.
 */
#define _DEFAULT_SOURCE
#include <kin.h>
#include <stdio.h>
#include <sys/mman.h>

enum { CAPACITY = 4, BATCH = 3, BATCH_COUNT = 4 };

/* In memory that children share; under the lock. */
struct buffer {
    int items[CAPACITY];
    unsigned put_count; /* these two run on for ever */
    unsigned take_count;
    unsigned most; /* ever in it at a time */
};

static struct buffer *buffer;
static kin_condition *has_room; /* what is open here is open in every child */
static kin_condition *has_items;

static bool batch_fits(void *user)
{
    (void)user;
    return buffer->put_count - buffer->take_count + BATCH <= CAPACITY;
}

static bool is_not_empty(void *user)
{
    (void)user;
    return buffer->put_count != buffer->take_count;
}

static int produce(kin_call *call)
{
    (void)call;
    int item = 0;
    for (int i = 0; i < BATCH_COUNT; i++) {
        kin_condition_acquire(has_room, KIN_FOREVER);
        kin_condition_wait_for(has_room, batch_fits, NULL, KIN_FOREVER);
        for (int k = 0; k < BATCH; k++) {
            buffer->items[buffer->put_count++ % CAPACITY] = ++item;
        }
        if (buffer->most < buffer->put_count - buffer->take_count) {
            buffer->most = buffer->put_count - buffer->take_count;
        }
        kin_condition_notify(has_items, BATCH); /* so many can take one */
        kin_condition_release(has_room);
    }
    return 0;
}
KIN_FUNCTION(produce)

static int take(void)
{
    kin_condition_acquire(has_items, KIN_FOREVER);
    kin_condition_wait_for(has_items, is_not_empty, NULL, KIN_FOREVER);
    int item = buffer->items[buffer->take_count++ % CAPACITY];
    kin_condition_notify(has_room, 1);
    kin_condition_release(has_items);
    return item;
}

int main(int argc, char **argv)
{
    kin_init(&argc, &argv);
    kin_lock *lock = NULL;
    kin_process *producer = NULL;
    buffer = mmap(NULL, sizeof *buffer, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (buffer == MAP_FAILED || kin_lock_create(NULL, &lock) < 0) {
        return 1;
    }
    const kin_condition_options *same_lock = KIN_OPTIONS(kin_condition_options, .lock = lock);
    if (kin_condition_create(same_lock, &has_room) < 0 ||
        kin_condition_create(same_lock, &has_items) < 0 ||
        kin_process_start_bytes(produce, NULL, 0, NULL, &producer) < 0) {
        return 1;
    }
    for (int i = 0; i < BATCH * BATCH_COUNT; i++) {
        printf("%d%s", take(), i % BATCH == BATCH - 1 ? "\n" : " ");
    }
    kin_process_join(producer, KIN_FOREVER);
    kin_process_free(producer);
    printf("never more than %d: %s\n", CAPACITY, buffer->most <= CAPACITY ? "true" : "false");
    kin_condition_free(has_room);
    kin_condition_free(has_items);
    kin_lock_free(lock);
    return 0;
}
