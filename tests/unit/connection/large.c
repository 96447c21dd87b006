/* Messages larger than what is asked for before they come, than a limit, than what ever comes. */
#include "connections.h"

#include "connection/connection.h"

#include <kin/object.h>
#include <sys/socket.h>

static int raw = -1;

/* `left` is a connection, `raw` the fd at its other end. */
static void begin_raw(void)
{
    int fds[2];
    begin();
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    raw = fds[1];
    REQUIRE(kin_connection_adopt_fd(fds[0], NULL, &left) == 0);
}

static void end_raw(void)
{
    end_pipe();
    close(raw);
    raw = -1;
}

struct counted {
    struct kin__sink sink;
    unsigned char *bytes;
    uint64_t room;
};

static int reserve(struct kin__sink *sink, uint64_t bytes, uint64_t room, void **ret_place)
{
    struct counted *counted = (struct counted *)sink;
    CHECK(room <= bytes && room > counted->room);
    counted->room = room;
    counted->bytes = realloc(counted->bytes, room);
    *ret_place = counted->bytes;
    return counted->bytes == NULL ? -ENOMEM : 0;
}

TEST(who_announces_much_and_sends_little_costs_little)
{
    static unsigned char bytes[100000];
    struct counted counted = {.sink = {.reserve = reserve}};
    begin_raw();
    REQUIRE(write(raw, "\x7f\xff\xff\xff", 4) == 4);
    CHECK_EQUAL(kin__connection_receive(left, &counted.sink, KIN_NOW), -EAGAIN);
    CHECK(counted.room <= 16 << 20);
    REQUIRE(write(raw, bytes, sizeof bytes) == sizeof bytes);
    counted.room = 0;
    CHECK_EQUAL(kin__connection_receive(left, &counted.sink, KIN_NOW), -EAGAIN);
    CHECK(counted.room <= 16 << 20);
    free(counted.bytes);
    end_raw();
}

enum { BYTES = (40 << 20) + 3 };

static void *send_pattern(void *user)
{
    unsigned char *bytes = pattern_create(BYTES, 1);
    CHECK_EQUAL(kin_connection_send_bytes(user, bytes, BYTES, KIN_FOREVER), 0);
    free(bytes);
    return NULL;
}

TEST(a_message_that_needs_more_room_again_and_again_is_whole)
{
    unsigned char *expected = pattern_create(BYTES, 1);
    for (int way = 0; way < 4; way++) {
        kin_object *object = NULL;
        int r = -ETIMEDOUT;
        begin_pipe(way & 1);
        pthread_t sender = thread_start(send_pattern, right);
        while (r == -ETIMEDOUT) { /* what had come is kept each time */
            kin_timeout timeout = way & 2 ? kin_within_ms(5) : KIN_FOREVER;
            r = kin_connection_receive_bytes(left, timeout, &object);
        }
        CHECK_EQUAL(r, 0);
        thread_join(sender);
        kin_bytes bytes = kin_object_bytes(object);
        REQUIRE(bytes.size == BYTES);
        CHECK(memcmp(bytes.data, expected, BYTES) == 0);
        kin_object_free(object);
        end_pipe();
    }
    free(expected);
}

/* The next message is the number 7. */
static void check_next(void)
{
    kin_object *seven = kin_object_from_int(7);
    kin_object *object = NULL;
    CHECK_EQUAL(kin_connection_send(right, seven, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_connection_receive(left, KIN_FOREVER, &object), 0);
    CHECK_EQUAL(kin_object_equal(object, seven), 1);
    kin_object_free(object);
    kin_object_free(seven);
}

TEST(a_message_over_the_limit_of_objects_is_thrown_away_and_the_next_one_comes)
{
    enum { SIZE = 50000 };
    kin_pickle_limits limits = {.size = sizeof limits, .input_bytes_max = 1000};
    kin_object *object = NULL;
    for (int way = 0; way < 4; way++) {
        size_t size = way & 2 ? SIZE : 2000;
        unsigned char *bytes = pattern_create(size, 1);
        begin_pipe(way & 1);
        CHECK_EQUAL(kin_connection_set_limits(left, &limits), 0);
        CHECK_EQUAL(kin_connection_send_bytes(right, bytes, size, KIN_FOREVER), 0);
        CHECK_EQUAL(kin_connection_receive(left, KIN_FOREVER, &object), KIN_ELIMIT);
        CHECK_EQUAL(kin_connection_receive(left, KIN_NOW, &object), -EAGAIN);
        check_next();
        free(bytes);
        end_pipe();
    }
}

TEST(half_a_message_over_the_limit_is_thrown_away_too)
{
    enum { SIZE = 50000 };
    static unsigned char bytes[SIZE + 4] = {0, 0, SIZE >> 8, SIZE & 255};
    static const unsigned char none[] = {0, 0, 0, 2, 'N', '.'};
    kin_pickle_limits limits = {.size = sizeof limits, .input_bytes_max = 1000};
    kin_object *object = NULL;
    begin_raw();
    CHECK_EQUAL(kin_connection_set_limits(left, &limits), 0);
    REQUIRE(write(raw, bytes, 30000) == 30000);
    CHECK_EQUAL(kin_connection_receive_bytes(left, KIN_NOW, &object), -EAGAIN);
    CHECK_EQUAL(kin_connection_receive(left, KIN_NOW, &object), KIN_ELIMIT);
    CHECK_EQUAL(kin_connection_receive(left, KIN_NOW, &object), -EAGAIN);
    REQUIRE(write(raw, bytes + 30000, sizeof bytes - 30000) == sizeof bytes - 30000);
    CHECK_EQUAL(kin_connection_receive(left, KIN_NOW, &object), -EAGAIN);
    REQUIRE(write(raw, none, sizeof none) == sizeof none);
    CHECK_EQUAL(kin_connection_receive(left, KIN_NOW, &object), 0);
    CHECK_EQUAL(kin_object_kind(object), KIN_KIND_NONE);
    kin_object_free(object);
    end_raw();
}
