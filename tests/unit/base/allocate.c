#include "harness/test.h"

#include <stdint.h>

#include "base/allocate.h"
#include "base/fault.h"

TEST(allocated_memory_can_be_written_and_grown)
{
    unsigned char *memory = kin__allocate(10);
    REQUIRE(memory != NULL);
    memset(memory, 7, 10);
    memory = kin__reallocate(memory, 10000);
    REQUIRE(memory != NULL);
    CHECK_EQUAL(memory[9], 7);
    memset(memory, 8, 10000);
    kin__release(memory);
}

TEST(zeroed_memory_is_zero)
{
    static const unsigned char zeros[100];
    unsigned char *memory = kin__allocate_zeroed(sizeof(zeros));
    REQUIRE(memory != NULL);
    CHECK_BYTES(memory, zeros, sizeof(zeros));
    kin__release(memory);
}

TEST(no_bytes_are_not_null)
{
    void *memory[] = {kin__allocate(0), kin__allocate_zeroed(0), kin__allocate_array(0, 8),
                      kin__reallocate(NULL, 0)};
    for (size_t i = 0; i < 4; i++) {
        CHECK(memory[i] != NULL);
        kin__release(memory[i]);
    }
}

TEST(releasing_null_does_nothing)
{
    kin__release(NULL);
}

TEST(an_array_larger_than_memory_is_null)
{
    volatile size_t count = SIZE_MAX / 8 + 1;
    CHECK(kin__allocate_array(count, 8) == NULL);
}

#if defined(KIN_FAULTS) && KIN_FAULTS

TEST(the_nth_allocation_from_now_fails_once)
{
    kin__allocation_fail_at(3);
    void *first = kin__allocate(1);
    void *second = kin__allocate_zeroed(1);
    CHECK(first != NULL);
    CHECK(second != NULL);
    CHECK(kin__allocate_array(1, 1) == NULL);
    void *fourth = kin__reallocate(first, 2);
    CHECK(fourth != NULL);
    kin__release(second);
    kin__release(fourth);
}

TEST(every_kind_of_allocation_can_fail)
{
    void *memory = kin__allocate(1);
    kin__allocation_fail_at(1);
    CHECK(kin__allocate(1) == NULL);
    kin__allocation_fail_at(1);
    CHECK(kin__allocate_zeroed(1) == NULL);
    kin__allocation_fail_at(1);
    CHECK(kin__allocate_array(1, 1) == NULL);
    kin__allocation_fail_at(1);
    CHECK(kin__reallocate(memory, 2) == NULL);
    kin__release(memory);
}

TEST(failing_can_be_turned_off)
{
    kin__allocation_fail_at(1);
    kin__allocation_fail_at(0);
    void *memory = kin__allocate(1);
    CHECK(memory != NULL);
    kin__release(memory);
}

TEST(allocations_are_counted)
{
    uint64_t before = kin__allocation_count();
    void *memory = kin__allocate(1);
    memory = kin__reallocate(memory, 2);
    kin__release(memory);
    CHECK_EQUAL(kin__allocation_count() - before, 2);
}

#endif
