/*
 * Connections: one that is killed while it sends or receives. Messages are whole and in order; at
 * most the one that the dead was at is missing; and if it was left half sent, all are told.
 *
 * Messages have the seeds 1, 2, 3 ... in the order in which they are sent.
 */
#include "step/scenario.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/pipe.h>
#include <string.h>
#include <unistd.h>

enum { BYTES_MAX = 30000, SEED_MAX = 5 };

enum {
    FLAG_BEFORE,   /* seed of the message that was taken last */
    FLAG_IS_CLEAR, /* what the survivor did says for certain what the victim did not */
    FLAG_RESULT,   /* minus the survivor's code */
};

static kin_connection *left;
static kin_connection *right; /* sends */
static size_t message_bytes;
static bool is_two_way;

static unsigned char bytes[BYTES_MAX + 4];
static unsigned char messages[SEED_MAX][BYTES_MAX]; /* made before: each instruction is stepped */

static uint64_t flag(uint32_t index)
{
    return atomic_load(&scene.board->flags[index]);
}

static int send_message(uint32_t seed)
{
    return kin_connection_send_bytes(right, messages[seed], message_bytes, KIN_FOREVER);
}

/* The next message's seed, or a code. */
static int receive_message(kin_timeout timeout)
{
    size_t size = 0;
    int r = kin_connection_receive_into(left, bytes, sizeof bytes, timeout, &size);
    if (r < 0) {
        return r;
    }
    for (uint32_t seed = 1; seed < SEED_MAX; seed++) {
        if (size == message_bytes && memcmp(bytes, messages[seed], size) == 0) {
            return (int)seed;
        }
    }
    crash_fail("a message of %zu bytes that nobody has sent", size);
    return 0;
}

/* --- setups --- */

static void set_up(bool is_duplex, size_t size, uint32_t count)
{
    is_two_way = is_duplex;
    message_bytes = size;
    for (uint32_t seed = 1; seed < SEED_MAX; seed++) {
        crash_fill(messages[seed], size, seed);
    }
    CRASH_CHECK(kin_pipe_create(is_duplex, &left, &right) == 0);
    for (uint32_t seed = 1; seed <= count; seed++) {
        CRASH_CHECK(send_message(seed) == 0);
    }
}

static void set_up_small(void)
{
    set_up(true, 100, 0);
}

static void set_up_small_one_way(void)
{
    set_up(false, 100, 0);
}

static void set_up_large(void)
{
    set_up(true, BYTES_MAX, 0);
}

static void set_up_large_one_way(void)
{
    set_up(false, 20000, 0);
}

static void set_up_three_small(void)
{
    set_up(true, 100, 3);
}

static void set_up_three_small_one_way(void)
{
    set_up(false, 100, 3);
}

static void set_up_three_read_ahead(void)
{
    set_up(true, 100, 4);
    CRASH_CHECK(receive_message(KIN_NOW) == 1);
    atomic_store(&scene.board->flags[FLAG_BEFORE], 1);
}

static void set_up_two_large(void)
{
    set_up(true, BYTES_MAX, 2);
}

static void set_up_three_large_one_way(void)
{
    set_up(false, 20000, 3);
}

/* Past kin: a part of a frame. */
static void write_part(uint32_t seed, size_t from, size_t size)
{
    unsigned char frame[4 + BYTES_MAX] = {0, 0, (unsigned char)(message_bytes >> 8),
                                          (unsigned char)message_bytes};
    memcpy(frame + 4, messages[seed], message_bytes);
    CRASH_CHECK(write(kin_connection_fd(right), frame + from, size) == (ssize_t)size);
}

static void set_up_half(void)
{
    set_up(true, BYTES_MAX, 0);
    write_part(1, 0, 20001);
}

static void write_rest(void)
{
    write_part(1, 20001, 4 + BYTES_MAX - 20001);
}

static void set_up_half_kept(void)
{
    set_up_half();
    CRASH_CHECK(receive_message(KIN_NOW) == -EAGAIN);
    write_rest();
    CRASH_CHECK(send_message(2) == 0);
}

/* --- sending --- */

static void send_victim(void)
{
    CRASH_CHECK(send_message(1) == 0);
    atomic_store(&scene.board->is_done, 1);
}

static void send_fds(void)
{
    int fd = STDERR_FILENO;
    kin_bytes message = {messages[1], message_bytes};
    CRASH_CHECK(kin_connection_send_fds(right, message, &fd, 1, KIN_FOREVER) == 0);
    atomic_store(&scene.board->is_done, 1);
}

static void send_survivor(void)
{
    int r = send_message(2);
    if (r != 0 && (r != KIN_EBROKEN || is_two_way || message_bytes <= 2000)) {
        crash_fail("the survivor cannot send: %d", r);
    }
    atomic_store(&scene.board->flags[FLAG_RESULT], (uint64_t)-r);
}

static void free_ends(void)
{
    left = kin_connection_free(left);
    right = kin_connection_free(right);
}

