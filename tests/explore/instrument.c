/*
 * What the compiler's thread sanitizer calls at each access to memory. Here they are points at
 * which the machine can let others run, or die; each operation is then sequentially consistent,
 * whatever order it asks for. Whether it asks for enough, race.h looks.
 */
#include "explore/machine.h"
#include "explore/race.h"
#include "explore/region.h"

#define come_to(point, address)                      \
    if (region_is_shared(address)) {                 \
        machine_place = __builtin_return_address(0); \
        machine_point(point, address);               \
    }                                                \
    (void)0

/* What threads of a process share there is seen where its keeper is one of them. */
#define come_to_atomic(point, address)                                           \
    if (region_is_shared(address) ||                                             \
        (machine->has_keepers &&                                                 \
         (uintptr_t)(address) - (uintptr_t)&kin__family < sizeof kin__family)) { \
        machine_place = __builtin_return_address(0);                             \
        machine_point(point, address);                                           \
    }                                                                            \
    (void)0

#define note(access, ...)                  \
    if (__builtin_expect(race_is_on, 0)) { \
        access(__VA_ARGS__);               \
    }                                      \
    (void)0

#define ATOMICS(bits, type)                                                                        \
    type __tsan_atomic##bits##_load(const volatile type *at, int order);                           \
    void __tsan_atomic##bits##_store(volatile type *at, type value, int order);                    \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile type *at, type *expected,           \
                                                      type value, int order, int failed);          \
    int __tsan_atomic##bits##_compare_exchange_weak(volatile type *at, type *expected, type value, \
                                                    int order, int failed);                        \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *at, type expected, type value,  \
                                                    int order, int failed);                        \
    type __tsan_atomic##bits##_load(const volatile type *at, int order)                            \
    {                                                                                              \
        come_to_atomic(POINT_LOAD, at);                                                            \
        note(race_load, at, order);                                                                \
        return *at;                                                                                \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile type *at, type value, int order)                     \
    {                                                                                              \
        come_to_atomic(POINT_ATOMIC, at);                                                          \
        note(race_store, at, order);                                                               \
        *at = value;                                                                               \
    }                                                                                              \
    static type exchange_##bits(volatile type *at, type expected, type value, int order,           \
                                int failed)                                                        \
    {                                                                                              \
        type before = *at;                                                                         \
        if (before == expected) {                                                                  \
            note(race_update, at, order);                                                          \
            *at = value;                                                                           \
        } else {                                                                                   \
            note(race_load, at, failed);                                                           \
        }                                                                                          \
        return before;                                                                             \
    }                                                                                              \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *at, type expected, type value,  \
                                                    int order, int failed)                         \
    {                                                                                              \
        come_to_atomic(POINT_ATOMIC, at);                                                          \
        return exchange_##bits(at, expected, value, order, failed);                                \
    }                                                                                              \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile type *at, type *expected,           \
                                                      type value, int order, int failed)           \
    {                                                                                              \
        type wanted = *expected;                                                                   \
        come_to_atomic(POINT_ATOMIC, at);                                                          \
        *expected = exchange_##bits(at, wanted, value, order, failed);                             \
        return *expected == wanted;                                                                \
    }                                                                                              \
    int __tsan_atomic##bits##_compare_exchange_weak(volatile type *at, type *expected, type value, \
                                                    int order, int failed)                         \
    {                                                                                              \
        type wanted = *expected;                                                                   \
        come_to_atomic(POINT_ATOMIC, at);                                                          \
        *expected = exchange_##bits(at, wanted, value, order, failed);                             \
        return *expected == wanted;                                                                \
    }

#define ATOMIC_UPDATE(bits, type, name, expression)                              \
    type __tsan_atomic##bits##_##name(volatile type *at, type value, int order); \
    type __tsan_atomic##bits##_##name(volatile type *at, type value, int order)  \
    {                                                                            \
        come_to_atomic(POINT_ATOMIC, at);                                        \
        note(race_update, at, order);                                            \
        type before = *at;                                                       \
        *at = (type)(expression);                                                \
        return before;                                                           \
    }

#define ALL_ATOMICS(bits, type)                          \
    ATOMICS(bits, type)                                  \
    ATOMIC_UPDATE(bits, type, exchange, value)           \
    ATOMIC_UPDATE(bits, type, fetch_add, before + value) \
    ATOMIC_UPDATE(bits, type, fetch_sub, before - value) \
    ATOMIC_UPDATE(bits, type, fetch_and, before &value)  \
    ATOMIC_UPDATE(bits, type, fetch_or, before | value)  \
    ATOMIC_UPDATE(bits, type, fetch_xor, before ^ value) \
    ATOMIC_UPDATE(bits, type, fetch_nand, ~(before & value))

ALL_ATOMICS(8, uint8_t)
ALL_ATOMICS(16, uint16_t)
ALL_ATOMICS(32, uint32_t)
ALL_ATOMICS(64, uint64_t)

#define READ(name, size)                                        \
    void __tsan_##name(void *at);                               \
    void __tsan_##name(void *at)                                \
    {                                                           \
        come_to(POINT_LOAD, at);                                \
        note(race_read, at, size, __builtin_return_address(0)); \
    }
#define WRITE(name, size)                                        \
    void __tsan_##name(void *at);                                \
    void __tsan_##name(void *at)                                 \
    {                                                            \
        come_to(POINT_WRITE, at);                                \
        note(race_write, at, size, __builtin_return_address(0)); \
    }

READ(read1, 1)
READ(read2, 2)
READ(read4, 4)
READ(read8, 8)
READ(read16, 16)
READ(unaligned_read2, 2)
READ(unaligned_read4, 4)
READ(unaligned_read8, 8)
READ(unaligned_read16, 16)
WRITE(write1, 1)
WRITE(write2, 2)
WRITE(write4, 4)
WRITE(write8, 8)
WRITE(write16, 16)
WRITE(unaligned_write2, 2)
WRITE(unaligned_write4, 4)
WRITE(unaligned_write8, 8)
WRITE(unaligned_write16, 16)

void __tsan_init(void);
void __tsan_func_entry(void *at);
void __tsan_func_exit(void);
void __tsan_read_range(void *at, uint64_t size);
void __tsan_write_range(void *at, uint64_t size);
void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_signal_fence(int order);

void __tsan_init(void)
{
}

void __tsan_func_entry(void *at)
{
    (void)at;
}

void __tsan_func_exit(void)
{
}

void __tsan_read_range(void *at, uint64_t size)
{
    come_to(POINT_LOAD, at);
    note(race_read, at, size, __builtin_return_address(0));
}

void __tsan_write_range(void *at, uint64_t size)
{
    come_to(POINT_WRITE, at);
    note(race_write, at, size, __builtin_return_address(0));
}

void __tsan_atomic_thread_fence(int order)
{
    note(race_fence, order);
}

void __tsan_atomic_signal_fence(int order)
{
    (void)order;
}
