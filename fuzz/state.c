/*
 * A pickle of a tuple of a class, arguments and a state: the hooks of the class take them, or
 * refuse. What getstate says of the instance makes a new one the same.
 */
#include "fuzz.h"
#include "small.h"

#include <errno.h>
#include <kin/class.h>
#include <kin/error.h>
#include <kin/list.h>
#include <kin/pickle.h>
#include <string.h>

#include "object/instance.h"

/* A class whose state goes as a tuple of a number and what it was given, and is kept otherwise. */
static int get_state(const kin_object *instance, kin_object **ret_state)
{
    kin_object *state = kin_instance_state(instance);
    *ret_state = KIN_TUPLE(kin_object_from_int(7),
                           state == NULL ? kin_object_none() : kin_object_ref(state));
    return *ret_state == NULL ? -ENOMEM : 0;
}

static int set_state(kin_object *instance, kin_object *state)
{
    int64_t number;
    if (kin_object_kind(state) != KIN_KIND_TUPLE || kin_object_count(state) != 2 ||
        kin_object_to_int(kin_object_at(state, 0), &number) != 0 || number != 7) {
        return -EBADMSG;
    }
    return kin_instance_set_state(instance, kin_object_ref(kin_object_at(state, 1)));
}

static kin_class wrapped = {.module = "fuzz",
                            .name = "Wrapped",
                            .shape = KIN_SHAPE_DICT,
                            .getstate = get_state,
                            .setstate = set_state};
KIN_CLASS(wrapped)

/* An instance of what `parts` says; NULL: its hooks refuse. */
static kin_object *make(const kin_object *parts, kin_object *state)
{
    kin_object *arguments = kin_object_at(parts, 1);
    kin_object *instance = NULL;
    if (kin_object_kind(kin_object_at(parts, 0)) != KIN_KIND_GLOBAL ||
        kin_object_kind(arguments) != KIN_KIND_TUPLE) {
        return NULL;
    }
    struct kin__origin origin = {.callable = kin_object_ref(kin_object_at(parts, 0)),
                                 .arguments = kin_object_ref(arguments),
                                 .made_by = MADE_BY_CALL};
    int r = kin__instance_make(NULL, &origin, &instance);
    FUZZ_REQUIRE(r <= 0 && (r == 0) == (instance != NULL));
    if (r == 0 && state != NULL) {
        r = kin__instance_build(instance, 1, kin_object_ref(state));
        FUZZ_REQUIRE(r <= 0);
        if (r < 0) {
            instance = kin_object_free(instance);
        }
    }
    return instance;
}

static kin_object *encode(const kin_object *object)
{
    kin_object *bytes = NULL;
    int r = kin_pickle_encode(object, NULL, &bytes);
    FUZZ_REQUIRE(r == 0 || r == -EOPNOTSUPP);
    return bytes;
}

static void check_same(const kin_object *first, const kin_object *second)
{
    kin_object *first_bytes = encode(first);
    kin_object *second_bytes = encode(second);
    kin_bytes a = kin_object_bytes(first_bytes);
    kin_bytes b = kin_object_bytes(second_bytes);
    FUZZ_REQUIRE(a.size == b.size);
    kin_object_free(first_bytes);
    kin_object_free(second_bytes);
}

static void check_instance(const kin_object *parts)
{
    char text[200];
    uint64_t hash;
    kin_object *state = kin_object_at(parts, 2);
    kin_object *instance = make(parts, state);
    if (instance == NULL) {
        return;
    }
    kin_object *got = NULL;
    FUZZ_REQUIRE(!fuzz_is_small(instance) || kin_object_format(instance, text, sizeof text) >= 0);
    FUZZ_REQUIRE(kin_object_hash(instance, &hash) <= 0);
    FUZZ_REQUIRE(kin_object_equal(instance, instance) != -EINVAL);
    if (kin_object_kind(instance) == KIN_KIND_INSTANCE &&
        kin__instance_get_state(instance, &got) == 0) {
        kin_object *again = make(parts, got);
        FUZZ_REQUIRE(again != NULL); /* what a class says of itself it takes */
        check_same(instance, again);
        kin_object_free(again);
    }
    kin_object_free(got);
    kin_object_free(instance);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const kin_pickle_decode_options options = {
        .size = sizeof options,
        .limits = {.memory_bytes_max = 16 << 20, .opcode_count_max = 1000000, .time_ms_max = 5000},
        .is_prefix = true};
    kin_object *parts = NULL;
    if (kin_pickle_decode(data, size, &options, &parts, NULL, NULL) == 0) {
        check_instance(parts);
    }
    kin_object_free(parts);
    return 0;
}
