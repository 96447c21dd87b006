/** Documented. */
#define KIN_ONE 1

#define KIN_TWO 2
