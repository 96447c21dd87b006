/* Ranges, slices, and the types of None, Ellipsis and NotImplemented. */
#include "object/standard/standard.h"

#include <kin/list.h>
#include <string.h>

#include "object/integer.h"

/* A range of int64, its numbers counted. */
struct range_view {
    int64_t first;
    int64_t end;
    int64_t step;
    uint64_t count;
};

static bool is_integer(const kin_object *object)
{
    return kin__kind(object) == KIN_KIND_INT || kin__kind(object) == KIN_KIND_BOOL;
}

/* range(end), range(first, end) and range(first, end, step) become the last. */
int kin__range_construct(kin_object *range)
{
    size_t count = kin__argument_count(range);
    int64_t step = 1;
    if (count < 1 || count > 3) {
        return -EBADMSG;
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_integer(kin__argument(range, i))) {
            return -EBADMSG;
        }
    }
    if (count == 3) {
        return kin_object_to_int(kin__argument(range, 2), &step) == 0 && step == 0 ? -EBADMSG : 0;
    }
    kin_object *first = count == 1 ? kin__small_int(0) : kin_object_ref(kin__argument(range, 0));
    kin_object *end = kin_object_ref(kin__argument(range, count - 1));
    return kin__standard_rewrite(range, KIN_TUPLE(first, end, kin__small_int(1)));
}

/* 0; -EOVERFLOW: its numbers do not fit into int64, nor would those between them into a pointer. */
static int view_range(const kin_object *range, struct range_view *ret_view)
{
    struct range_view view = {0};
    int r = kin_object_to_int(kin__argument(range, 0), &view.first);
    r = r < 0 ? r : kin_object_to_int(kin__argument(range, 1), &view.end);
    r = r < 0 ? r : kin_object_to_int(kin__argument(range, 2), &view.step);
    if (r < 0) {
        return r;
    }
    uint64_t distance = 0;
    uint64_t step = view.step < 0 ? 0 - (uint64_t)view.step : (uint64_t)view.step;
    if (view.step > 0 && view.first < view.end) {
        distance = (uint64_t)view.end - (uint64_t)view.first;
    } else if (view.step < 0 && view.first > view.end) {
        distance = (uint64_t)view.first - (uint64_t)view.end;
    }
    view.count = distance == 0 ? 0 : (distance - 1) / step + 1;
    *ret_view = view;
    return 0;
}

size_t kin__range_count(const kin_object *range)
{
    struct range_view view;
    return view_range(range, &view) < 0 ? 0 : view.count;
}

kin_object *kin__range_at(const kin_object *range, size_t index)
{
    struct range_view view;
    if (view_range(range, &view) < 0 || index >= view.count) {
        return NULL;
    }
    int64_t value = (int64_t)((uint64_t)view.first + index * (uint64_t)view.step);
    return kin__fits_small_int(value) ? kin__small_int(value) : NULL;
}

bool kin__is_range(const kin_object *object)
{
    return kin__kind(object) == KIN_KIND_INSTANCE &&
           kin_instance_class(object)->construct == kin__range_construct;
}

/* As rows of numbers. */
int kin__range_equal(const kin_object *first, const kin_object *second)
{
    struct range_view one;
    struct range_view other;
    if (view_range(first, &one) < 0 || view_range(second, &other) < 0) {
        return kin_object_equal(kin_instance_arguments(first), kin_instance_arguments(second));
    }
    return one.count == other.count && (one.count == 0 || one.first == other.first) &&
           (one.count < 2 || one.step == other.step);
}

int kin__range_hash(const kin_object *range, uint64_t *ret_hash)
{
    struct range_view view;
    if (view_range(range, &view) < 0) {
        return kin_object_hash(kin_instance_arguments(range), ret_hash);
    }
    int64_t step = view.count < 2 ? 0 : view.step;
    int64_t first = view.count == 0 ? 0 : view.first;
    kin_object *key = KIN_TUPLE(kin_object_from_uint(view.count), kin_object_from_int(first),
                                kin_object_from_int(step));
    int r = kin_object_hash(key, ret_hash);
    kin_object_free(key);
    return r;
}

kin_object *kin__range_describe(const kin_object *range)
{
    kin_object *parts[] = {kin__argument(range, 0), kin__argument(range, 1),
                           kin__argument(range, 2)};
    return kin__describe_call("range", parts, parts[2] == kin__small_int(1) ? 2 : 3);
}

kin_object *kin_object_from_range(int64_t first, int64_t end)
{
    kin_object *range = NULL;
    kin_bytes module = {"builtins", 8};
    kin_bytes name = {"range", 5};
    kin_object *arguments = KIN_TUPLE(kin_object_from_int(first), kin_object_from_int(end),
                                      kin__small_int(1));
    (void)kin__standard_make(kin__standard_find(module, name), MADE_BY_CALL, arguments, &range);
    return range;
}

int kin_object_to_range(const kin_object *object, int64_t *ret_first, int64_t *ret_end,
                        int64_t *ret_step)
{
    struct range_view view;
    if (!kin__is_range(object)) {
        return object == NULL ? -ENOMEM : -EINVAL;
    }
    int r = view_range(object, &view);
    if (r < 0) {
        return r;
    }
    *ret_first = view.first;
    *ret_end = view.end;
    *ret_step = view.step;
    return 0;
}

/* slice(end), slice(first, end) and slice(first, end, step) become the last. */
int kin__slice_construct(kin_object *slice)
{
    size_t count = kin__argument_count(slice);
    if (count < 1 || count > 3) {
        return -EBADMSG;
    }
    if (count == 3) {
        return 0;
    }
    kin_object *first = count == 1 ? KIN__NONE : kin_object_ref(kin__argument(slice, 0));
    kin_object *end = kin_object_ref(kin__argument(slice, count - 1));
    return kin__standard_rewrite(slice, KIN_TUPLE(first, end, KIN__NONE));
}

kin_object *kin__slice_describe(const kin_object *slice)
{
    kin_object *parts[] = {kin__argument(slice, 0), kin__argument(slice, 1),
                           kin__argument(slice, 2)};
    return kin__describe_call("slice", parts, 3);
}

kin_object *kin_object_from_slice(kin_object *first, kin_object *end, kin_object *step)
{
    kin_object *slice = NULL;
    kin_bytes module = {"builtins", 8};
    kin_bytes name = {"slice", 5};
    (void)kin__standard_make(kin__standard_find(module, name), MADE_BY_CALL,
                             KIN_TUPLE(first, end, step), &slice);
    return slice;
}

/* type(None), as Python writes the class of None; of other objects it says what they are. */
static const char *type_of(const kin_object *type)
{
    const kin_object *object = kin__argument(type, 0);
    if (object == KIN__NONE) {
        return "NoneType";
    }
    const char *name = kin_global_name(object);
    if (name == NULL || strcmp(kin_global_module(object), "builtins") != 0) {
        return NULL;
    }
    return strcmp(name, "Ellipsis") == 0         ? "ellipsis"
           : strcmp(name, "NotImplemented") == 0 ? "NotImplementedType"
                                                 : NULL;
}

int kin__type_construct(kin_object *type)
{
    return kin__argument_count(type) == 1 && type_of(type) != NULL ? 0 : KIN__STAYS_OPAQUE;
}

kin_object *kin__type_describe(const kin_object *type)
{
    return kin__describe(kin_list_create(), "<class '%s'>", type_of(type));
}

kin_object *kin_object_ellipsis(void)
{
    return kin_object_from_global("builtins", "Ellipsis");
}

kin_object *kin_object_not_implemented(void)
{
    return kin_object_from_global("builtins", "NotImplemented");
}
