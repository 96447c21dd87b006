/*
 * What the compiler's thread sanitizer calls at each access to memory. Here they are points at
 * which the machine can let others run, or die; each operation is then sequentially consistent,
 * whatever order it asks for.
 */
#include "explore/machine.h"
#include "explore/region.h"

/* NOLINTBEGIN: the compiler gives the names */

#define come_to(point, address)                      \
    if (region_is_shared(address)) {                 \
        machine_place = __builtin_return_address(0); \
        machine_point(point, address);               \
    }                                                \
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
        (void)order;                                                                               \
        come_to(POINT_LOAD, at);                                                                   \
        return *at;                                                                                \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile type *at, type value, int order)                     \
    {                                                                                              \
        (void)order;                                                                               \
        come_to(POINT_ATOMIC, at);                                                                 \
        *at = value;                                                                               \
    }                                                                                              \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *at, type expected, type value,  \
                                                    int order, int failed)                         \
    {                                                                                              \
        (void)order;                                                                               \
        (void)failed;                                                                              \
        come_to(POINT_ATOMIC, at);                                                                 \
        type before = *at;                                                                         \
        *at = before == expected ? value : before;                                                 \
        return before;                                                                             \
    }                                                                                              \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile type *at, type *expected,           \
                                                      type value, int order, int failed)           \
    {                                                                                              \
        type wanted = *expected;                                                                   \
        type before = __tsan_atomic##bits##_compare_exchange_val(at, wanted, value, order,         \
                                                                 failed);                          \
        *expected = before;                                                                        \
        return before == wanted;                                                                   \
    }                                                                                              \
    int __tsan_atomic##bits##_compare_exchange_weak(volatile type *at, type *expected, type value, \
                                                    int order, int failed)                         \
    {                                                                                              \
        return __tsan_atomic##bits##_compare_exchange_strong(at, expected, value, order, failed);  \
    }

#define ATOMIC_UPDATE(bits, type, name, expression)                              \
    type __tsan_atomic##bits##_##name(volatile type *at, type value, int order); \
    type __tsan_atomic##bits##_##name(volatile type *at, type value, int order)  \
    {                                                                            \
        (void)order;                                                             \
        come_to(POINT_ATOMIC, at);                                               \
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

#define READ(name)                \
    void __tsan_##name(void *at); \
    void __tsan_##name(void *at)  \
    {                             \
        (void)at;                 \
    }
#define WRITE(name)               \
    void __tsan_##name(void *at); \
    void __tsan_##name(void *at)  \
    {                             \
        come_to(POINT_WRITE, at); \
    }

READ(read1)
READ(read2)
READ(read4)
READ(read8)
READ(read16)
READ(unaligned_read2)
READ(unaligned_read4)
READ(unaligned_read8)
READ(unaligned_read16)
READ(vptr_read)
READ(func_entry)
WRITE(write1)
WRITE(write2)
WRITE(write4)
WRITE(write8)
WRITE(write16)
WRITE(unaligned_write2)
WRITE(unaligned_write4)
WRITE(unaligned_write8)
WRITE(unaligned_write16)

void __tsan_init(void);
void __tsan_func_exit(void);
void __tsan_read_range(void *at, uint64_t size);
void __tsan_write_range(void *at, uint64_t size);
void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_signal_fence(int order);

void __tsan_init(void)
{
}

void __tsan_func_exit(void)
{
}

void __tsan_read_range(void *at, uint64_t size)
{
    (void)at;
    (void)size;
}

void __tsan_write_range(void *at, uint64_t size)
{
    (void)size;
    come_to(POINT_WRITE, at);
}

void __tsan_atomic_thread_fence(int order)
{
    (void)order;
}

void __tsan_atomic_signal_fence(int order)
{
    (void)order;
}
/* NOLINTEND */
