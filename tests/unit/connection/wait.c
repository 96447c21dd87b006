/* kin_wait_many: each kind, several, none; bad input. */
#include "base/fault.h"
#include "os/fault.h"
#include "os/process.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/error.h>
#include <kin/wait.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* One of each. */
struct things {
    kin_queue *queue;
    kin_event *event;
    int pipe[2];
};

static struct things new_things(void)
{
    struct things things;
    begin();
    REQUIRE(kin_queue_create(NULL, &things.queue) == 0);
    REQUIRE(kin_event_create(NULL, &things.event) == 0);
    REQUIRE(pipe(things.pipe) == 0);
    return things;
}

static void free_things(struct things *things)
{
    kin_queue_free(things->queue);
    kin_event_free(things->event);
    close(things->pipe[0]);
    close(things->pipe[1]);
}

enum { QUEUE, EVENT, FD, THING_COUNT };

static void list_things(const struct things *things, kin_wait_item items[THING_COUNT])
{
    items[QUEUE] = kin_wait_for_queue(things->queue);
    items[EVENT] = kin_wait_for_event(things->event);
    items[FD] = kin_wait_for_read(things->pipe[0]);
}

/* Which are ready, as bits; or the code. */
static int wait_for(struct things *things, kin_timeout timeout)
{
    kin_wait_item items[THING_COUNT];
    int bits = 0;
    list_things(things, items);
    int r = kin_wait_many(items, THING_COUNT, timeout);
    for (int i = 0; r > 0 && i < THING_COUNT; i++) {
        bits |= items[i].is_ready << i;
    }
    return r > 0 ? bits : r;
}

static void make_ready(struct things *things, int bits)
{
    if (bits & 1 << QUEUE) {
        CHECK_EQUAL(kin_queue_put_bytes(things->queue, "x", 1, KIN_NOW), 0);
    }
    if (bits & 1 << EVENT) {
        CHECK_EQUAL(kin_event_set(things->event), 0);
    }
    if (bits & 1 << FD) {
        CHECK_EQUAL(write(things->pipe[1], "x", 1), 1);
    }
}

static void make_unready(struct things *things)
{
    kin_message message;
    char byte;
    if (kin_queue_get_bytes(things->queue, KIN_NOW, &message) == 0) {
        kin_message_free(&message);
    }
    CHECK_EQUAL(kin_event_clear(things->event), 0);
    if (wait_for(things, KIN_NOW) == 1 << FD) {
        CHECK_EQUAL(read(things->pipe[0], &byte, 1), 1);
    }
}

TEST(all_that_are_ready_are_told_and_no_others)
{
    struct things things = new_things();
    for (int bits = 0; bits < 1 << THING_COUNT; bits++) {
        make_ready(&things, bits);
        CHECK_EQUAL(wait_for(&things, KIN_NOW), bits == 0 ? -EAGAIN : bits);
        CHECK_EQUAL(wait_for(&things, kin_within_ms(1)), bits == 0 ? -ETIMEDOUT : bits);
        CHECK_EQUAL(wait_for(&things, kin_by(2, NULL)), bits == 0 ? -ETIMEDOUT : bits);
        make_unready(&things);
    }
    free_things(&things);
}

struct maker {
    struct things *things;
    int bits;
};

static void make_once_asked(void *user)
{
    struct maker *maker = user;
    await_number(0, 1);
    make_ready(maker->things, maker->bits);
}

TEST_OF_PROCESSES(what_another_process_makes_ready_ends_the_wait)
{
    struct things things = new_things();
    for (int bits = 1; bits < 1 << THING_COUNT; bits *= 2) {
        struct maker maker = {.things = &things, .bits = bits};
        atomic_store(&numbers[0], 0);
        pid_t child = child_start(make_once_asked, &maker);
        CHECK_EQUAL(wait_for(&things, kin_within_ms(1)), -ETIMEDOUT);
        atomic_store(&numbers[0], 1);
        CHECK_EQUAL(wait_for(&things, KIN_FOREVER), bits);
        child_join(child);
        make_unready(&things);
    }
    free_things(&things);
}

static void wait_in_child(void *user)
{
    atomic_store(&numbers[0], 1);
    CHECK_EQUAL(wait_for(user, KIN_FOREVER), 1 << EVENT);
}

