/* collections.OrderedDict, defaultdict and deque: dicts and lists with something besides. */
#include "object/standard/standard.h"

#include <kin/list.h>

static int construct_ordered_dict(kin_object *dict);
static kin_object *describe_ordered_dict(const kin_object *dict);
static int construct_default_dict(kin_object *dict);
static kin_object *describe_default_dict(const kin_object *dict);
static int construct_deque(kin_object *deque);
static kin_object *describe_deque(const kin_object *deque);

enum { CLASS_ORDERED_DICT, CLASS_DEFAULT_DICT, CLASS_DEQUE };

static const kin_class classes[] = {
    [CLASS_ORDERED_DICT] = {.module = "collections",
                            .name = "OrderedDict",
                            .shape = KIN_SHAPE_DICT,
                            .construct = construct_ordered_dict,
                            .describe = describe_ordered_dict},
    [CLASS_DEFAULT_DICT] = {.module = "collections",
                            .name = "defaultdict",
                            .shape = KIN_SHAPE_DICT,
                            .construct = construct_default_dict,
                            .describe = describe_default_dict},
    [CLASS_DEQUE] = {.module = "collections",
                     .name = "deque",
                     .shape = KIN_SHAPE_LIST,
                     .construct = construct_deque,
                     .describe = describe_deque},
};

const struct kin__module kin__module_collections = {"collections", KIN__CLASSES(classes)};

static kin_object *items_of(const kin_object *object)
{
    return kin__instance_items((const struct object_instance *)object);
}

/* What is in it comes later; from a row of pairs Python 2 made it. */
static int construct_ordered_dict(kin_object *dict)
{
    return kin__argument_count(dict) == 0 ? 0 : KIN__STAYS_OPAQUE;
}

static kin_object *describe_ordered_dict(const kin_object *dict)
{
    kin_object *items = items_of(dict);
    return kin__describe_call("OrderedDict", &items, kin_object_count(items) == 0 ? 0 : 1);
}

static int construct_default_dict(kin_object *dict)
{
    const kin_object *factory = kin__argument(dict, 0);
    kin_kind kind = kin__kind(factory);
    if (kin__argument_count(dict) > 1) {
        return KIN__STAYS_OPAQUE; /* with what is in it */
    }
    bool may_be_called = factory == NULL || factory == KIN__NONE || kind == KIN_KIND_GLOBAL ||
                         kind == KIN_KIND_OPAQUE || kind == KIN_KIND_INSTANCE;
    return may_be_called ? 0 : -EBADMSG;
}

static kin_object *describe_default_dict(const kin_object *dict)
{
    kin_object *factory = kin__argument(dict, 0);
    kin_object *parts[] = {factory == NULL ? KIN__NONE : factory, items_of(dict)};
    return kin__describe_call("defaultdict", parts, 2);
}

/* deque(), deque(row) or deque(row, maxlen). Of a row that is not empty Python writes the objects
 * one by one, and () here; the most common deque becomes deque(). */
static int construct_deque(kin_object *deque)
{
    size_t count = kin__argument_count(deque);
    kin_object *row = kin__argument(deque, 0);
    kin_object *most = kin__argument(deque, 1);
    int64_t count_max = 0;
    bool has_most = most != NULL && most != KIN__NONE;
    if (count == 0) {
        return 0;
    }
    if (count > 2 || (has_most && kin_object_to_int(most, &count_max) < 0) || count_max < 0) {
        return -EBADMSG;
    }
    if ((kin__kind(row) != KIN_KIND_TUPLE && kin__kind(row) != KIN_KIND_LIST) ||
        kin_object_count(row) != 0) {
        return KIN__STAYS_OPAQUE;
    }
    if (!has_most) {
        return kin__standard_rewrite(deque, kin_tuple_from(NULL, 0));
    }
    return kin__kind(row) == KIN_KIND_TUPLE
               ? 0
               : kin__standard_rewrite(deque,
                                       KIN_TUPLE(kin_tuple_from(NULL, 0), kin_object_ref(most)));
}

static kin_object *describe_deque(const kin_object *deque)
{
    kin_object *list = kin__describe(kin_list_create(), "deque(");
    list = kin__describe_object(list, items_of(deque));
    if (kin__argument_count(deque) == 2) {
        list = kin__describe_object(kin__describe(list, ", maxlen="), kin__argument(deque, 1));
    }
    return kin__describe(list, ")");
}

static kin_object *make(size_t index, kin_object *arguments)
{
    kin_object *object = NULL;
    (void)kin__standard_make(&classes[index], MADE_BY_CALL, arguments, &object);
    return object;
}

kin_object *kin_ordered_dict_create(void)
{
    return make(CLASS_ORDERED_DICT, kin_tuple_from(NULL, 0));
}

kin_object *kin_default_dict_create(kin_object *factory)
{
    if (factory == KIN__NONE) {
        return make(CLASS_DEFAULT_DICT, kin_tuple_from(NULL, 0));
    }
    return make(CLASS_DEFAULT_DICT, KIN_TUPLE(factory));
}

kin_object *kin_deque_create(int64_t count_max)
{
    return make(CLASS_DEQUE,
                count_max < 0 ? kin_tuple_from(NULL, 0)
                              : KIN_TUPLE(kin_tuple_from(NULL, 0), kin_object_from_int(count_max)));
}

int64_t kin_deque_count_max(const kin_object *deque)
{
    int64_t count_max = -1;
    if (!kin__is_of(deque, &classes[CLASS_DEQUE])) {
        return deque == NULL ? -ENOMEM : -EINVAL;
    }
    if (kin__argument_count(deque) == 2) {
        (void)kin_object_to_int(kin__argument(deque, 1), &count_max);
    }
    return count_max;
}
