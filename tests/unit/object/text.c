#include "harness/test.h"

#include <kin/object.h>

#include <errno.h>

#include "object/text.h"

TEST(a_text_comes_back_with_its_nul)
{
    kin_object *object = kin_object_from_text("na\xc3\xafve");
    CHECK_STRING(kin_object_text(object), "na\xc3\xafve");
    CHECK_EQUAL(kin_object_bytes(object).size, 6);
    CHECK_STRING(kin_object_type_name(object), "str");
    kin_object_free(object);
}

TEST(a_text_that_is_not_utf8_becomes_surrogates_as_in_python)
{
    kin_object *object = kin_object_from_text("a\xff\x80z");
    CHECK_STRING(kin_object_text(object), "a\xed\xb3\xbf\xed\xb2\x80z");
    kin_object_free(object);
}

static int check_str(const char *bytes, size_t size)
{
    kin_object *object = NULL;
    int r = kin_object_from_str(bytes, size, &object);
    kin_object_free(object);
    return r;
}

TEST(only_utf8_is_a_str)
{
    CHECK_EQUAL(check_str("", 0), 0);
    CHECK_EQUAL(check_str("a\0b", 3), 0);
    CHECK_EQUAL(check_str("\xed\xa0\x80", 3), 0); /* a surrogate alone */
    CHECK_EQUAL(check_str("\xf4\x8f\xbf\xbf", 4), 0);
    CHECK_EQUAL(check_str("\xf4\x90\x80\x80", 4), -EILSEQ);
    CHECK_EQUAL(check_str("\xf5\x80\x80\x80", 4), -EILSEQ);
    CHECK_EQUAL(check_str("\xc0\x80", 2), -EILSEQ);
    CHECK_EQUAL(check_str("\xc1\xbf", 2), -EILSEQ);
    CHECK_EQUAL(check_str("\xe0\x9f\xbf", 3), -EILSEQ);
    CHECK_EQUAL(check_str("\xf0\x8f\xbf\xbf", 4), -EILSEQ);
    CHECK_EQUAL(check_str("\x80", 1), -EILSEQ);
    CHECK_EQUAL(check_str("aaaaaaaaaaaaaaa\xc3", 16), -EILSEQ);
    CHECK_EQUAL(check_str("aaaaaaaaaaaaaaa\xc3\xa9zzzzzzzzzzzzzzz", 32), 0);
    CHECK_EQUAL(check_str(NULL, 1), -EINVAL);
}

TEST(bytes_come_back)
{
    kin_object *object = kin_object_from_bytes("a\0b", 3);
    CHECK_EQUAL(kin_object_bytes(object).size, 3);
    CHECK_BYTES(kin_object_bytes(object).data, "a\0b", 4);
    CHECK(kin_bytearray_data(object) == NULL);
    CHECK_EQUAL(kin_bytearray_resize(object, 1), -EINVAL);
    CHECK(kin_object_text(object) == NULL);
    kin_object_free(object);
    CHECK(kin_object_from_bytes(NULL, 1) == NULL);
}

TEST(a_bytearray_can_be_changed)
{
    kin_object *object = kin_object_from_bytearray(NULL, 0);
    CHECK_EQUAL(kin_bytearray_resize(object, 4), 0);
    memcpy(kin_bytearray_data(object), "wxyz", 4);
    CHECK_EQUAL(kin_bytearray_resize(object, 6), 0);
    CHECK_BYTES(kin_object_bytes(object).data, "wxyz\0\0", 7);
    CHECK_EQUAL(kin_bytearray_resize(object, 2), 0);
    CHECK_BYTES(kin_object_bytes(object).data, "wx", 3);
    kin_object_free(object);
    CHECK_EQUAL(kin_bytearray_resize(NULL, 2), -ENOMEM);
}

static int release_count;

static void count_release(struct kin__backing *backing)
{
    (void)backing;
    release_count++;
}

TEST(data_that_is_elsewhere_is_released_with_its_object)
{
    static struct kin__backing backing = {.release = count_release};
    static char data[] = "elsewhere";
    kin_object *object = kin__bytes_create_view(KIN_KIND_BYTEARRAY, data, 9, &backing);
    CHECK(kin_object_bytes(object).data == data);
    CHECK_EQUAL(kin_bytearray_resize(object, 20), -EINVAL);
    kin_object_free(object);
    CHECK_EQUAL(release_count, 1);
}
