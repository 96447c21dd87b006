/* Classes by their names. */
#include "object/class/class.h"

#include <string.h>

#include "object/runtime.h"
#include "object/standard/standard.h"

static kin_bytes bytes_of(const char *text)
{
    return (kin_bytes){text, strlen(text)};
}

/* FNV-1a: names are short, and were chosen by who wrote the program. */
static uint32_t hash_bytes(uint32_t hash, kin_bytes bytes)
{
    const unsigned char *data = bytes.data;
    for (size_t i = 0; i < bytes.size; i++) {
        hash = (hash ^ data[i]) * UINT32_C(16777619);
    }
    return hash;
}

static _Atomic(kin_class *) *list_of(kin_bytes module, kin_bytes name)
{
    uint32_t hash = hash_bytes(hash_bytes(UINT32_C(2166136261), module), name);
    return &kin__registry.lists[(hash ^ (hash >> 16)) % REGISTRY_LIST_COUNT];
}

static bool is_text(const char *text, kin_bytes bytes)
{
    return strncmp(text, bytes.data, bytes.size) == 0 && text[bytes.size] == '\0';
}

void kin_class_register(kin_class *class_)
{
    if (class_ == NULL || class_->module == NULL || class_->name == NULL) {
        return;
    }
    _Atomic(kin_class *) *list = list_of(bytes_of(class_->module), bytes_of(class_->name));
    kin_class *first = atomic_load(list);
    for (const kin_class *other = first; other != NULL; other = other->next) {
        if (other == class_) {
            return;
        }
    }
    do {
        class_->next = first;
    } while (!atomic_compare_exchange_weak(list, &first, class_));
}

const kin_class *kin__class_find(kin_bytes module, kin_bytes name)
{
    const kin_class *class_ = atomic_load(list_of(module, name));
    for (; class_ != NULL; class_ = class_->next) {
        if (is_text(class_->name, name) && is_text(class_->module, module)) {
            return class_;
        }
    }
    return kin__standard_find(module, name);
}

const kin_class *kin_class_find(const char *module, const char *name)
{
    return module == NULL || name == NULL ? NULL
                                          : kin__class_find(bytes_of(module), bytes_of(name));
}
