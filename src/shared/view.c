/* Shared memory as a bytearray. */
#include "base/allocate.h"
#include "base/list.h"
#include "object/runtime.h"
#include "object/text.h"

#include <kin/shared_memory.h>

/* What a bytearray holds on to. */
struct view {
    struct kin__backing backing;
    kin_shared_memory *memory;
};

static void release(struct kin__backing *backing)
{
    struct view *view = KIN_CONTAINER_OF(backing, struct view, backing);
    kin_shared_memory_free(view->memory);
    kin__release(view);
}

static int create(kin_handle handle, kin_object **ret_object)
{
    struct view *view = kin__allocate_zeroed(sizeof *view);
    if (view == NULL) {
        return -ENOMEM;
    }
    int r = kin_shared_memory_attach(handle, &view->memory);
    if (r < 0) {
        kin__release(view);
        return r;
    }
    view->backing = (struct kin__backing){.release = release, .handle = handle};
    kin_object *object = kin__bytes_create_view(
        KIN_KIND_BYTEARRAY, kin_shared_memory_data(view->memory),
        kin_shared_memory_bytes(view->memory), &view->backing);
    if (object == NULL) {
        return -ENOMEM;
    }
    *ret_object = object;
    return 0;
}

int kin_object_from_shared_memory(const kin_shared_memory *memory, kin_object **ret_object)
{
    return memory == NULL || ret_object == NULL
               ? -EINVAL
               : create(kin_shared_memory_handle(memory), ret_object);
}

__attribute__((constructor)) static void offer(void)
{
    kin__view_hook = create;
}
