/*
 * What every public header needs to declare things: the export mark, the C linkage of
 * C++ programs, and the checks compilers can do on callers.
 */
#ifndef KIN_EXPORT_H
#define KIN_EXPORT_H

/** Marks what the shared library exports; everything else in it is hidden. */
#define KIN_API __attribute__((visibility("default")))

/** Lets the compiler check a printf-like call: the positions of the format and its first value. */
#define KIN_PRINTF(format_position, first_position) \
    __attribute__((format(printf, format_position, first_position)))

/** KIN_BEGIN and KIN_END enclose declarations that have C linkage, also in C++. */
#ifdef __cplusplus
#define KIN_BEGIN extern "C" {
#define KIN_END }
#else
#define KIN_BEGIN
#define KIN_END
#endif

#endif
