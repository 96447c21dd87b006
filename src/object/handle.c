#include "object/handle.h"

#include <kin/error.h>
#include <kin/handle.h>

#include "object/runtime.h"
#include "os/memory.h"
#include "os/socket.h"

int kin__handle_create(struct kin__arena *arena, kin_handle handle, kin_object **ret_object)
{
    void *held = NULL;
    int r = kin__handle_hooks.hold == NULL ? KIN_EFAMILY : kin__handle_hooks.hold(handle, &held);
    if (r < 0) {
        return r;
    }
    struct object_handle *object = kin__object_allocate(arena, KIN_KIND_HANDLE, sizeof *object);
    if (object == NULL) {
        kin__handle_let_go(held);
        return -ENOMEM;
    }
    object->handle = handle;
    object->held = held;
    *ret_object = &object->object;
    return 0;
}

int kin__fd_create(struct kin__arena *arena, int fd, kin_object **ret_object)
{
    int own = -1;
    int r = kin__os_fd_copy(fd, &own);
    if (r < 0) {
        return r;
    }
    struct object_fd *object = kin__object_allocate(arena, KIN_KIND_FD, sizeof *object);
    if (object == NULL) {
        kin__os_close(own);
        return -ENOMEM;
    }
    object->fd = own;
    *ret_object = &object->object;
    return 0;
}

int kin_object_from_handle(kin_handle handle, kin_object **ret_object)
{
    return ret_object == NULL ? -EINVAL : kin__handle_create(NULL, handle, ret_object);
}

int kin_object_to_handle(const kin_object *object, kin_handle *ret_handle)
{
    if (object == NULL) {
        return -ENOMEM;
    }
    if (ret_handle == NULL || kin__kind(object) != KIN_KIND_HANDLE) {
        return -EINVAL;
    }
    *ret_handle = ((const struct object_handle *)object)->handle;
    return 0;
}

int kin_object_from_fd(int fd, kin_object **ret_object)
{
    return ret_object == NULL ? -EINVAL : kin__fd_create(NULL, fd, ret_object);
}

int kin_object_fd(const kin_object *object)
{
    if (object == NULL) {
        return -ENOMEM;
    }
    return kin__kind(object) == KIN_KIND_FD ? ((const struct object_fd *)object)->fd : -EINVAL;
}
