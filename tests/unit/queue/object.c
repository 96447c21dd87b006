/* Objects as messages. */
#include "unit/queue/queues.h"

#include <kin/dict.h>
#include <kin/handle.h>
#include <kin/list.h>

#include "base/fault.h"

/* Takes an object and compares it with one that is freed. 0, or the code of get. */
static int get_equal(kin_queue *queue, kin_object *expected)
{
    kin_object *object = NULL;
    int r = kin_queue_get(queue, KIN_NOW, &object);
    if (r == 0) {
        CHECK_EQUAL(kin_object_equal(object, expected), 1);
    }
    kin_object_free(object);
    kin_object_free(expected);
    return r;
}

static void put(kin_queue *queue, kin_object *object)
{
    CHECK_EQUAL(kin_queue_put(queue, object, KIN_NOW), 0);
    kin_object_free(object);
}

TEST(objects_come_out_as_they_went_in)
{
    kin_queue *queue = new_queue(NULL);
    kin_object *dict = kin_dict_create();
    kin_dict_set_text(dict, "name", kin_object_from_text("Ada"));
    kin_dict_set_text(dict, "born", kin_object_from_int(1815));
    put(queue, kin_object_ref(dict));
    put(queue, kin_object_none());
    CHECK_EQUAL(get_equal(queue, dict), 0);
    CHECK_EQUAL(get_equal(queue, kin_object_none()), 0);
    CHECK_EQUAL(get_equal(queue, NULL), -EAGAIN);
    kin_queue_free(queue);
}

TEST(objects_of_all_sizes_arrive_whole_and_leave_no_block)
{
    static const size_t sizes[] = {0, 90, 98, 99, 100, 101, 102, 16383, 16384, 100000, 3 << 20};
    kin_queue *queue = new_queue(NULL);
    unsigned char *data = malloc(3 << 20);
    REQUIRE(data != NULL);
    for (size_t i = 0; i < 3 << 20; i++) {
        data[i] = byte_of(9, i);
    }
    uint64_t blocks = blocks_of_process();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        put(queue, KIN_LIST(kin_object_from_bytes(data, sizes[i]), kin_object_from_int(7)));
        kin_object *list = NULL;
        REQUIRE(kin_queue_get(queue, KIN_NOW, &list) == 0);
        kin_bytes bytes = kin_object_bytes(kin_object_at(list, 0));
        int64_t seven = 0;
        CHECK_EQUAL(bytes.size, sizes[i]);
        CHECK(memcmp(bytes.data, data, sizes[i]) == 0);
        CHECK_EQUAL(kin_object_to_int(kin_object_at(list, 1), &seven), 0);
        CHECK_EQUAL(seven, 7);
        kin_object_free(list);
    }
    CHECK_EQUAL(blocks_of_process(), blocks);
    CHECK_IS_WHOLE();
    free(data);
    kin_queue_free(queue);
}

static void send_back(void *user)
{
    kin_queue *queue = user;
    kin_object *task = NULL;
    kin_handle handle;
    kin_queue *answers = NULL;
    REQUIRE(kin_queue_get(queue, KIN_FOREVER, &task) == 0);
    REQUIRE(kin_object_to_handle(kin_object_at(task, 1), &handle) == 0);
    REQUIRE(kin_queue_attach(handle, &answers) == 0);
    CHECK_EQUAL(kin_queue_put(answers, kin_object_at(task, 0), KIN_FOREVER), 0);
    kin_queue_free(answers);
    kin_object_free(task);
}

/* A tuple of a number and a queue, which nobody but the tuple keeps alive. */
static kin_object *task_with_queue(int64_t number, kin_queue **ret_queue)
{
    kin_object *handle = NULL;
    REQUIRE(kin_queue_create(NULL, ret_queue) == 0);
    REQUIRE(kin_object_from_handle(kin_queue_handle(*ret_queue), &handle) == 0);
    return KIN_TUPLE(kin_object_from_int(number), handle);
}

TEST_OF_PROCESSES(a_queue_in_a_queue_brings_the_answer)
{
    kin_queue *queue = new_queue(NULL);
    kin_queue *answers = NULL;
    pid_t child = child_start(send_back, queue);
    put(queue, task_with_queue(42, &answers));
    child_join(child);
    CHECK_EQUAL(get_equal(answers, kin_object_from_int(42)), 0);
    kin_queue_free(answers);
    kin_queue_free(queue);
    CHECK_IS_WHOLE();
}

