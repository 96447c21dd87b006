/*
 * Real CPython children of a C program, which run a function and talk over a connection.
 */
#define _GNU_SOURCE
#include "interop/child.h"
#include "interop/peer.h"
#include "interop/python_lock.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TURNS = 1000, WAIT_MS = 20000 };

/* A connection, one end of which a child gets. */
struct line {
    kin_connection *mine;
    kin_connection *theirs;
};

static struct line line_create(void)
{
    struct line line;
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(kin_pipe_create(true, &line.mine, &line.theirs) == 0);
    return line;
}

static void line_free(struct line *line)
{
    kin_connection_free(line->mine);
    kin_connection_free(line->theirs);
    kin_fini();
}

/* Starts a child whose first argument is its end of the line. */
static struct child start(struct line *line, struct child_plan plan)
{
    plan.fds[plan.fd_count++] = kin_connection_fd(line->theirs);
    struct child child = child_start(&plan);
    line->theirs = kin_connection_free(line->theirs);
    return child;
}

static kin_object *connection_of(const struct line *line)
{
    return child_connection(kin_connection_fd(line->theirs));
}

static kin_object *receive(const struct line *line)
{
    kin_object *object = NULL;
    REQUIRE(kin_connection_receive(line->mine, kin_within_ms(WAIT_MS), &object) == 0);
    return object;
}

static void check_repr(kin_object *object, const char *expected)
{
    char text[1024] = "";
    REQUIRE(kin_object_format(object, text, sizeof text) >= 0);
    CHECK_STRING(text, expected);
    kin_object_free(object);
}

TEST(a_python_child_gets_arguments_and_answers)
{
    struct line line = line_create();
    kin_object *keywords = kin_dict_create();
    REQUIRE(kin_dict_set_text(keywords, "word", kin_object_from_text("value")) == 0);
    struct child child = start(
        &line, (struct child_plan){
                   .function = "answer",
                   .arguments = KIN_TUPLE(connection_of(&line), kin_object_from_int(7),
                                          KIN_LIST(kin_object_from_float(2.5), kin_object_none())),
                   .keywords = keywords});
    check_repr(receive(&line), "((7, [2.5, None]), {'word': 'value'})");
    CHECK_EQUAL(child_wait(&child), 0);
    line_free(&line);
}

TEST(a_python_child_is_what_multiprocessing_makes_of_it)
{
    char expected[8192];
    struct line line = line_create();
    struct child child = start(
        &line,
        (struct child_plan){.function = "tell", .arguments = KIN_TUPLE(connection_of(&line))});
    snprintf(expected, sizeof expected,
             "{'name': 'Child-1', 'authkey': b'the key', 'daemon': False, "
             "'parent name': 'a C program', 'parent pid': True, 'start method': 'spawn', "
             "'argv': ['interop', 'argument'], 'folder': '%s'}",
             peer_folder());
    check_repr(receive(&line), expected);
    CHECK_EQUAL(child_wait(&child), 0);
    line_free(&line);
}

TEST(a_python_child_ends_with_its_own_code)
{
    struct child child = child_start(
        &(struct child_plan){.function = "end", .arguments = KIN_TUPLE(kin_object_from_int(7))});
    int status = child_wait(&child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    child = child_start(
        &(struct child_plan){.function = "fail", .arguments = kin_tuple_from(NULL, 0)});
    status = child_wait(&child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

TEST(a_python_child_talks_until_the_end_of_the_file)
{
    struct line line = line_create();
    struct child child = start(
        &line,
        (struct child_plan){.function = "talk", .arguments = KIN_TUPLE(connection_of(&line))});
    for (int64_t number = 0; number < TURNS; number++) {
        int64_t twice = 0;
        kin_object *question = kin_object_from_int(number);
        CHECK_EQUAL(kin_connection_send(line.mine, question, kin_within_ms(WAIT_MS)), 0);
        kin_object *answer = receive(&line);
        CHECK(kin_object_to_int(answer, &twice) == 0 && twice == 2 * number);
        kin_object_free(question);
        kin_object_free(answer);
    }
    line.mine = kin_connection_free(line.mine);
    CHECK_EQUAL(child_wait(&child), 0);
    line_free(&line);
}

TEST(a_python_child_knows_when_its_parent_has_gone)
{
    struct line line = line_create();
    struct child child = start(
        &line,
        (struct child_plan){.function = "outlive", .arguments = KIN_TUPLE(connection_of(&line))});
    check_repr(receive(&line), "True");
    close(child.pipe); /* as the kernel does when the parent dies */
    child.pipe = -1;
    check_repr(receive(&line), "False");
    CHECK_EQUAL(child_wait(&child), 0);
    line_free(&line);
}

TEST(a_python_child_has_children_of_its_own)
{
    struct line line = line_create();
    struct child child = start(
        &line,
        (struct child_plan){.function = "breed", .arguments = KIN_TUPLE(connection_of(&line))});
    check_repr(receive(&line), "'Child-1'");
    check_repr(receive(&line), "0");
    CHECK_EQUAL(child_wait(&child), 0);
    line_free(&line);
}

TEST(a_python_child_shares_a_lock_and_memory)
{
    char name[64];
    struct line line = line_create();
    snprintf(name, sizeof name, "/kin-interop-%d", (int)getpid());
    sem_t *lock = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
    int fd = memfd_create("number", MFD_CLOEXEC);
    REQUIRE(lock != SEM_FAILED && fd >= 0 && ftruncate(fd, 4) == 0);
    volatile int *number = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REQUIRE(number != MAP_FAILED);
    struct child child = start(
        &line, (struct child_plan){.function = "count_up",
                                   .arguments = KIN_TUPLE(connection_of(&line), child_lock(name),
                                                          kin_object_from_int(fd),
                                                          kin_object_from_int(TURNS)),
                                   .fds = {fd},
                                   .fd_count = 1});
    check_repr(receive(&line), "'begin'");
    for (int turn = 0; turn < TURNS; turn++) {
        python_lock_acquire(lock);
        *number += 1;
        python_lock_release(lock);
    }
    CHECK_EQUAL(child_wait(&child), 0);
    CHECK_EQUAL(*number, 2 * TURNS);
    CHECK(sem_close(lock) == 0 && sem_unlink(name) == 0);
    munmap((void *)number, 4);
    close(fd);
    line_free(&line);
}
