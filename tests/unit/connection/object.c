#include "harness/test.h"

#include "unit/connection/connections.h"

#include <fcntl.h>
#include <kin.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGE_OBJECT_BYTES = 400000 };

static kin_object *sample(void)
{
    kin_object *dict = kin_dict_create();
    kin_dict_set_text(dict, "name", kin_object_from_text("Ada"));
    kin_dict_set_text(dict, "numbers",
                      KIN_LIST(kin_object_from_int(1), kin_object_from_float(2.5)));
    return dict;
}

static void check_arrives(kin_object *object)
{
    kin_object *received = NULL;
    CHECK_EQUAL(kin_connection_send(right, object, KIN_FOREVER), 0);
    REQUIRE(kin_connection_receive(left, KIN_FOREVER, &received) == 0);
    CHECK_EQUAL(kin_object_equal(object, received), 1);
    kin_object_free(received);
    kin_object_free(object);
}

TEST(an_object_arrives_equal)
{
    for (int is_duplex = 0; is_duplex < 2; is_duplex++) {
        begin_pipe(is_duplex != 0);
        check_arrives(sample());
        check_arrives(kin_object_none());
        check_arrives(kin_object_from_bytes("some bytes", 10));
        end_pipe();
    }
}

TEST(a_circle_arrives_as_a_circle)
{
    begin_pipe(true);
    kin_object *list = kin_list_create();
    kin_list_append(list, kin_object_ref(list));
    CHECK_EQUAL(kin_connection_send(right, list, KIN_FOREVER), 0);
    kin_object *received = NULL;
    REQUIRE(kin_connection_receive(left, KIN_FOREVER, &received) == 0);
    CHECK(kin_object_at(received, 0) == received);
    kin_object_free(received);
    kin_object_free(list);
    end_pipe();
}

static int send_large(void *user)
{
    kin_object *list = kin_list_create();
    for (int i = 0; i < 20; i++) {
        unsigned char *bytes = pattern_create(100000, (size_t)i);
        kin_list_append(list, kin_object_from_bytes(bytes, 100000));
        free(bytes);
    }
    (void)user;
    int r = kin_connection_send(right, list, KIN_FOREVER);
    kin_object_free(list);
    return r;
}

TEST_OF_PROCESSES(large_parts_arrive_in_their_order)
{
    begin_pipe(true);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(send_large(NULL) == 0 ? 0 : 1);
    }
    kin_object *received = NULL;
    REQUIRE(kin_connection_receive(left, KIN_FOREVER, &received) == 0);
    CHECK_EQUAL(kin_object_count(received), 20);
    for (size_t i = 0; i < 20; i++) {
        unsigned char *bytes = pattern_create(100000, i);
        kin_bytes part = kin_object_bytes(kin_object_at(received, i));
        CHECK_EQUAL(part.size, 100000);
        CHECK(memcmp(part.data, bytes, 100000) == 0);
        free(bytes);
    }
    kin_object_free(received);
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    end_pipe();
}

TEST(bytes_arrive_as_a_bytes_object)
{
    begin_pipe(true);
    send_text(right, "plain");
    kin_object *bytes = NULL;
    REQUIRE(kin_connection_receive_bytes(left, KIN_FOREVER, &bytes) == 0);
    CHECK_EQUAL(kin_object_kind(bytes), KIN_KIND_BYTES);
    CHECK_STRING(kin_object_bytes(bytes).data, "plain");
    kin_object_free(bytes);
    CHECK_EQUAL(kin_connection_receive_bytes(left, KIN_NOW, &bytes), -EAGAIN);
    end_pipe();
}

TEST(an_fd_arrives_in_an_object)
{
    begin_pipe(true);
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    kin_object *writer = NULL;
    REQUIRE(kin_object_from_fd(fds[1], &writer) == 0);
    kin_object *message = KIN_TUPLE(kin_object_from_text("write here"), writer);
    CHECK_EQUAL(kin_connection_send(right, message, KIN_FOREVER), 0);
    kin_object_free(message);
    close(fds[1]);
    kin_object *received = NULL;
    REQUIRE(kin_connection_receive(left, KIN_FOREVER, &received) == 0);
    int fd = kin_object_fd(kin_object_at(received, 1));
    REQUIRE(fd >= 0);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK_EQUAL(write(fd, "x", 1), 1);
    kin_object_free(received);
    char byte;
    CHECK_EQUAL(read(fds[0], &byte, 1), 1);
    CHECK_EQUAL(read(fds[0], &byte, 1), 0); /* nobody has it any more */
    close(fds[0]);
    end_pipe();
}

TEST(an_fd_does_not_go_through_a_pipe)
{
    begin_pipe(false);
    kin_object *fd = NULL;
    REQUIRE(kin_object_from_fd(0, &fd) == 0);
    CHECK_EQUAL(kin_connection_send(right, fd, KIN_FOREVER), -EOPNOTSUPP);
    kin_object_free(fd);
    check_arrives(sample());
    end_pipe();
}

