/* uuid.UUID: made without arguments, its state is a dict: "int", 128 bits, and perhaps "is_safe",
 * which says how it was drawn and counts for nothing. */
#include "object/standard/standard.h"

#include <kin/dict.h>
#include <kin/list.h>
#include <string.h>

enum { UUID_BYTES = 16 };

static int construct(kin_object *uuid);
static int setstate(kin_object *uuid, kin_object *state);
static int equal(const kin_object *first, const kin_object *second);
static int hash(const kin_object *uuid, uint64_t *ret_hash);
static kin_object *describe(const kin_object *uuid);

static const kin_class classes[] = {{.module = "uuid",
                                     .name = "UUID",
                                     .construct = construct,
                                     .setstate = setstate,
                                     .equal = equal,
                                     .hash = hash,
                                     .describe = describe}};

const struct kin__module kin__module_uuid = {"uuid", KIN__CLASSES(classes)};

static int construct(kin_object *uuid)
{
    return kin__argument_count(uuid) == 0 ? 0 : KIN__STAYS_OPAQUE;
}

/* Reads an int of 128 bits, the highest byte first; false: it is none. */
static bool read(const kin_object *number, unsigned char bytes[UUID_BYTES])
{
    unsigned char lowest_first[UUID_BYTES + 1] = {0};
    if (kin__kind(number) != KIN_KIND_INT) {
        return false;
    }
    int64_t size = kin_object_to_int_bytes(number, lowest_first, sizeof lowest_first);
    bool is_negative = size > 0 && size <= UUID_BYTES && lowest_first[size - 1] >= 0x80;
    if (size < 0 || size > (int64_t)sizeof lowest_first || is_negative ||
        lowest_first[UUID_BYTES] != 0) {
        return false;
    }
    for (size_t i = 0; i < UUID_BYTES; i++) {
        bytes[i] = lowest_first[UUID_BYTES - 1 - i];
    }
    return true;
}

static int setstate(kin_object *uuid, kin_object *state)
{
    unsigned char bytes[UUID_BYTES];
    if (kin__kind(state) != KIN_KIND_DICT || !read(kin_dict_get_text(state, "int"), bytes)) {
        return -EBADMSG;
    }
    return kin_instance_set_state(uuid, kin_object_ref(state));
}

static const kin_object *number_of(const kin_object *uuid)
{
    return kin_dict_get_text(kin_instance_state(uuid), "int");
}

/* One without a state was never finished, and is equal to none. */
static int equal(const kin_object *first, const kin_object *second)
{
    unsigned char one[UUID_BYTES];
    unsigned char other[UUID_BYTES];
    return read(number_of(first), one) && read(number_of(second), other) &&
           memcmp(one, other, UUID_BYTES) == 0;
}

static int hash(const kin_object *uuid, uint64_t *ret_hash)
{
    const kin_object *number = number_of(uuid);
    return number == NULL ? -EINVAL : kin_object_hash(number, ret_hash);
}

static kin_object *describe(const kin_object *uuid)
{
    unsigned char bytes[UUID_BYTES];
    if (!read(number_of(uuid), bytes)) {
        return kin__describe(kin_list_create(), "<UUID>");
    }
    char text[2 * UUID_BYTES + 5];
    char *at = text;
    for (size_t i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *at++ = '-';
        }
        *at++ = "0123456789abcdef"[bytes[i] >> 4];
        *at++ = "0123456789abcdef"[bytes[i] & 15];
    }
    *at = '\0';
    return kin__describe(kin_list_create(), "UUID('%s')", text);
}

kin_object *kin_object_from_uuid(const unsigned char bytes[16])
{
    unsigned char lowest_first[UUID_BYTES + 1] = {0};
    kin_object *uuid = NULL;
    if (bytes == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < UUID_BYTES; i++) {
        lowest_first[i] = bytes[UUID_BYTES - 1 - i];
    }
    kin_object *state = kin_dict_create();
    if (kin_dict_set_text(state, "int",
                          kin_object_from_int_bytes(lowest_first, sizeof lowest_first)) < 0 ||
        kin__standard_make(&classes[0], MADE_BY_NEW, kin_tuple_from(NULL, 0), &uuid) < 0) {
        kin_object_free(state);
        return NULL;
    }
    return kin_instance_set_state(uuid, state) < 0 ? kin_object_free(uuid) : uuid;
}

int kin_object_to_uuid(const kin_object *object, unsigned char ret_bytes[16])
{
    if (!kin__is_of(object, &classes[0]) || ret_bytes == NULL) {
        return object == NULL ? -ENOMEM : -EINVAL;
    }
    return read(number_of(object), ret_bytes) ? 0 : -EINVAL;
}
