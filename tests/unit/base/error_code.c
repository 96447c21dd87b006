#include "harness/test.h"

#include <errno.h>
#include <limits.h>

#include <kin/error.h>

TEST(errno_codes_have_their_names)
{
    CHECK_STRING(kin_code_name(-ETIMEDOUT), "ETIMEDOUT");
    CHECK_STRING(kin_code_name(-EPERM), "EPERM");
    CHECK_STRING(kin_code_name(-EAGAIN), "EAGAIN");
    CHECK_STRING(kin_code_name(-EOWNERDEAD), "EOWNERDEAD");
    CHECK_STRING(kin_code_text(-ENOMEM), "no memory left");
}

TEST(codes_of_kin_have_their_names)
{
    CHECK_STRING(kin_code_name(0), "KIN_OK");
    CHECK_STRING(kin_code_name(1), "KIN_OWNER_DIED");
    CHECK_STRING(kin_code_name(-5000), "KIN_EWORKER");
    CHECK_STRING(kin_code_name(-5001), "KIN_EBROKEN");
    CHECK_STRING(kin_code_name(-5002), "KIN_EFAMILY");
    CHECK_STRING(kin_code_name(-5003), "KIN_EFUNCTION");
    CHECK_STRING(kin_code_name(-5010), "KIN_EAUTHENTICATION");
    CHECK_STRING(kin_code_name(-5011), "KIN_EPLAINTEXT");
    CHECK_STRING(kin_code_name(-5012), "KIN_EDIGEST");
    CHECK_STRING(kin_code_name(-5013), "KIN_EOPENSSL");
    CHECK_STRING(kin_code_text(KIN_EWORKER), "the worker that ran the task died");
}

TEST(codes_that_mean_nothing_are_unknown)
{
    static const int codes[] = {INT_MIN, INT_MAX, 2, ETIMEDOUT, -4095, -4999, -6000};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        CHECK_STRING(kin_code_name(codes[i]), "unknown");
        CHECK_STRING(kin_code_text(codes[i]), "an unknown code");
    }
}

TEST(every_code_has_both_words)
{
    for (int code = -6000; code < 200; code++) {
        CHECK(kin_code_name(code)[0] != '\0');
        CHECK(kin_code_text(code)[0] != '\0');
    }
}