TEST(what_a_handle_in_a_message_names_lives_as_long_as_the_message)
{
    kin_queue *queue = new_queue(NULL);
    kin_queue *inner = NULL;
    kin_queue *again = NULL;
    kin_object *task = NULL;
    kin_handle handle;
    put(queue, task_with_queue(1, &inner));
    handle = kin_queue_handle(inner);
    kin_queue_free(inner);
    REQUIRE(kin_queue_get(queue, KIN_NOW, &task) == 0);
    CHECK_EQUAL(kin_queue_attach(handle, &again), 0); /* now the object holds it */
    kin_queue_free(again);
    kin_object_free(task);
    CHECK_EQUAL(kin_queue_attach(handle, &again), -ESTALE);
    kin_queue_free(queue);
    CHECK_IS_WHOLE();
}

TEST(a_handle_object_keeps_its_queue_alive)
{
    kin_queue *queue = new_queue(NULL);
    kin_object *handle = NULL;
    REQUIRE(kin_object_from_handle(kin_queue_handle(queue), &handle) == 0);
    kin_handle name = kin_queue_handle(queue);
    kin_queue_free(queue);
    CHECK_EQUAL(kin_queue_attach(name, &queue), 0);
    kin_queue_free(queue);
    kin_object_free(handle);
    CHECK_EQUAL(kin_queue_attach(name, &queue), -ESTALE);
    CHECK_EQUAL(kin_object_from_handle(name, &handle), -ESTALE);
}

TEST(what_cannot_be_encoded_is_an_error_of_put_and_leaves_the_queue_as_it_was)
{
    kin_queue *queue = new_queue(NULL);
    kin_object *fd = NULL;
    REQUIRE(kin_object_from_fd(0, &fd) == 0);
    kin_object *list = KIN_LIST(kin_object_from_int(1), fd);
    CHECK_EQUAL(kin_queue_put(queue, list, KIN_NOW), -EOPNOTSUPP);
    CHECK_EQUAL(kin_queue_put(queue, NULL, KIN_NOW), -ENOMEM);
    CHECK_EQUAL(kin_queue_put(NULL, list, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_queue_put(queue, list, (kin_timeout){0}), -EINVAL);
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    kin_object_free(list);
    kin_queue_free(queue);
}

TEST(more_handles_than_a_message_can_have_are_refused)
{
    kin_queue *queue = new_queue(NULL);
    kin_object *list = kin_list_create();
    for (int i = 0; i < 256; i++) {
        kin_object *handle = NULL;
        REQUIRE(kin_object_from_handle(kin_queue_handle(queue), &handle) == 0);
        kin_list_append(list, handle);
    }
    CHECK_EQUAL(kin_queue_put(queue, list, KIN_NOW), KIN_ELIMIT);
    CHECK_EQUAL(kin_list_remove(list, 0), 0);
    CHECK_EQUAL(kin_queue_put(queue, list, KIN_NOW), 0);
    kin_object_free(list);
    CHECK_EQUAL(kin_queue_get(queue, KIN_NOW, &list), 0);
    CHECK_EQUAL(kin_object_count(list), 255);
    kin_object_free(list);
    kin_queue_free(queue);
}

TEST(bytes_that_are_no_object_are_an_error_of_get_and_gone)
{
    kin_queue *queue = new_queue(NULL);
    CHECK_EQUAL(kin_queue_put_bytes(queue, "what", 4, KIN_NOW), 0);
    CHECK_EQUAL(kin_queue_put_bytes(queue, "", 0, KIN_NOW), 0);
    put(queue, kin_object_from_int(5));
    CHECK_EQUAL(get_equal(queue, NULL), -EBADMSG);
    CHECK_EQUAL(get_equal(queue, NULL), -EBADMSG);
    CHECK_EQUAL(get_equal(queue, kin_object_from_int(5)), 0);
    kin_queue_free(queue);
}

TEST(a_queue_has_limits_for_whoever_gets_from_it)
{
    kin_pickle_limits limits = {.size = sizeof limits, .object_count_max = 3};
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .limits = &limits));
    kin_queue *other = NULL;
    put(queue, KIN_LIST(kin_list_create(), kin_list_create(), kin_list_create()));
    put(queue, kin_list_create());
    REQUIRE(kin_queue_attach(kin_queue_handle(queue), &other) == 0);
    CHECK_EQUAL(get_equal(other, NULL), KIN_ELIMIT);
    CHECK_EQUAL(get_equal(other, kin_list_create()), 0);
    limits.size = 1;
    kin_queue *none = NULL;
    CHECK_EQUAL(kin_queue_create(KIN_OPTIONS(kin_queue_options, .limits = &limits), &none),
                -EINVAL);
    kin_queue_free(other);
    kin_queue_free(queue);
}

