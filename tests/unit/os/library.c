#include "os/library.h"
#include "harness/test.h"
#include "os/fault.h"

#include <errno.h>
#include <string.h>

typedef double number_function(double);

/* Laid out like an array of pointers. */
struct functions {
    number_function *cos;
    number_function *floor;
};

TEST(functions_of_a_library_are_found_by_their_names)
{
    char why[KIN__OS_LIBRARY_WHY_BYTES];
    struct functions functions = {NULL, NULL};
    REQUIRE(kin__os_library_load("libm.so.6", "cos\0floor\0", &functions, why) == 0);
    CHECK(functions.cos(0) == 1);
    CHECK(functions.floor(2.5) == 2);
}

TEST(a_library_that_is_missing_is_named)
{
    char why[KIN__OS_LIBRARY_WHY_BYTES];
    struct functions functions;
    CHECK_EQUAL(kin__os_library_load("libnobody.so.9", "cos\0floor\0", &functions, why), -ELIBACC);
    CHECK(strncmp(why, "libnobody.so.9: ", 16) == 0);
}

TEST(a_function_that_is_missing_is_named)
{
    char why[KIN__OS_LIBRARY_WHY_BYTES];
    struct functions functions;
    CHECK_EQUAL(kin__os_library_load("libm.so.6", "cos\0nobody\0", &functions, why), -ELIBACC);
    CHECK(strstr(why, "libm.so.6") != NULL && strstr(why, "nobody") != NULL);
}

#ifdef KIN_FAULTS

TEST(a_library_that_fails_to_load_has_a_reason)
{
    char why[KIN__OS_LIBRARY_WHY_BYTES];
    struct functions functions;
    kin__os_fail_at(1);
    CHECK_EQUAL(kin__os_library_load("libm.so.6", "cos\0floor\0", &functions, why), -ELIBACC);
    CHECK_STRING(why, "libm.so.6");
    CHECK_EQUAL(kin__os_library_load("libm.so.6", "cos\0floor\0", &functions, why), 0);
}

#endif