TEST(a_queue_goes_through_a_pipe_and_lives_on)
{
    begin_pipe(false);
    kin_queue *queue = NULL;
    kin_object *handle = NULL;
    REQUIRE(kin_queue_create(NULL, &queue) == 0);
    CHECK_EQUAL(kin_queue_put_bytes(queue, "inside", 6, KIN_FOREVER), 0);
    REQUIRE(kin_object_from_handle(kin_queue_handle(queue), &handle) == 0);
    kin_object *message = KIN_LIST(handle);
    CHECK_EQUAL(kin_connection_send(right, message, KIN_FOREVER), 0);
    kin_object_free(message);
    kin_queue_free(queue); /* nobody has it now but the pipe */

    kin_object *received = NULL;
    REQUIRE(kin_connection_receive(left, KIN_FOREVER, &received) == 0);
    kin_handle name;
    REQUIRE(kin_object_to_handle(kin_object_at(received, 0), &name) == 0);
    REQUIRE(kin_queue_attach(name, &queue) == 0);
    kin_object_free(received);
    kin_message got;
    CHECK_EQUAL(kin_queue_get_bytes(queue, KIN_NOW, &got), 0);
    CHECK_EQUAL(kin_message_bytes(&got).size, 6);
    kin_message_free(&got);
    kin_queue_free(queue);
    end_pipe();
}

TEST(an_end_goes_through_a_pipe_in_an_object)
{
    begin_pipe(true);
    kin_connection *near = NULL;
    kin_connection *far = NULL;
    kin_object *handle = NULL;
    kin_object *fd = NULL;
    REQUIRE(kin_pipe_create(false, &near, &far) == 0);
    REQUIRE(kin_object_from_handle(kin_connection_handle(far), &handle) == 0);
    REQUIRE(kin_object_from_fd(kin_connection_fd(far), &fd) == 0);
    kin_object *message = KIN_TUPLE(handle, fd);
    CHECK_EQUAL(kin_connection_send(right, message, KIN_FOREVER), 0);
    kin_object_free(message);
    kin_connection_free(far); /* it is on its way only */

    kin_object *received = NULL;
    kin_handle name;
    REQUIRE(kin_connection_receive(left, KIN_FOREVER, &received) == 0);
    REQUIRE(kin_object_to_handle(kin_object_at(received, 0), &name) == 0);
    int its_own = dup(kin_object_fd(kin_object_at(received, 1)));
    REQUIRE(kin_connection_attach(name, its_own, &far) == 0);
    kin_object_free(received);
    CHECK_EQUAL(kin_connection_send_bytes(far, "through it", 10, KIN_FOREVER), 0);
    kin_connection_free(far);
    char text[16];
    size_t size = 0;
    CHECK_EQUAL(kin_connection_receive_into(near, text, sizeof text, KIN_FOREVER, &size), 0);
    CHECK_EQUAL(size, 10);
    CHECK_EQUAL(kin_connection_receive_into(near, text, sizeof text, KIN_FOREVER, &size), -EPIPE);
    kin_connection_free(near);
    end_pipe();
}

TEST(handles_that_nobody_received_go_with_the_pipe)
{
    begin_pipe(false);
    kin_event *event = NULL;
    kin_object *handle = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_handle name = kin_event_handle(event);
    REQUIRE(kin_object_from_handle(name, &handle) == 0);
    CHECK_EQUAL(kin_connection_send(right, handle, KIN_FOREVER), 0);
    kin_object_free(handle);
    kin_event_free(event);
    CHECK_EQUAL(kin_event_attach(name, &event), 0);
    kin_event_free(event);
    end_pipe();
    CHECK_EQUAL(kin_event_attach(name, &event), -ESTALE);
}

TEST(no_more_handles_than_there_are_places_are_on_their_way)
{
    begin_pipe(false);
    kin_event *event = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_object *handle = NULL;
    REQUIRE(kin_object_from_handle(kin_event_handle(event), &handle) == 0);
    int sent = 0;
    int r = 0;
    while ((r = kin_connection_send(right, handle, KIN_FOREVER)) == 0) {
        sent++;
    }
    CHECK_EQUAL(r, -ETOOMANYREFS);
    CHECK_EQUAL(sent, 64);
    kin_object *received = NULL;
    for (int i = 0; i < sent; i++) {
        REQUIRE(kin_connection_receive(left, KIN_FOREVER, &received) == 0);
        kin_object_free(received);
    }
    for (int i = 0; i < 200; i++) { /* their places are free again */
        REQUIRE(kin_connection_send(right, handle, KIN_FOREVER) == 0);
        REQUIRE(kin_connection_receive(left, KIN_FOREVER, &received) == 0);
        kin_object_free(received);
    }
    kin_object_free(handle);
    kin_event_free(event);
    end_pipe();
}

static int send_object(void *user)
{
    return kin_connection_send(right, user, KIN_FOREVER);
}

