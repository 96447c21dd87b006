#include "harness/test.h"

#include <errno.h>
#include <stdio.h>

#include <kin/error.h>

static kin_error *make(int code, const char *message, const kin_error_options *options)
{
    return kin_error_create_at("/some/where/pages.c", 7, "fetch", options, code, "%s", message);
}

static kin_error *make_tree(void)
{
    kin_error_options with_cause = {.size = sizeof(with_cause)};
    with_cause.cause = make(-ENETUNREACH, "no way", NULL);
    kin_error_options last = {.size = sizeof(last), .backtrace = "one\ntwo\n"};
    kin_error *children[] = {make(-ETIMEDOUT, "page 1", &with_cause), NULL,
                             make(-EPIPE, "page\n3", &last)};
    kin_error_options all = {.size = sizeof(all),
                             .cause = kin_error_create_at(NULL, 0, NULL, NULL, -7777, "odd"),
                             .children = children,
                             .child_count = 3};
    return make(-EIO, "3 of 3 pages failed", &all);
}

static const char tree_text[] = "EIO: 3 of 3 pages failed (pages.c:7 in fetch)\n"
                                "  - ETIMEDOUT: page 1 (pages.c:7 in fetch)\n"
                                "    caused by ENETUNREACH: no way (pages.c:7 in fetch)\n"
                                "  - ENOMEM: no memory left\n"
                                "  - EPIPE: page\n"
                                "        3 (pages.c:7 in fetch)\n"
                                "        one\n"
                                "        two\n"
                                "caused by unknown -7777: odd\n";

TEST(a_tree_is_written_with_all_its_parts)
{
    char text[1000];
    kin_error *error = make_tree();
    CHECK_EQUAL(kin_error_format(error, text, sizeof(text)), sizeof(tree_text) - 1);
    CHECK_STRING(text, tree_text);
    kin_error_free(error);
}

TEST(text_that_has_no_room_is_cut_off)
{
    kin_error *error = make_tree();
    CHECK_EQUAL(kin_error_format(error, NULL, 0), sizeof(tree_text) - 1);
    for (size_t size = 1; size <= sizeof(tree_text); size++) {
        char text[sizeof(tree_text) + 1];
        memset(text, '#', sizeof(text));
        CHECK_EQUAL(kin_error_format(error, text, size), sizeof(tree_text) - 1);
        CHECK_BYTES(text, tree_text, size - 1);
        CHECK_EQUAL(text[size - 1], '\0');
        CHECK_EQUAL(text[size], '#');
    }
    kin_error_free(error);
}

TEST(a_missing_error_is_written_as_out_of_memory)
{
    char text[100];
    kin_error_format(NULL, text, sizeof(text));
    CHECK_STRING(text, "ENOMEM: no memory left\n");
}

TEST(children_of_children_are_written_to_a_limit)
{
    kin_error *error = make(-EIO, "leaf", NULL);
    for (int i = 0; i < 100; i++) {
        kin_error_options options = {.size = sizeof(options), .children = &error, .child_count = 1};
        error = make(-EIO, "branch", &options);
    }
    static char text[10000];
    CHECK(kin_error_format(error, text, sizeof(text)) < (int)sizeof(text));
    CHECK(strstr(text, "- ...\n") != NULL);
    CHECK(strstr(text, "leaf") == NULL);
    kin_error_free(error);
}

TEST(printing_writes_the_same_text_to_a_stream)
{
    char text[1000] = "";
    FILE *stream = fmemopen(text, sizeof(text), "w");
    REQUIRE(stream != NULL);
    kin_error *error = make_tree();
    CHECK_EQUAL(kin_error_print(error, stream), 0);
    fclose(stream);
    CHECK_STRING(text, tree_text);
    kin_error_free(error);
}

TEST(printing_to_a_stream_that_takes_nothing_is_eio)
{
    FILE *stream = fopen("/dev/null", "r");
    REQUIRE(stream != NULL);
    CHECK_EQUAL(kin_error_print(NULL, stream), -EIO);
    fclose(stream);
    CHECK_EQUAL(kin_error_print(NULL, NULL), -EINVAL);
}