TEST_OF_PROCESSES(a_forked_child_waits_for_what_it_inherited)
{
    struct things things = new_things();
    CHECK_EQUAL(wait_for(&things, kin_within_ms(1)), -ETIMEDOUT);
    pid_t child = child_start(wait_in_child, &things);
    await_number(0, 1);
    make_ready(&things, 1 << EVENT);
    child_join(child);
    free_things(&things);
}

TEST(an_fd_is_waited_for_to_read_and_to_write)
{
    struct things things = new_things();
    kin_wait_item items[] = {kin_wait_for_read(things.pipe[0]), kin_wait_for_write(things.pipe[1]),
                             kin_wait_for_read(things.pipe[0])};
    CHECK_EQUAL(kin_wait_many(items, 3, KIN_FOREVER), 1);
    CHECK(!items[0].is_ready && items[1].is_ready && !items[2].is_ready);
    CHECK_EQUAL(write(things.pipe[1], "x", 1), 1);
    CHECK_EQUAL(kin_wait_many(items, 3, KIN_FOREVER), 3);
    free_things(&things);
}

TEST(an_end_that_is_closed_counts_as_ready)
{
    struct things things = new_things();
    int other[2];
    REQUIRE(pipe(other) == 0);
    close(things.pipe[1]);
    close(other[0]);
    kin_wait_item items[] = {kin_wait_for_read(things.pipe[0]), kin_wait_for_write(other[1])};
    CHECK_EQUAL(kin_wait_many(items, 2, KIN_FOREVER), 2);
    things.pipe[1] = other[1];
    free_things(&things);
}

TEST(a_queue_that_has_come_to_its_end_is_ready)
{
    struct things things = new_things();
    CHECK_EQUAL(kin_queue_close(things.queue), 0);
    CHECK_EQUAL(wait_for(&things, KIN_FOREVER), 1 << QUEUE);
    free_things(&things);
}

static void sleep_for_ever(void *user)
{
    (void)user;
    for (;;) {
        pause();
    }
}

TEST_OF_PROCESSES(the_end_of_a_process_is_an_fd)
{
    struct things things = new_things();
    pid_t child = child_start(sleep_for_ever, NULL);
    int sentinel = (int)syscall(SYS_pidfd_open, child, 0);
    REQUIRE(sentinel >= 0);
    kin_wait_item items[] = {kin_wait_for_queue(things.queue), kin_wait_for_read(sentinel)};
    CHECK_EQUAL(kin_wait_many(items, 2, KIN_NOW), -EAGAIN);
    kill(child, SIGKILL);
    CHECK_EQUAL(kin_wait_many(items, 2, KIN_FOREVER), 1);
    CHECK(!items[0].is_ready && items[1].is_ready);
    REQUIRE(waitpid(child, NULL, 0) == child);
    close(sentinel);
    free_things(&things);
}

TEST(nothing_to_wait_for_lasts_as_long_as_the_timeout)
{
    begin();
    CHECK_EQUAL(kin_wait_many(NULL, 0, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_wait_many(NULL, 0, kin_within_ms(1)), -ETIMEDOUT);
}

TEST(many_items_are_no_more_than_memory)
{
    enum { KIND_COUNT = 40, COUNT = KIND_COUNT * 3 };
    struct things things[KIND_COUNT];
    kin_wait_item items[COUNT];
    things[0] = new_things();
    list_things(&things[0], &items[0]);
    for (int i = 1; i < KIND_COUNT; i++) {
        REQUIRE(kin_queue_create(NULL, &things[i].queue) == 0);
        REQUIRE(kin_event_create(NULL, &things[i].event) == 0);
        REQUIRE(pipe(things[i].pipe) == 0);
        list_things(&things[i], &items[i * 3]);
    }
    CHECK_EQUAL(kin_wait_many(items, COUNT, kin_within_ms(1)), -ETIMEDOUT);
    for (int i = 0; i < KIND_COUNT; i += 7) {
        make_ready(&things[i], 1 << (i % 3));
    }
    CHECK_EQUAL(kin_wait_many(items, COUNT, KIN_FOREVER), 6);
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQUAL(items[i].is_ready, i / 3 % 7 == 0 && i % 3 == i / 3 % 3);
    }
    for (int i = 0; i < KIND_COUNT; i++) {
        free_things(&things[i]);
    }
}

