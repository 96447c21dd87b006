/* msgpack-c: from and to its own objects. What it decodes shares text and bytes with its input, as
 * it always does: nothing is copied. */

#include "pickle/codec.h"
#include "pickle/values.h"

#include <msgpack.h>
#include <string.h>

static msgpack_sbuffer bytes;
static msgpack_packer packer;
static msgpack_unpacked value;

static void add_list(size_t count)
{
    msgpack_pack_array(&packer, count);
}

static void add_dict(size_t count)
{
    msgpack_pack_map(&packer, count);
}

static void add_text(const char *text)
{
    msgpack_pack_str_with_body(&packer, text, strlen(text));
}

static void add_bytes(const void *data, size_t size)
{
    msgpack_pack_bin_with_body(&packer, data, size);
}

static void add_integer(int64_t number)
{
    msgpack_pack_int64(&packer, number);
}

static void add_real(double number)
{
    msgpack_pack_double(&packer, number);
}

static void add_boolean(int is_true)
{
    if (is_true) {
        msgpack_pack_true(&packer);
    } else {
        msgpack_pack_false(&packer);
    }
}

static void unpack(msgpack_unpacked *ret_value)
{
    msgpack_unpacked_init(ret_value);
    if (msgpack_unpack_next(ret_value, bytes.data, bytes.size, NULL) != MSGPACK_UNPACK_SUCCESS) {
        harness_die("msgpack does not read what it has written");
    }
}

static void open_value(const char *name)
{
    static const struct builder builder = {
        .list = add_list,
        .dict = add_dict,
        .text = add_text,
        .bytes = add_bytes,
        .integer = add_integer,
        .real = add_real,
        .boolean = add_boolean,
    };
    msgpack_sbuffer_init(&bytes);
    msgpack_packer_init(&packer, &bytes, msgpack_sbuffer_write);
    if (values_build(name, &builder) < 0) {
        harness_die("no value '%s'", name);
    }
    unpack(&value);
}

static void encode(void)
{
    msgpack_sbuffer made;
    msgpack_packer own;
    msgpack_sbuffer_init(&made);
    msgpack_packer_init(&own, &made, msgpack_sbuffer_write);
    if (msgpack_pack_object(&own, value.data) != 0) {
        harness_die("msgpack has no memory");
    }
    msgpack_sbuffer_destroy(&made);
}

static void decode(void)
{
    msgpack_unpacked made;
    unpack(&made);
    msgpack_unpacked_destroy(&made);
}

const codec_subject codec_measured = {.open = open_value, .encode = encode, .decode = decode};
