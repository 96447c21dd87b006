#include "object/standard/standard.h"

#include <kin/list.h>
#include <stdarg.h>
#include <string.h>

static const struct kin__module *const modules[] = {
    &kin__module_builtins, &kin__module_datetime, &kin__module_collections,
    &kin__module_decimal,  &kin__module_uuid,     &kin__module_array,
};

/* As strcmp of two texts, one of which does not end with NUL; none is in it. */
static int compare(const char *text, kin_bytes bytes)
{
    int order = strncmp(text, bytes.data, bytes.size);
    return order == 0 && text[bytes.size] != '\0' ? 1 : order;
}

static const kin_class *find(const struct kin__module *module, kin_bytes name)
{
    size_t from = 0;
    size_t to = module->count;
    while (from < to) {
        size_t middle = (from + to) / 2;
        int order = compare(module->classes[middle].name, name);
        if (order == 0) {
            return &module->classes[middle];
        }
        if (order < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return NULL;
}

const kin_class *kin__standard_find(kin_bytes module, kin_bytes name)
{
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        if (compare(modules[i]->name, module) == 0) {
            return find(modules[i], name);
        }
    }
    for (size_t i = 0; i < kin__exception_modules_count; i++) {
        if (compare(kin__exception_modules[i].name, module) == 0) {
            return find(&kin__exception_modules[i], name);
        }
    }
    return NULL;
}

bool kin__is_standard(const kin_class *class_)
{
    kin_bytes module = {class_->module, strlen(class_->module)};
    kin_bytes name = {class_->name, strlen(class_->name)};
    return kin__standard_find(module, name) == class_;
}

int kin__standard_make(const kin_class *class_, enum made_by made_by, kin_object *arguments,
                       kin_object **ret_object)
{
    kin_object *global = kin_object_from_global(class_->module, class_->name);
    if (global != NULL) { /* whatever a program has registered in its place */
        ((struct object_global *)global)->class_ = class_;
    }
    struct kin__origin origin = {.callable = global, .arguments = arguments, .made_by = made_by};
    return kin__instance_make(NULL, &origin, ret_object);
}

int kin__standard_rewrite(kin_object *object, kin_object *arguments)
{
    struct object_instance *instance = (struct object_instance *)object;
    if (arguments == NULL) {
        return -ENOMEM;
    }
    kin_object_free(instance->arguments);
    instance->arguments = arguments;
    return 0;
}

kin_object *kin__describe(kin_object *list, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    kin_object *part = NULL;
    if (list == NULL || size < 0 ||
        kin_object_from_str(text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1,
                            &part) < 0 ||
        kin_list_append(list, part) < 0) {
        return kin_object_free(list);
    }
    return list;
}

kin_object *kin__describe_object(kin_object *list, const kin_object *object)
{
    if (list != NULL && kin_list_append(list, KIN_TUPLE(kin_object_ref(object))) < 0) {
        return kin_object_free(list);
    }
    return list;
}

kin_object *kin__describe_call(const char *name, kin_object *const *objects, size_t count)
{
    kin_object *list = kin__describe(kin_list_create(), "%s(", name);
    for (size_t i = 0; i < count; i++) {
        list = i == 0 ? list : kin__describe(list, ", ");
        list = kin__describe_object(list, objects[i]);
    }
    return kin__describe(list, ")");
}