static void finish_sending(void)
{
    bool is_broken = flag(FLAG_RESULT) != 0;
    int r = receive_message(KIN_NOW);
    if (r == 1) {
        r = receive_message(KIN_NOW);
    } else if (atomic_load(&scene.board->is_done)) {
        crash_fail("what was sent does not come, but %d", r);
    }
    if (!is_broken) {
        CRASH_CHECK(r == 2);
        CRASH_CHECK(receive_message(KIN_NOW) == -EAGAIN);
    } else {
        CRASH_CHECK(!atomic_load(&scene.board->is_done));
        CRASH_CHECK(r == -ECONNRESET || r == -EAGAIN);
    }
    free_ends();
}

/* --- receiving --- */

static void receive_victim(void)
{
    CRASH_CHECK(receive_message(KIN_FOREVER) == (int)flag(FLAG_BEFORE) + 1);
    atomic_store(&scene.board->is_done, 1);
}

static void receive_survivor(void)
{
    int before = (int)flag(FLAG_BEFORE);
    int least = before + (atomic_load(&scene.board->is_done) ? 2 : 1);
    int seed = receive_message(KIN_FOREVER);
    if (seed == KIN_EBROKEN && !is_two_way) {
        atomic_store(&scene.board->flags[FLAG_RESULT], 1);
    } else if (seed < least || seed > before + 2) {
        crash_fail("the survivor receives %d after %d", seed, before);
    }
    atomic_store(&scene.board->flags[FLAG_BEFORE], (uint64_t)(seed < 0 ? 0 : seed));
}

/* What is left follows on what the survivor had. */
static void finish_receiving(void)
{
    int seed = 0;
    int next = (int)flag(FLAG_BEFORE) + 1;
    while (flag(FLAG_RESULT) == 0 && (seed = receive_message(KIN_NOW)) > 0) {
        CRASH_CHECK(seed == next);
        next++;
    }
    CRASH_CHECK(flag(FLAG_RESULT) != 0 || seed == -EAGAIN);
    free_ends();
}

static void send_next(void)
{
    CRASH_CHECK(send_message((uint32_t)atomic_fetch_add(&scene.board->flags[3], 1) + 1) == 0);
}

/* The one that the victim waits for may have gone with it. */
static void send_and_receive(void)
{
    send_next();
    receive_survivor();
}

static void receive_half(void)
{
    CRASH_CHECK(receive_message(KIN_NOW) == -EAGAIN);
}

static void receive_rest(void)
{
    write_rest();
    CRASH_CHECK(send_message(2) == 0);
    receive_survivor();
}

static void poll_victim(void)
{
    CRASH_CHECK(kin_connection_poll(left, KIN_FOREVER) == 0);
}

/* --- making --- */

static void make_and_free(void)
{
    kin_connection *first = NULL;
    kin_connection *second = NULL;
    CRASH_CHECK(kin_pipe_create(true, &first, &second) == 0);
    kin_connection_free(first);
    kin_connection_free(second);
}

static void free_victim(void)
{
    free_ends();
}

static void finish_making(void)
{
    CRASH_CHECK(receive_message(KIN_NOW) == 1);
    free_ends();
}

static void set_up_one(void)
{
    set_up(true, 100, 1);
}

#define SENDING(where, make, act)                                                  \
    {                                                                              \
        .name = "connection send", .context = where, .setup = make, .victim = act, \
        .survivor = send_survivor, .finish = finish_sending                        \
    }
#define RECEIVING(where, make, ...)                                                              \
    {                                                                                            \
        .name = "connection receive", .context = where, .setup = make, .victim = receive_victim, \
        .survivor = receive_survivor, .finish = finish_receiving, __VA_ARGS__                    \
    }

const struct scenario connection_scenarios[] = {
    SENDING("small", set_up_small, send_victim),
    SENDING("small, one-way", set_up_small_one_way, send_victim),
    SENDING("large", set_up_large, send_victim),
    SENDING("large, one-way", set_up_large_one_way, send_victim),
    SENDING("with an fd", set_up_small, send_fds),
    RECEIVING("small", set_up_three_small, ),
    RECEIVING("small, one-way", set_up_three_small_one_way, ),
    RECEIVING("read ahead", set_up_three_read_ahead, ),
    RECEIVING("large", set_up_two_large, ),
    RECEIVING("large, one-way", set_up_three_large_one_way, ),
    RECEIVING("the rest of what was kept", set_up_half_kept, ),
    {.name = "connection receive",
     .context = "waits",
     .setup = set_up_small,
     .victim = receive_victim,
     .asleep = send_next,
     .survivor = send_and_receive,
     .finish = finish_receiving},
    {.name = "connection receive",
     .context = "waits, one-way",
     .setup = set_up_small_one_way,
     .victim = receive_victim,
     .asleep = send_next,
     .survivor = send_and_receive,
     .finish = finish_receiving},
    {.name = "connection receive",
     .context = "half a message, which is kept",
     .setup = set_up_half,
     .victim = receive_half,
     .survivor = receive_rest,
     .finish = finish_receiving},
    {.name = "connection poll",
     .context = "waits",
     .setup = set_up_small,
     .victim = poll_victim,
     .asleep = send_next,
     .survivor = send_and_receive,
     .finish = finish_receiving},
    {.name = "connection create",
     .context = "and free",
     .setup = set_up_one,
     .victim = make_and_free,
     .survivor = make_and_free,
     .finish = finish_making},
    {.name = "connection free",
     .context = "used by others",
     .setup = set_up_one,
     .victim = free_victim,
     .survivor = make_and_free,
     .finish = finish_making},
    {0},
};