TEST(more_fds_than_a_select_can_take_are_waited_for)
{
    enum { COUNT = 3000 };
    static kin_wait_item items[COUNT];
    static int fds[COUNT];
    struct rlimit before;
    struct things things = new_things();
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    struct rlimit more = {.rlim_cur = COUNT + 200, .rlim_max = before.rlim_max};
    REQUIRE(before.rlim_max >= more.rlim_cur && setrlimit(RLIMIT_NOFILE, &more) == 0);
    for (int i = 0; i < COUNT; i++) {
        fds[i] = dup(things.pipe[i % 100 == 99]); /* a write end now and then */
        REQUIRE(fds[i] >= 0);
        items[i] = i % 100 == 99 ? kin_wait_for_write(fds[i]) : kin_wait_for_read(fds[i]);
    }
    CHECK_EQUAL(kin_wait_many(items, COUNT, KIN_FOREVER), COUNT / 100);
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQUAL(items[i].is_ready, i % 100 == 99);
    }
    CHECK_EQUAL(write(things.pipe[1], "x", 1), 1);
    CHECK_EQUAL(kin_wait_many(items, COUNT, KIN_FOREVER), COUNT);
    /* Items of one fd may be more than the process may open. */
    more.rlim_cur = 1000;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &more) == 0);
    CHECK_EQUAL(kin_wait_many(items, COUNT, KIN_NOW), -EINVAL);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
    for (int i = 0; i < COUNT; i++) {
        close(fds[i]);
    }
    free_things(&things);
}

TEST(what_cannot_be_waited_for_is_refused_and_nothing_written)
{
    struct things things = new_things();
    make_ready(&things, 1 << EVENT);
    kin_wait_item items[] = {kin_wait_for_event(things.event), kin_wait_for_read(things.pipe[0])};
    CHECK_EQUAL(kin_wait_many(items, 2, (kin_timeout){0}), -EINVAL);
    CHECK_EQUAL(kin_wait_many(NULL, 1, KIN_NOW), -EINVAL);
    items[1] = kin_wait_for_read(-1);
    CHECK_EQUAL(kin_wait_many(items, 2, KIN_NOW), -EINVAL);
    items[1] = kin_wait_for_queue(NULL);
    CHECK_EQUAL(kin_wait_many(items, 2, KIN_NOW), -EINVAL);
    items[1] = kin_wait_for_event(NULL);
    CHECK_EQUAL(kin_wait_many(items, 2, KIN_NOW), -EINVAL);
    items[1] = (kin_wait_item){0};
    CHECK_EQUAL(kin_wait_many(items, 2, KIN_NOW), -EINVAL);
    items[1] = kin_wait_for_read(987654);
    CHECK_EQUAL(kin_wait_many(items, 2, KIN_NOW), -EBADF);
    CHECK(!items[0].is_ready);
    CHECK_EQUAL(kin_wait_many(items, 1, KIN_NOW), 1);
    CHECK(items[0].is_ready);
    free_things(&things);
}

TEST(what_was_left_with_its_family_is_refused)
{
    struct things things = new_things();
    kin_fini();
    CHECK_EQUAL(wait_for(&things, KIN_NOW), KIN_EFAMILY);
    free_things(&things);
}

#ifdef KIN_FAULTS
TEST(each_call_that_fails_is_told)
{
    enum { COUNT = 20 };
    struct things things = new_things();
    kin_wait_item items[COUNT];
    for (int i = 0; i < COUNT; i++) {
        items[i] = i % 2 == 0 ? kin_wait_for_queue(things.queue)
                              : kin_wait_for_read(things.pipe[0]);
    }
    kin__allocation_fail_at(1);
    CHECK_EQUAL(kin_wait_many(items, COUNT, KIN_NOW), -ENOMEM);
    kin__allocation_fail_at(0);
    int failures = 0;
    for (uint64_t n = 1; n < 8; n++) {
        kin__os_fail_here(n);
        int r = kin_wait_many(items, COUNT, kin_within_ms(2));
        CHECK(r == -ENOMEM || r == -EMFILE || r == -ETIMEDOUT);
        failures += r != -ETIMEDOUT;
    }
    kin__os_fail_here(0);
    CHECK(failures > 0);
    make_ready(&things, 1 << QUEUE);
    CHECK_EQUAL(kin_wait_many(items, COUNT, KIN_FOREVER), COUNT / 2);
    free_things(&things);
}
#endif
