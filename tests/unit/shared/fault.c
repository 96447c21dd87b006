/* Each allocation and each system call fails once, at every place. */
#include "base/fault.h"

#include "os/fault.h"
#include "shared.h"

#include <kin/array.h>
#include <kin/shared_list.h>
#include <kin/shared_memory.h>
#include <kin/value.h>

#ifdef KIN_FAULTS

static uint64_t allocations_before;

static void fail_allocation_at(uint64_t n)
{
    allocations_before = kin__allocation_count();
    kin__allocation_fail_at(n);
}

static uint64_t allocation_count(void)
{
    return kin__allocation_count() - allocations_before;
}

/* Runs `step` with the n-th call failing, n = 1, 2, ..., until no call was left to fail. */
static void fail_everywhere(void (*fail_at)(uint64_t n), uint64_t (*count_calls)(void),
                            void (*step)(void))
{
    uint64_t n = 0;
    uint64_t count = 0;
    do {
        n++;
        fail_at(n);
        step();
        count = count_calls();
        fail_at(0);
        CHECK_EQUAL(object_count(), 0);
        REQUIRE(n < 1000);
    } while (count >= n);
    CHECK_SOUND();
}

static void create_values(void)
{
    kin_value *value = NULL;
    kin_value *second = NULL;
    kin_array *array = NULL;
    int r = kin_value_create('&', NULL, &value);
    CHECK(r == 0 || (r == -ENOMEM && value == NULL));
    if (r == 0) {
        r = kin_value_attach(kin_value_handle(value), &second);
        CHECK(r == 0 || (r == -ENOMEM && second == NULL));
        CHECK_EQUAL(kin_value_set_handle(value, kin_rlock_handle(kin_value_lock(value))), 0);
    }
    r = kin_array_create('d', 100000, NULL, &array);
    CHECK(r == 0 || (r == -ENOMEM && array == NULL));
    kin_value_free(value);
    kin_value_free(second);
    kin_array_free(array);
}

TEST(failing_allocations_leave_no_half_made_value)
{
    begin();
    fail_everywhere(fail_allocation_at, allocation_count, create_values);
}

TEST(failing_system_calls_leave_no_half_made_value)
{
    begin();
    fail_everywhere(kin__os_fail_at, kin__os_call_count, create_values);
}

static void create_memory_and_list(void)
{
    kin_shared_memory *memory = NULL;
    kin_shared_memory *second = NULL;
    kin_shared_list *list = NULL;
    int r = kin_shared_memory_create("name", 100000, NULL, &memory);
    CHECK(r == 0 || (r == -ENOMEM && memory == NULL));
    int opened = kin_shared_memory_open("name", &second);
    CHECK(opened == (r == 0 ? 0 : -ENOENT) || (opened == -ENOMEM && second == NULL));
    kin_shared_item item = {.capacity = 100000};
    r = kin_shared_list_create(&item, 1, NULL, &list);
    CHECK(r == 0 || (r == -ENOMEM && list == NULL));
    kin_shared_memory_free(memory);
    kin_shared_memory_free(second);
    kin_shared_list_free(list);
}

TEST(failing_allocations_leave_no_half_made_memory)
{
    begin();
    fail_everywhere(fail_allocation_at, allocation_count, create_memory_and_list);
}

TEST(failing_system_calls_leave_no_half_made_memory)
{
    begin();
    fail_everywhere(kin__os_fail_at, kin__os_call_count, create_memory_and_list);
}

#endif
