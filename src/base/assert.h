/*
 * Assertions, for invariants of this process only: bytes that another process wrote are
 * validated instead. Active in debug builds (KIN_DEBUG); in others the condition is
 * compiled but never evaluated.
 */
#ifndef KIN_BASE_ASSERT_H
#define KIN_BASE_ASSERT_H

#include <assert.h>
#include <stddef.h>

/** Says which condition failed and where, on stderr, and aborts. */
_Noreturn void kin__assert_fail(const char *condition, const char *file, int line);

#if defined(KIN_DEBUG) && KIN_DEBUG
#define KIN_ASSERT(condition) \
    ((condition) ? (void)0 : kin__assert_fail(#condition, __FILE__, __LINE__))
#else
#define KIN_ASSERT(condition) ((void)sizeof(!(condition)))
#endif

/** Nails down the layout of a structure that several processes share. */
#define KIN_STATIC_ASSERT_OFFSET(type, member, offset) \
    static_assert(offsetof(type, member) == (offset), #type "." #member " is not at " #offset)

/** The same for the size of a type. */
#define KIN_STATIC_ASSERT_SIZE(type, bytes) \
    static_assert(sizeof(type) == (bytes), #type " does not have " #bytes " bytes")

#endif
