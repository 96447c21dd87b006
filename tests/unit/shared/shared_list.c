/* kin_shared_list: kinds, capacities, searching; what is set is whole. */
#include "shared.h"

#include <kin/shared_list.h>

#define STRING(text)                                                    \
    {                                                                   \
        .kind = KIN_SHARED_STRING, .bytes = {(text), sizeof(text) - 1 } \
    }
#define BYTES(text)                                                    \
    {                                                                  \
        .kind = KIN_SHARED_BYTES, .bytes = {(text), sizeof(text) - 1 } \
    }

static kin_shared_list *new_list(const kin_shared_item *items, uint64_t length)
{
    kin_shared_list *list = NULL;
    REQUIRE(kin_shared_list_create(items, length, NULL, &list) == 0);
    return list;
}

static kin_shared_list *new_mixed(void)
{
    const kin_shared_item items[6] = {{.kind = KIN_SHARED_INT, .integer = 1},
                                      {.kind = KIN_SHARED_FLOAT, .number = 2.5},
                                      STRING("abc"),
                                      {.kind = KIN_SHARED_NONE},
                                      BYTES("x\0\0"),
                                      {.kind = KIN_SHARED_BOOL, .boolean = true}};
    return new_list(items, 6);
}

TEST(list_functions_refuse_null)
{
    begin();
    kin_shared_item item = {0};
    uint64_t index = 0;
    bool boolean = false;
    kin_shared_list *list = new_mixed();
    CHECK_EQUAL(kin_shared_list_create(NULL, 1, NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_shared_list_attach(kin_shared_list_handle(list), NULL), -EINVAL);
    CHECK_EQUAL(kin_shared_list_set(NULL, 0, &item), -EINVAL);
    CHECK_EQUAL(kin_shared_list_set(list, 0, NULL), -EINVAL);
    CHECK_EQUAL(kin_shared_list_set_string(list, 2, NULL), -EINVAL);
    CHECK_EQUAL(kin_shared_list_set_bytes(list, 2, NULL, 1), -EINVAL);
    CHECK_EQUAL(kin_shared_list_get(NULL, 0, NULL, 0, &item), -EINVAL);
    CHECK_EQUAL(kin_shared_list_get(list, 0, NULL, 0, NULL), -EINVAL);
    CHECK_EQUAL(kin_shared_list_get_kind(list, 0, NULL), -EINVAL);
    CHECK_EQUAL(kin_shared_list_get_bool(list, 5, NULL), -EINVAL);
    CHECK_EQUAL(kin_shared_list_get_bool(NULL, 5, &boolean), -EINVAL);
    CHECK_EQUAL(kin_shared_list_get_int(list, 0, NULL), -EINVAL);
    CHECK_EQUAL(kin_shared_list_get_float(list, 1, NULL), -EINVAL);
    CHECK_EQUAL(kin_shared_list_get_string(list, 2, NULL, 10), -EINVAL);
    CHECK_EQUAL(kin_shared_list_index(NULL, &item, &index), -EINVAL);
    CHECK_EQUAL(kin_shared_list_index(list, NULL, &index), -EINVAL);
    CHECK_EQUAL(kin_shared_list_index(list, &item, NULL), -EINVAL);
    CHECK_EQUAL(kin_shared_list_count(NULL, &item), 0);
    CHECK_EQUAL(kin_shared_list_count(list, NULL), 0);
    CHECK_EQUAL(kin_shared_list_length(NULL), 0);
    CHECK_EQUAL(kin_shared_list_capacity(NULL, 0), 0);
    CHECK(kin_shared_list_free(NULL) == NULL);
    kin_shared_list_free(list);
}

TEST(a_list_has_what_it_was_made_of)
{
    begin();
    kin_shared_item item;
    char room[16] = "";
    int64_t integer = 0;
    double number = 0;
    bool boolean = false;
    kin_shared_kind kind = KIN_SHARED_INT;
    kin_shared_list *list = new_mixed();
    CHECK_EQUAL(kin_shared_list_length(list), 6);
    CHECK_EQUAL(kin_shared_list_get_int(list, 0, &integer), 0);
    CHECK_EQUAL(integer, 1);
    CHECK_EQUAL(kin_shared_list_get_float(list, 1, &number), 0);
    CHECK(number == 2.5);
    CHECK_EQUAL(kin_shared_list_get_string(list, 2, room, sizeof room), 0);
    CHECK_STRING(room, "abc");
    CHECK_EQUAL(kin_shared_list_get_kind(list, 3, &kind), 0);
    CHECK_EQUAL(kind, KIN_SHARED_NONE);
    CHECK_EQUAL(kin_shared_list_get_kind(list, 4, &kind), 0);
    CHECK_EQUAL(kind, KIN_SHARED_BYTES);
    CHECK_EQUAL(kin_shared_list_get(list, 4, room, sizeof room, &item), 0);
    CHECK_EQUAL(item.bytes.size, 3); /* zeros at the end are not lost */
    CHECK_BYTES(item.bytes.data, "x\0\0", 3);
    CHECK_EQUAL(kin_shared_list_get_bool(list, 5, &boolean), 0);
    CHECK(boolean);
    kin_shared_list_free(list);
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

TEST(an_item_changes_its_kind)
{
    begin();
    char room[16] = "";
    int64_t integer = 0;
    kin_shared_list *list = new_mixed();
    CHECK_EQUAL(kin_shared_list_set_int(list, 2, INT64_MIN), 0);
    CHECK_EQUAL(kin_shared_list_get_int(list, 2, &integer), 0);
    CHECK(integer == INT64_MIN);
    CHECK_EQUAL(kin_shared_list_get_string(list, 2, room, sizeof room), -EINVAL);
    CHECK_EQUAL(kin_shared_list_set_string(list, 2, "xyz"), 0);
    CHECK_EQUAL(kin_shared_list_get_int(list, 2, &integer), -EINVAL);
    CHECK_EQUAL(kin_shared_list_set_string(list, 2, ""), 0);
    CHECK_EQUAL(kin_shared_list_get_string(list, 2, room, sizeof room), 0);
    CHECK_STRING(room, "");
    CHECK_EQUAL(kin_shared_list_set_bool(list, 2, false), 0);
    CHECK_EQUAL(kin_shared_list_set_float(list, 2, -1), 0);
    CHECK_EQUAL(kin_shared_list_set_none(list, 2), 0);
    CHECK_EQUAL(kin_shared_list_set_bytes(list, 2, "\0\0", 2), 0);
    CHECK_SOUND();
    kin_shared_item item = {.kind = (kin_shared_kind)9};
    CHECK_EQUAL(kin_shared_list_set(list, 2, &item), -EINVAL);
    kin_shared_list *none = NULL;
    CHECK_EQUAL(kin_shared_list_create(&item, 1, NULL, &none), -EINVAL);
    kin_shared_list_free(list);
}

TEST(bytes_are_read_as_they_were_set)
{
    begin();
    kin_shared_list *list = NULL;
    kin_shared_item items[2] = {{.kind = KIN_SHARED_BYTES, .bytes = {"a\0b\0", 4}},
                                {.kind = KIN_SHARED_INT, .integer = 5}};
    char room[4] = "";
    kin_bytes bytes = {NULL, 7};
    REQUIRE(kin_shared_list_create(items, 2, NULL, &list) == 0);
    CHECK_EQUAL(kin_shared_list_get_bytes(list, 0, room, 3, &bytes), -EMSGSIZE);
    CHECK_EQUAL(bytes.size, 7);
    CHECK_EQUAL(kin_shared_list_get_bytes(list, 0, room, 4, &bytes), 0);
    CHECK_EQUAL(bytes.size, 4);
    CHECK(bytes.data == room);
    CHECK_BYTES(room, "a\0b\0", 4);
    CHECK_EQUAL(kin_shared_list_get_bytes(list, 1, room, 4, &bytes), -EINVAL);
    CHECK_EQUAL(kin_shared_list_get_bytes(list, 2, room, 4, &bytes), -ERANGE);
    CHECK_EQUAL(kin_shared_list_get_bytes(list, 0, room, 4, NULL), -EINVAL);
    kin_shared_list_free(list);
}

TEST(a_place_takes_what_it_has_room_for)
{
    begin();
    char room[20];
    kin_shared_item item;
    const kin_shared_item items[2] = {STRING("abc"), {.kind = KIN_SHARED_INT, .capacity = 10}};
    kin_shared_list *list = new_list(items, 2);
    CHECK_EQUAL(kin_shared_list_capacity(list, 0), 3);
    CHECK_EQUAL(kin_shared_list_capacity(list, 1), 10);
    CHECK_EQUAL(kin_shared_list_capacity(list, 2), 0);
    CHECK_EQUAL(kin_shared_list_set_string(list, 0, "abcd"), -EMSGSIZE);
    CHECK_EQUAL(kin_shared_list_get_string(list, 0, room, 3), -EMSGSIZE);
    CHECK_EQUAL(kin_shared_list_get_string(list, 0, room, 4), 0);
    CHECK_STRING(room, "abc");
    CHECK_EQUAL(kin_shared_list_get(list, 0, NULL, 0, &item), -EMSGSIZE);
    CHECK_EQUAL(item.bytes.size, 3);
    CHECK_EQUAL(item.kind, KIN_SHARED_STRING);
    CHECK(item.bytes.data == NULL);
    CHECK_EQUAL(kin_shared_list_set_bytes(list, 1, "0123456789", 10), 0);
    CHECK_EQUAL(kin_shared_list_set_bytes(list, 1, "0123456789a", 11), -EMSGSIZE);
    CHECK_EQUAL(kin_shared_list_get(list, 1, room, 10, &item), 0);
    CHECK_BYTES(room, "0123456789", 10);
    kin_shared_list_free(list);
}

TEST(what_is_outside_of_a_list_is_refused)
{
    begin();
    int64_t integer = 0;
    kin_shared_list *list = new_list(NULL, 2);
    CHECK_EQUAL(kin_shared_list_set_int(list, 1, 5), 0);
    CHECK_EQUAL(kin_shared_list_set_int(list, 2, 5), -ERANGE);
    CHECK_EQUAL(kin_shared_list_get_int(list, 2, &integer), -ERANGE);
    CHECK_EQUAL(kin_shared_list_get_int(list, UINT64_MAX, &integer), -ERANGE);
    CHECK_EQUAL(kin_shared_list_set_string(list, 1, "a"), -EMSGSIZE); /* it has no room */
    kin_shared_list_free(list);
    list = new_list(NULL, 0);
    CHECK_EQUAL(kin_shared_list_set_none(list, 0), -ERANGE);
    kin_shared_list_free(list);
    CHECK_EQUAL(kin_shared_list_create(NULL, UINT64_MAX, NULL, &list), -ENOMEM);
    kin_shared_item large = {.capacity = SIZE_MAX};
    CHECK_EQUAL(kin_shared_list_create(&large, 1, NULL, &list), -ENOMEM);
    CHECK_EQUAL(object_count(), 0);
}

TEST(items_are_found_and_counted)
{
    begin();
    uint64_t index = 99;
    const kin_shared_item items[5] = {STRING("a"), BYTES("a"), STRING("b"), STRING("a"), {0}};
    kin_shared_list *list = new_list(items, 5);
    CHECK_EQUAL(kin_shared_list_index(list, &items[1], &index), 0);
    CHECK_EQUAL(index, 1);
    CHECK_EQUAL(kin_shared_list_index(list, &items[2], &index), 0);
    CHECK_EQUAL(index, 2);
    CHECK_EQUAL(kin_shared_list_index(list, &items[4], &index), 0);
    CHECK_EQUAL(index, 4);
    CHECK_EQUAL(kin_shared_list_count(list, &items[0]), 2);
    kin_shared_item missing = {.kind = KIN_SHARED_INT};
    CHECK_EQUAL(kin_shared_list_index(list, &missing, &index), -ENOENT);
    CHECK_EQUAL(kin_shared_list_count(list, &missing), 0);
    kin_shared_list_free(list);
}

/* --- several processes --- */

enum { LARGE = 3000 };

static char letters[2][LARGE];

static void *set_by_turns(void *user)
{
    for (int i = 0; i < 500; i++) {
        CHECK_EQUAL(kin_shared_list_set_bytes(user, 0, letters[i % 2], LARGE - (size_t)(i % 2)), 0);
    }
    return NULL;
}

static void *check_whole(void *user)
{
    char room[LARGE];
    kin_shared_item item;
    for (int i = 0; i < 500; i++) {
        CHECK_EQUAL(kin_shared_list_get(user, 0, room, sizeof room, &item), 0);
        const char *expected = letters[room[0] == 'b'];
        CHECK_EQUAL(item.bytes.size, LARGE - (room[0] == 'b'));
        CHECK(memcmp(room, expected, item.bytes.size) == 0);
    }
    return NULL;
}

static kin_shared_list *new_large(void)
{
    memset(letters[0], 'a', LARGE);
    memset(letters[1], 'b', LARGE);
    kin_shared_item item = {.kind = KIN_SHARED_BYTES, .bytes = {letters[0], LARGE}};
    return new_list(&item, 1);
}

TEST(who_reads_beside_a_writer_sees_whole_items)
{
    begin();
    kin_shared_list *list = new_large();
    pthread_t writers[2];
    for (int i = 0; i < 2; i++) {
        writers[i] = thread_start(set_by_turns, list);
    }
    check_whole(list);
    for (int i = 0; i < 2; i++) {
        thread_join(writers[i]);
    }
    kin_shared_list_free(list);
}

static void set_until_killed(void *user)
{
    atomic_fetch_add(&numbers[0], 1);
    for (;;) {
        set_by_turns(user);
    }
}

TEST_OF_PROCESSES(a_killed_writer_leaves_whole_items)
{
    begin();
    kin_shared_list *list = new_large();
    for (int round = 0; round < 12; round++) {
        pid_t pids[2];
        atomic_store(&numbers[0], 0);
        for (int i = 0; i < 2; i++) {
            pids[i] = child_start(set_until_killed, list);
        }
        await_number(0, 2);
        usleep((useconds_t)(round * 200));
        for (int i = 0; i < 2; i++) {
            kill(pids[i], SIGKILL);
            waitpid(pids[i], NULL, 0);
        }
        check_whole(list);
    }
    kin_shared_list_free(list);
    while (object_count() != 0) {
        pause_a_moment();
    }
    CHECK_SOUND();
}

static void use_another_processs_list(void *user)
{
    int64_t integer = 0;
    kin_shared_list *list = NULL;
    CHECK_EQUAL(kin_shared_list_get_int(user, 0, &integer), -ESTALE);
    CHECK_EQUAL(kin_shared_list_length(user), 0);
    CHECK_EQUAL(kin_shared_list_attach(kin_shared_list_handle(user), &list), -EACCES);
    kin_shared_list_free(user);
}

static void open_and_set(void *user)
{
    kin_shared_list *list = NULL;
    REQUIRE(kin_shared_list_attach(kin_shared_list_handle(user), &list) == 0);
    CHECK_EQUAL(kin_shared_list_set_int(list, 0, 42), 0);
    kin_shared_list_free(list);
}

TEST_OF_PROCESSES(a_list_is_for_the_family_or_for_one_process)
{
    begin();
    int64_t integer = 0;
    kin_shared_list_options options = {.size = sizeof options, .scope = KIN_SCOPE_PROCESS};
    kin_shared_list *list = NULL;
    REQUIRE(kin_shared_list_create(NULL, 1, &options, &list) == 0);
    child_join(child_start(use_another_processs_list, list));
    kin_shared_list_free(list);
    list = new_list(NULL, 1);
    child_join(child_start(open_and_set, list));
    CHECK_EQUAL(kin_shared_list_get_int(list, 0, &integer), 0);
    CHECK_EQUAL(integer, 42);
    kin_shared_list_free(list);
    options.size++;
    CHECK_EQUAL(kin_shared_list_create(NULL, 1, &options, &list), -EINVAL);
}
