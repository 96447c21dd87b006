/**
 * Numbers in bytes that somebody else may be writing: each byte is fetched once, as `volatile`
 * says. What is looked at again is what was fetched.
 */
#ifndef KIN_OBJECT_DECODE_FETCH_H
#define KIN_OBJECT_DECODE_FETCH_H

#include <stdint.h>

struct decode_u16 {
    uint16_t value;
} __attribute__((packed, may_alias));

struct decode_u32 {
    uint32_t value;
} __attribute__((packed, may_alias));

struct decode_u64 {
    uint64_t value;
} __attribute__((packed, may_alias));

static inline uint8_t kin__decode_u8(const unsigned char *at)
{
    return *(const volatile unsigned char *)at;
}

static inline uint16_t kin__decode_u16(const unsigned char *at)
{
    uint16_t value = ((const volatile struct decode_u16 *)(const void *)at)->value;
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? value : __builtin_bswap16(value);
}

static inline uint32_t kin__decode_u32(const unsigned char *at)
{
    uint32_t value = ((const volatile struct decode_u32 *)(const void *)at)->value;
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? value : __builtin_bswap32(value);
}

static inline uint64_t kin__decode_u64(const unsigned char *at)
{
    uint64_t value = ((const volatile struct decode_u64 *)(const void *)at)->value;
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? value : __builtin_bswap64(value);
}

#endif
