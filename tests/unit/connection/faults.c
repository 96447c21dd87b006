/* Every allocation and every call to the system fails once: the code is clear, nothing is left
 * behind, and what was not told to have failed has happened. */
#include "connections.h"

#include "base/fault.h"
#include "os/fault.h"

#include <fcntl.h>

#ifdef KIN_FAULTS

typedef void fail_at(uint64_t n);

static void fail_allocation(uint64_t n)
{
    kin__allocation_fail_at(n);
}

/* Of this thread: the keeper's calls are not to be counted. */
static void fail_call(uint64_t n)
{
    kin__os_fail_here(n);
}

static int first_code(int first, int r)
{
    return first < 0 ? first : r;
}

/* Messages of both kinds, with fds, and an end that is opened again. The first code that was not
 * 0. */
static int use_pipe(bool is_duplex)
{
    static unsigned char bytes[60000];
    size_t size = 0;
    kin_connection *copy = NULL;
    int r = kin_pipe_create(is_duplex, &left, &right);
    CHECK((r == 0) == (left != NULL) && (left == NULL) == (right == NULL));
    if (r < 0) {
        return r;
    }
    int first = r;
    for (size_t sent = 20; sent <= sizeof bytes; sent += 59980) {
        r = kin_connection_send_bytes(right, bytes, sent, KIN_FOREVER);
        first = first_code(first, r);
        while (r == 0) {
            int got = kin_connection_receive_into(left, bytes, sizeof bytes, KIN_FOREVER, &size);
            first = first_code(first, got);
            CHECK(got < 0 || size == sent);
            r = got == 0; /* what failed once can be done again */
        }
    }
    int fd = fcntl(kin_connection_fd(left), F_DUPFD_CLOEXEC, 3);
    r = kin_connection_attach(kin_connection_handle(left), fd, &copy);
    first = first_code(first, r);
    if (r < 0) {
        CHECK_EQUAL(close(fd), 0); /* still ours */
    }
    kin_connection_free(copy);
    end_pipe();
    return first;
}

static int adopt(bool is_duplex)
{
    int fds[2];
    (void)is_duplex;
    REQUIRE(pipe(fds) == 0);
    int r = kin_connection_adopt_fd(fds[0], NULL, &left);
    if (r < 0) {
        CHECK(left == NULL);
        CHECK_EQUAL(close(fds[0]), 0);
    }
    close(fds[1]);
    end_pipe();
    return r;
}

static void fail_each(fail_at *fail, int (*use)(bool is_duplex), bool is_duplex)
{
    int failures = 0;
    int r = -1;
    begin();
    CHECK_EQUAL(use(is_duplex), 0); /* what is made once, is made */
    for (uint64_t n = 1; r < 0; n++) {
        fail(n);
        r = use(is_duplex);
        failures += r < 0;
        REQUIRE(n < 200);
    }
    fail(0);
    CHECK_EQUAL(r, 0);
    CHECK(failures > 0);
}

TEST(each_allocation_of_a_two_way_pipe_can_fail)
{
    fail_each(fail_allocation, use_pipe, true);
}

TEST(each_allocation_of_a_one_way_pipe_can_fail)
{
    fail_each(fail_allocation, use_pipe, false);
}

TEST(each_call_of_a_two_way_pipe_can_fail)
{
    fail_each(fail_call, use_pipe, true);
}

TEST(each_call_of_a_one_way_pipe_can_fail)
{
    fail_each(fail_call, use_pipe, false);
}

TEST(each_allocation_of_adopting_can_fail)
{
    fail_each(fail_allocation, adopt, false);
}

TEST(each_call_of_adopting_can_fail)
{
    fail_each(fail_call, adopt, false);
}

#endif