TEST(a_claimed_object_can_be_looked_at_and_refused)
{
    kin_claim claim;
    kin_object *object = NULL;
    kin_queue *queue = new_queue(NULL);
    put(queue, kin_object_from_text("again"));
    for (int i = 0; i < 2; i++) {
        REQUIRE(kin_queue_claim(queue, KIN_NOW, &claim) == 0);
        CHECK_EQUAL(kin_claim_object(queue, &claim, &object), 0);
        CHECK_STRING(kin_object_text(object), "again");
        kin_object_free(object);
        CHECK_EQUAL(i == 0 ? kin_queue_refuse(queue, &claim) : kin_queue_acknowledge(queue, &claim),
                    0);
    }
    CHECK_EQUAL(kin_claim_object(queue, &claim, &object), -EINVAL);
    CHECK_EQUAL(get_equal(queue, NULL), -EAGAIN);
    kin_queue_free(queue);
}

TEST(a_full_or_closed_queue_says_so_to_objects_too)
{
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .message_bytes_max = 20));
    kin_object *large = kin_object_from_bytes("0123456789012345678901234567890", 31);
    kin_object *small = kin_object_from_int(1);
    kin_object *got = NULL;
    CHECK_EQUAL(kin_queue_put(queue, large, KIN_NOW), -EMSGSIZE);
    for (int i = 0; i < 4; i++) {
        CHECK_EQUAL(kin_queue_put(queue, small, KIN_NOW), 0);
    }
    CHECK_EQUAL(kin_queue_put(queue, small, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_queue_close(queue), 0);
    CHECK_EQUAL(kin_queue_put(queue, small, KIN_NOW), -EPIPE);
    for (int i = 0; i < 4; i++) {
        CHECK_EQUAL(kin_queue_get(queue, KIN_NOW, &got), 0);
    }
    CHECK_EQUAL(kin_queue_get(queue, KIN_FOREVER, &got), -EPIPE);
    CHECK_EQUAL(kin_queue_get(queue, KIN_NOW, NULL), -EINVAL);
    kin_object_free(large);
    kin_queue_free(queue);
}

#ifdef KIN_FAULTS

TEST(without_memory_an_object_is_not_put_or_taken_and_nothing_is_left)
{
    kin_queue *queue = new_queue(NULL);
    kin_queue *inner = NULL;
    kin_object *task = task_with_queue(3, &inner);
    int r = -ENOMEM;
    for (uint64_t n = 1; r == -ENOMEM; n++) {
        kin__allocation_fail_at(n);
        r = kin_queue_put(queue, task, KIN_NOW);
        kin__allocation_fail_at(0);
        CHECK_EQUAL(kin_queue_item_count(queue), r == 0);
    }
    CHECK_EQUAL(r, 0);
    kin_object *got = NULL;
    r = -ENOMEM;
    for (uint64_t n = 1; r == -ENOMEM; n++) {
        kin__allocation_fail_at(n);
        r = kin_queue_get(queue, KIN_NOW, &got);
        kin__allocation_fail_at(0);
        if (r == -ENOMEM) {
            CHECK_EQUAL(kin_queue_item_count(queue), 0);
            CHECK_EQUAL(kin_queue_put(queue, task, KIN_NOW), 0);
        }
    }
    CHECK_EQUAL(r, 0);
    kin_object_free(got);
    kin_object_free(task);
    kin_queue_free(inner);
    kin_queue_free(queue);
    CHECK_IS_WHOLE();
}

#endif
