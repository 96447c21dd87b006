/*
 * A C program in the midst of a multiprocessing.Queue, whose fds and semaphores a Python program
 * has given it:
 *
 *     put    the semaphore of free places is taken, then the writers' lock; a pickle in a frame is
 *            written to the pipe
 *     get    the readers' lock is taken; a frame is read; the semaphore of free places is raised
 *
 * Such a queue has what kin_queue has not: who dies inside holds its lock for ever.
 */
#define _GNU_SOURCE
#include "interop/peer.h"
#include "interop/python_lock.h"

#include <stdio.h>
#include <stdlib.h>

enum { ITEMS = 300, WAIT_MS = 20000 };

struct python_queue {
    kin_connection *reader;
    kin_connection *writer;
    sem_t *readers_lock;
    sem_t *writers_lock;
    sem_t *free_places;
};

static struct python_queue queue_open(const struct peer *peer)
{
    char text[256], names[3][64];
    int fds[2];
    struct python_queue queue;
    REQUIRE(peer_receive_fds(peer, text, sizeof text, fds, 2) == 2);
    REQUIRE(sscanf(text, "%63s %63s %63s", names[0], names[1], names[2]) == 3);
    REQUIRE(kin_connection_adopt_fd(fds[0], NULL, &queue.reader) == 0);
    REQUIRE(kin_connection_adopt_fd(fds[1], NULL, &queue.writer) == 0);
    queue.readers_lock = python_lock_open(names[0]);
    queue.writers_lock = python_lock_open(names[1]);
    queue.free_places = python_lock_open(names[2]);
    return queue;
}

static void queue_close(struct python_queue *queue)
{
    kin_connection_free(queue->reader);
    kin_connection_free(queue->writer);
    sem_close(queue->readers_lock);
    sem_close(queue->writers_lock);
    sem_close(queue->free_places);
}

static void queue_put(struct python_queue *queue, kin_object *object)
{
    python_lock_acquire(queue->free_places);
    python_lock_acquire(queue->writers_lock);
    CHECK_EQUAL(kin_connection_send(queue->writer, object, kin_within_ms(WAIT_MS)), 0);
    python_lock_release(queue->writers_lock);
    kin_object_free(object);
}

static kin_object *queue_get(struct python_queue *queue)
{
    kin_object *object = NULL;
    python_lock_acquire(queue->readers_lock);
    REQUIRE(kin_connection_receive(queue->reader, kin_within_ms(WAIT_MS), &object) == 0);
    python_lock_release(queue->free_places);
    python_lock_release(queue->readers_lock);
    return object;
}

/* What item() of peer_queue.py makes. */
static kin_object *item(int64_t number)
{
    char text[32];
    kin_object *dict = kin_dict_create();
    snprintf(text, sizeof text, "item %lld", (long long)number);
    REQUIRE(kin_dict_set_text(dict, "number", kin_object_from_int(number)) == 0);
    REQUIRE(kin_dict_set_text(dict, "text", kin_object_from_text(text)) == 0);
    REQUIRE(kin_dict_set_text(dict, "list",
                              KIN_LIST(kin_object_from_int(number), kin_object_none(),
                                       kin_object_from_float((double)number / 2))) == 0);
    return dict;
}

static int64_t number_of(const kin_object *object)
{
    int64_t number = -1;
    CHECK_EQUAL(kin_object_to_int(kin_dict_get_text(object, "number"), &number), 0);
    return number;
}

/* Checks that an item is one, and frees it. Returns its number. */
static int64_t check_item(kin_object *object)
{
    int64_t number = number_of(object);
    kin_object *expected = item(number);
    CHECK_EQUAL(kin_object_equal(object, expected), 1);
    kin_object_free(expected);
    kin_object_free(object);
    return number;
}

static struct peer begin(const char *function, struct python_queue *ret_queue)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    struct peer peer = peer_start("peer_queue.py", function);
    *ret_queue = queue_open(&peer);
    return peer;
}

static void end(struct peer *peer, struct python_queue *queue)
{
    queue_close(queue);
    peer_join(peer);
    kin_fini();
}

static void say(const struct peer *peer, const char *word)
{
    wire_send(peer->to, word, strlen(word));
}

TEST(c_gets_from_a_queue_of_python)
{
    struct python_queue queue;
    struct peer peer = begin("put", &queue);
    for (int64_t number = 0; number < ITEMS; number++) {
        CHECK_EQUAL(check_item(queue_get(&queue)), number);
    }
    say(&peer, "done");
    end(&peer, &queue);
}

TEST(c_puts_into_a_queue_of_python)
{
    struct python_queue queue;
    struct peer peer = begin("get", &queue);
    for (int64_t number = 0; number < ITEMS; number++) {
        queue_put(&queue, item(number));
    }
    end(&peer, &queue);
}

TEST(c_waits_for_a_place_in_a_bounded_queue_of_python)
{
    struct python_queue queue;
    struct peer peer = begin("bounded", &queue);
    size_t size;
    free(wire_receive(peer.from, &size));
    queue_put(&queue, item(1));
    say(&peer, "full");
    for (int64_t number = 2; number < ITEMS; number++) {
        queue_put(&queue, item(number));
    }
    end(&peer, &queue);
}

/* Notes that an item came to somebody: each must, once. */
static void note(bool *came, int64_t number)
{
    REQUIRE(number >= 0 && number < 3 * ITEMS);
    CHECK(!came[number]);
    came[number] = true;
}

TEST(c_and_two_pythons_put_and_get_at_the_same_time)
{
    struct python_queue queue;
    struct peer peer = begin("crowd", &queue);
    bool came[3 * ITEMS] = {false};
    for (int64_t number = 0; number < ITEMS; number++) {
        queue_put(&queue, item(2 * ITEMS + number));
        note(came, check_item(queue_get(&queue)));
    }
    kin_object *others = wire_receive_object(peer.from);
    CHECK_EQUAL(kin_object_count(others), 2 * ITEMS);
    for (size_t i = 0; i < kin_object_count(others); i++) {
        int64_t number = -1;
        CHECK_EQUAL(kin_object_to_int(kin_object_at(others, i), &number), 0);
        note(came, number);
    }
    kin_object_free(others);
    end(&peer, &queue);
}
