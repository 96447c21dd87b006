/** Needs <stdint.h>. */
typedef uint32_t kin_number;
