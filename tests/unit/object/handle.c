#include "harness/test.h"

#include <kin/error.h>
#include <kin/handle.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fault.h"
#include "object/runtime.h"
#include "os/fault.h"

TEST(a_handle_is_refused_without_a_family)
{
    kin_object *object = NULL;
    CHECK_EQUAL(kin_object_from_handle((kin_handle){.index = 1, .counter = 1}, &object),
                KIN_EFAMILY);
    CHECK(object == NULL);
}

static int held_count;

static int hold(kin_handle handle, void **ret_held)
{
    if (handle.counter == 0) {
        return -ESTALE;
    }
    held_count++;
    *ret_held = &held_count;
    return 0;
}

static void let_go(void *held)
{
    (*(int *)held)--;
}

TEST(a_handle_holds_what_it_names_until_its_end)
{
    kin__handle_hooks = (struct kin__handle_hooks){hold, let_go};
    kin_handle handle = {.index = 7, .family = 8, .counter = 9};
    kin_object *object = NULL;
    REQUIRE(kin_object_from_handle(handle, &object) == 0);
    CHECK_EQUAL(held_count, 1);
    CHECK_EQUAL(kin_object_kind(object), KIN_KIND_HANDLE);
    kin_handle read = {0};
    CHECK_EQUAL(kin_object_to_handle(object, &read), 0);
    CHECK_EQUAL(read.index, 7);
    CHECK_EQUAL(read.family, 8);
    CHECK_EQUAL(read.counter, 9);
    kin_object_free(object);
    CHECK_EQUAL(held_count, 0);
    CHECK_EQUAL(kin_object_from_handle((kin_handle){0}, &object), -ESTALE);
    CHECK_EQUAL(held_count, 0);
}

TEST(an_fd_object_has_an_fd_of_its_own)
{
    int ends[2];
    kin_object *object = NULL;
    REQUIRE(pipe(ends) == 0);
    REQUIRE(kin_object_from_fd(ends[1], &object) == 0);
    int fd = kin_object_fd(object);
    CHECK(fd > STDERR_FILENO && fd != ends[1]);
    CHECK_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(ends[1]);
    CHECK_EQUAL(write(fd, "x", 1), 1);
    kin_object_free(object);
    CHECK_EQUAL(fcntl(fd, F_GETFD), -1);
    close(ends[0]);
    CHECK_EQUAL(kin_object_from_fd(ends[0], &object), -EBADF);
}

TEST(what_is_no_handle_and_no_fd_says_so)
{
    kin_object *number = kin_object_from_int(3);
    kin_handle handle;
    CHECK_EQUAL(kin_object_to_handle(number, &handle), -EINVAL);
    CHECK_EQUAL(kin_object_fd(number), -EINVAL);
    CHECK_EQUAL(kin_object_to_handle(NULL, &handle), -ENOMEM);
    CHECK_EQUAL(kin_object_fd(NULL), -ENOMEM);
    CHECK_EQUAL(kin_object_from_fd(0, NULL), -EINVAL);
    CHECK_EQUAL(kin_object_from_handle(handle, NULL), -EINVAL);
    kin_object_free(number);
}

#ifdef KIN_FAULTS

TEST(without_memory_or_fds_nothing_is_left_of_a_handle_or_fd)
{
    kin_object *object = NULL;
    kin__handle_hooks = (struct kin__handle_hooks){hold, let_go};
    kin__allocation_fail_at(1);
    CHECK_EQUAL(kin_object_from_handle((kin_handle){.counter = 1}, &object), -ENOMEM);
    CHECK_EQUAL(held_count, 0);
    kin__allocation_fail_at(1);
    CHECK_EQUAL(kin_object_from_fd(STDIN_FILENO, &object), -ENOMEM);
    kin__allocation_fail_at(0);
    kin__os_fail_at(1);
    CHECK_EQUAL(kin_object_from_fd(STDIN_FILENO, &object), -EMFILE);
    kin__os_fail_at(0);
    CHECK(object == NULL);
}

#endif
