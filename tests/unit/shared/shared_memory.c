/* kin_shared_memory: bytes, names, and who keeps a block alive. */
#include "shared.h"

#include <kin/shared_memory.h>
#include <kin/value.h>

static kin_shared_memory *new_memory(const char *name, uint64_t bytes)
{
    kin_shared_memory *memory = NULL;
    REQUIRE(kin_shared_memory_create(name, bytes, NULL, &memory) == 0);
    return memory;
}

TEST(shared_memory_functions_refuse_null)
{
    begin();
    kin_shared_memory *memory = NULL;
    CHECK_EQUAL(kin_shared_memory_create(NULL, 1, NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_shared_memory_create(NULL, 0, NULL, &memory), -EINVAL);
    CHECK_EQUAL(kin_shared_memory_create("", 1, NULL, &memory), -EINVAL);
    CHECK_EQUAL(kin_shared_memory_open(NULL, &memory), -EINVAL);
    CHECK_EQUAL(kin_shared_memory_open("name", NULL), -EINVAL);
    CHECK_EQUAL(kin_shared_memory_attach((kin_handle){0}, NULL), -EINVAL);
    CHECK_EQUAL(kin_shared_memory_attach((kin_handle){0}, &memory), -ESTALE);
    CHECK(kin_shared_memory_data(NULL) == NULL);
    CHECK(kin_shared_memory_name(NULL) == NULL);
    CHECK_EQUAL(kin_shared_memory_bytes(NULL), 0);
    CHECK_EQUAL(kin_shared_memory_handle(NULL).counter, 0);
    CHECK(kin_shared_memory_free(NULL) == NULL);
    kin_shared_memory_options options = {.size = 1};
    CHECK_EQUAL(kin_shared_memory_create(NULL, 1, &options, &memory), -EINVAL);
    CHECK(memory == NULL);
}

TEST(shared_memory_needs_a_family)
{
    kin_shared_memory *memory = NULL;
    CHECK_EQUAL(kin_shared_memory_create(NULL, 1, NULL, &memory), KIN_EFAMILY);
    CHECK_EQUAL(kin_shared_memory_create("name", 1, NULL, &memory), KIN_EFAMILY);
    CHECK_EQUAL(kin_shared_memory_open("name", &memory), KIN_EFAMILY);
}

TEST(a_block_has_its_size_begins_at_a_page_and_is_zero)
{
    static const uint64_t sizes[] = {1, 64, 4096, 24576, 24577, 33000, 65536, 65537, 1 << 20};
    begin();
    for (int round = 0; round < 2; round++) { /* the second time in memory that was used */
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            kin_shared_memory *memory = new_memory(NULL, sizes[i]);
            unsigned char *data = kin_shared_memory_data(memory);
            CHECK_EQUAL(kin_shared_memory_bytes(memory), sizes[i]);
            CHECK(kin_shared_memory_name(memory) == NULL);
            CHECK_EQUAL((uintptr_t)data % 4096, 0);
            uint64_t sum = 0;
            for (uint64_t byte = 0; byte < sizes[i]; byte++) {
                sum += data[byte];
                data[byte] = 0xee;
            }
            CHECK_EQUAL(sum, 0);
            CHECK_SOUND();
            kin_shared_memory_free(memory);
        }
    }
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

TEST(a_block_that_no_memory_can_hold_is_no_memory)
{
    begin();
    kin_shared_memory *memory = NULL;
    CHECK_EQUAL(kin_shared_memory_create(NULL, UINT64_MAX, NULL, &memory), -ENOMEM);
    CHECK_EQUAL(kin_shared_memory_create("large", (uint64_t)1 << 62, NULL, &memory), -ENOMEM);
    CHECK_EQUAL(kin_shared_memory_open("large", &memory), -ENOENT);
    CHECK(memory == NULL);
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

TEST(a_name_is_taken_until_its_block_is_gone)
{
    begin();
    kin_shared_memory *other = NULL;
    kin_shared_memory *memory = new_memory("weather", 10);
    CHECK_STRING(kin_shared_memory_name(memory), "weather");
    CHECK_EQUAL(kin_shared_memory_create("weather", 10, NULL, &other), -EEXIST);
    CHECK_EQUAL(kin_shared_memory_open("weathe", &other), -ENOENT);
    CHECK_EQUAL(kin_shared_memory_open("", &other), -ENOENT);
    CHECK(other == NULL);
    REQUIRE(kin_shared_memory_open("weather", &other) == 0);
    CHECK(kin_shared_memory_data(other) == kin_shared_memory_data(memory));
    kin_shared_memory_free(memory);
    CHECK_EQUAL(kin_shared_memory_create("weather", 10, NULL, &memory), -EEXIST);
    kin_shared_memory_free(other);
    CHECK_EQUAL(kin_shared_memory_open("weather", &other), -ENOENT);
    memory = new_memory("weather", 20);
    CHECK_EQUAL(kin_shared_memory_bytes(memory), 20);
    kin_shared_memory_free(memory);
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

TEST(a_name_can_be_as_long_as_is_said)
{
    begin();
    char name[KIN_SHARED_MEMORY_NAME_BYTES + 1];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    kin_shared_memory *memory = NULL;
    CHECK_EQUAL(kin_shared_memory_create(name, 1, NULL, &memory), -ENAMETOOLONG);
    CHECK_EQUAL(kin_shared_memory_open(name, &memory), -ENOENT);
    memory = new_memory(&name[1], 1);
    CHECK_STRING(kin_shared_memory_name(memory), &name[1]);
    kin_shared_memory *other = NULL;
    CHECK_EQUAL(kin_shared_memory_open(&name[1], &other), 0);
    kin_shared_memory_free(other);
    kin_shared_memory_free(memory);
    CHECK_SOUND();
}

TEST(many_names_are_told_apart)
{
    enum { COUNT = 300 };
    begin();
    static kin_shared_memory *blocks[COUNT];
    char name[32];
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "block %d", i);
        blocks[i] = new_memory(name, 1 + (uint64_t)i);
    }
    for (int i = 0; i < COUNT; i++) {
        kin_shared_memory *memory = NULL;
        snprintf(name, sizeof name, "block %d", i);
        REQUIRE(kin_shared_memory_open(name, &memory) == 0);
        CHECK_EQUAL(kin_shared_memory_bytes(memory), 1 + i);
        kin_shared_memory_free(memory);
    }
    for (int i = 0; i < COUNT; i++) {
        kin_shared_memory_free(blocks[i]);
    }
    CHECK_EQUAL(object_count(), 0);
}

TEST(a_block_of_one_process_has_no_name)
{
    begin();
    kin_shared_memory *memory = NULL;
    kin_shared_memory_options options = {.size = sizeof options, .scope = KIN_SCOPE_PROCESS};
    CHECK_EQUAL(kin_shared_memory_create("mine", 1, &options, &memory), -EINVAL);
    REQUIRE(kin_shared_memory_create(NULL, 1, &options, &memory) == 0);
    kin_shared_memory_free(memory);
}

/* --- several processes --- */

static void write_to_it(void *user)
{
    kin_shared_memory *memory = NULL;
    (void)user;
    REQUIRE(kin_shared_memory_open("board", &memory) == 0);
    memcpy(kin_shared_memory_data(memory), "written", 8);
    kin_shared_memory_free(memory);
}

TEST_OF_PROCESSES(another_process_finds_a_block_by_its_name)
{
    begin();
    kin_shared_memory *memory = new_memory("board", 100);
    child_join(child_start(write_to_it, NULL));
    CHECK_STRING(kin_shared_memory_data(memory), "written");
    kin_shared_memory_free(memory);
    CHECK_EQUAL(object_count(), 0);
}

static void make_and_wait(void *user)
{
    (void)user;
    memcpy(kin_shared_memory_data(new_memory("board", 100)), "written", 8);
    atomic_store(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

TEST_OF_PROCESSES(a_block_goes_with_its_last_user_who_is_killed)
{
    begin();
    kin_shared_memory *memory = NULL;
    pid_t pid = child_start(make_and_wait, NULL);
    await_number(0, 1);
    CHECK_EQUAL(kin_shared_memory_create("board", 1, NULL, &memory), -EEXIST);
    child_kill(pid);
    while (kin_shared_memory_create("board", 1, NULL, &memory) == -EEXIST) {
        pause_a_moment();
    }
    CHECK_EQUAL(kin_shared_memory_bytes(memory), 1);
    kin_shared_memory_free(memory);
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

TEST_OF_PROCESSES(a_block_outlives_its_killed_maker_with_those_who_have_it_open)
{
    begin();
    kin_shared_memory *memory = NULL;
    pid_t pid = child_start(make_and_wait, NULL);
    await_number(0, 1);
    REQUIRE(kin_shared_memory_open("board", &memory) == 0);
    child_kill(pid);
    CHECK_STRING(kin_shared_memory_data(memory), "written");
    CHECK_STRING(kin_shared_memory_name(memory), "board");
    kin_shared_memory_free(memory);
    while (object_count() != 0) {
        pause_a_moment();
    }
    CHECK_SOUND();
}

TEST(a_value_keeps_a_block_and_its_name)
{
    begin();
    kin_value *value = NULL;
    kin_shared_memory *memory = new_memory("kept", 100);
    REQUIRE(kin_value_create('&', NULL, &value) == 0);
    CHECK_EQUAL(kin_value_set_handle(value, kin_shared_memory_handle(memory)), 0);
    kin_shared_memory_free(memory);
    REQUIRE(kin_shared_memory_open("kept", &memory) == 0);
    kin_value_free(value);
    kin_shared_memory_free(memory);
    CHECK_EQUAL(kin_shared_memory_open("kept", &memory), -ENOENT);
    CHECK_EQUAL(object_count(), 0);
}

static void want_the_name(void *user)
{
    (void)user;
    for (int i = 0; i < 300; i++) {
        kin_shared_memory *memory = NULL;
        int r = kin_shared_memory_create("contended", 8, NULL, &memory);
        CHECK(r == 0 || r == -EEXIST);
        if (r == 0) {
            CHECK_EQUAL(atomic_fetch_add(&numbers[0], 1), 0);
            atomic_fetch_sub(&numbers[0], 1);
        }
        kin_shared_memory_free(memory);
        r = kin_shared_memory_open("contended", &memory);
        CHECK(r == 0 || r == -ENOENT);
        if (r == 0 && i % 2 == 0) {
            CHECK_EQUAL(kin_shared_memory_bytes(memory), 8);
        }
        kin_shared_memory_free(r == 0 ? memory : NULL);
    }
}

TEST_OF_PROCESSES(of_processes_that_want_one_name_one_gets_it)
{
    begin();
    pid_t pids[3];
    for (int i = 0; i < 3; i++) {
        pids[i] = child_start(want_the_name, NULL);
    }
    for (int i = 0; i < 3; i++) {
        child_join(pids[i]);
    }
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

/* How much memory there is left, in GiB: in the machine, and in its control group. */
static uint64_t memory_left(void)
{
    uint64_t pages = (uint64_t)sysconf(_SC_AVPHYS_PAGES);
    uint64_t left = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    unsigned long long limit = 0;
    FILE *file = fopen("/sys/fs/cgroup/memory.max", "re");
    if (file != NULL) {
        bool has_limit = fscanf(file, "%llu", &limit) == 1;
        left = has_limit && limit < left ? limit : left;
        fclose(file);
    }
    return left >> 30;
}

TEST_WITH(a_block_can_be_larger_than_4_gib, .limit_seconds = 120)
{
    if (memory_left() < 10) {
        return; /* or the machine runs out of it */
    }
    begin();
    uint64_t bytes = ((uint64_t)4 << 30) + 12345;
    kin_shared_memory *memory = new_memory("large", bytes);
    unsigned char *data = kin_shared_memory_data(memory);
    CHECK_EQUAL(kin_shared_memory_bytes(memory), bytes);
    CHECK_EQUAL(data[0] | data[bytes - 1] | data[(uint64_t)1 << 32], 0);
    data[bytes - 1] = 7;
    data[(bytes - 1) & UINT32_MAX] = 8;
    CHECK_EQUAL(data[bytes - 1], 7);
    CHECK_SOUND();
    kin_shared_memory_free(memory);
    CHECK_SOUND();
}