TEST(a_handle_in_a_message_that_comes_in_parts_takes_its_place_once)
{
    begin_pipe(true);
    kin_event *event = NULL;
    kin_object *handle = NULL;
    kin_object *received = NULL;
    unsigned char *data = calloc(1, LARGE_OBJECT_BYTES);
    REQUIRE(data != NULL && kin_event_create(NULL, &event) == 0);
    REQUIRE(kin_object_from_handle(kin_event_handle(event), &handle) == 0);
    kin_object *object = KIN_LIST(kin_object_ref(handle),
                                  kin_object_from_bytes(data, LARGE_OBJECT_BYTES));
    for (int i = 0; i < 70; i++) { /* more often than there are places */
        thrd_t thread;
        int code = 0;
        int r = 0;
        REQUIRE(thrd_create(&thread, send_object, object) == thrd_success);
        while ((r = kin_connection_receive(left, KIN_NOW, &received)) == -EAGAIN) {
            thrd_yield();
        }
        CHECK_EQUAL(r, 0);
        kin_object_free(received);
        thrd_join(thread, &code);
        CHECK_EQUAL(code, 0);
    }
    kin_object_free(object);
    kin_object_free(handle);
    kin_event_free(event);
    free(data);
    end_pipe();
}

TEST(what_is_too_long_gives_its_places_back)
{
    begin_pipe(true);
    kin_event *event = NULL;
    kin_object *handle = NULL;
    kin_object *received = NULL;
    static const unsigned char data[600];
    kin_pickle_limits limits = {.size = sizeof limits, .input_bytes_max = 500};
    REQUIRE(kin_event_create(NULL, &event) == 0);
    REQUIRE(kin_object_from_handle(kin_event_handle(event), &handle) == 0);
    kin_object *object = KIN_LIST(handle, kin_object_from_bytes(data, sizeof data));
    REQUIRE(kin_connection_set_limits(left, &limits) == 0);
    for (int i = 0; i < 70; i++) {
        REQUIRE(kin_connection_send(right, object, KIN_FOREVER) == 0);
        CHECK_EQUAL(kin_connection_receive(left, KIN_FOREVER, &received), KIN_ELIMIT);
    }
    kin_object_free(object);
    kin_event_free(event);
    end_pipe();
}

TEST(a_handle_does_not_leave_the_family)
{
    begin();
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    kin_connection *adopted = NULL;
    REQUIRE(kin_connection_adopt_fd(fds[1], NULL, &adopted) == 0);
    kin_event *event = NULL;
    kin_object *handle = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    REQUIRE(kin_object_from_handle(kin_event_handle(event), &handle) == 0);
    CHECK_EQUAL(kin_connection_send(adopted, handle, KIN_FOREVER), -EOPNOTSUPP);
    kin_object_free(handle);
    kin_event_free(event);
    kin_connection_free(adopted);
    close(fds[0]);
}

static void check_refused(const char *bytes, size_t size, int code)
{
    kin_object *received = NULL;
    CHECK_EQUAL(kin_connection_send_bytes(right, bytes, size, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_connection_receive(left, KIN_FOREVER, &received), code);
    CHECK(received == NULL);
}

TEST(bytes_that_are_no_object_are_refused_and_the_next_one_comes)
{
    begin_pipe(true);
    check_refused("", 0, -EBADMSG);
    check_refused("garbage", 7, -EBADMSG);
    check_refused("\0", 1, -EBADMSG);
    check_refused("\0kin", 4, -EBADMSG);
    check_refused("\0kin\1", 5, -EBADMSG);
    check_refused("\0kin\1\xff\x80\4N.", 10, -EBADMSG);
    check_refused("\0kin\xff", 5, -EBADMSG);
    check_arrives(sample());
    end_pipe();
}

TEST(limits_are_those_that_were_set)
{
    begin_pipe(true);
    kin_pickle_limits limits = {.size = sizeof limits, .object_count_max = 2};
    CHECK_EQUAL(kin_connection_set_limits(left, &limits), 0);
    kin_object *object = sample();
    kin_object *received = NULL;
    CHECK_EQUAL(kin_connection_send(right, object, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_connection_receive(left, KIN_FOREVER, &received), KIN_ELIMIT);
    kin_object_free(object);
    CHECK_EQUAL(kin_connection_set_limits(left, NULL), 0);
    check_arrives(sample());
    limits.size = 1;
    CHECK_EQUAL(kin_connection_set_limits(left, &limits), -EINVAL);
    CHECK_EQUAL(kin_connection_set_limits(NULL, NULL), -EINVAL);
    end_pipe();
}

TEST(no_object_is_said_to_be_no_memory)
{
    begin_pipe(true);
    kin_object *received = NULL;
    CHECK_EQUAL(kin_connection_send(right, NULL, KIN_FOREVER), -ENOMEM);
    CHECK_EQUAL(kin_connection_send(NULL, kin_object_none(), KIN_FOREVER), -EINVAL);
    CHECK_EQUAL(kin_connection_receive(NULL, KIN_NOW, &received), -EINVAL);
    CHECK_EQUAL(kin_connection_receive(left, KIN_NOW, NULL), -EINVAL);
    CHECK_EQUAL(kin_connection_receive(left, KIN_NOW, &received), -EAGAIN);
    end_pipe();
}
