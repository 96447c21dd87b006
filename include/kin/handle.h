/**
 * What cannot be bytes, as objects: shared objects of the family by their handles, and file
 * descriptors. So a queue can be an argument, an item of a queue, or a part of either.
 *
 *     kin_object *task = kin_dict_create(), *answers_to;
 *     int r = kin_object_from_handle(kin_queue_handle(answers), &answers_to);
 *     ...
 *     kin_dict_set_text(task, "answers", answers_to);
 *     kin_queue_put(tasks, task, KIN_FOREVER);
 *
 * A handle goes where the family's memory goes: queues, pools, processes, and connections between
 * members; an fd over connections and to processes and pool tasks. Elsewhere encoding fails with
 * -EOPNOTSUPP.
 */
#ifndef KIN_HANDLE_H
#define KIN_HANDLE_H

#include <kin/object.h>

KIN_BEGIN

/**
 * An object that names a shared object of the family and keeps it alive, in this process and, put
 * into a queue or a task, on its way.
 *
 * Returns 0, -ESTALE: it is gone; -EACCES: it is another process's own; -ENOMEM; KIN_EFAMILY:
 * kin_init was not called.
 */
KIN_API int kin_object_from_handle(kin_handle handle, kin_object **ret_object);

/** The handle in it, to be opened with kin_queue_attach and its like. Returns 0, -EINVAL: none is;
 * -ENOMEM: `object` is NULL. */
KIN_API int kin_object_to_handle(const kin_object *object, kin_handle *ret_handle);

/** An object with a duplicate of `fd`, which is closed at its end. Returns 0, -EBADF, -EMFILE,
 * -ENOMEM. */
KIN_API int kin_object_from_fd(int fd, kin_object **ret_object);

/** The fd in it, close-on-exec; valid as long as the object, not to be closed. -EINVAL:
 * none is; -ENOMEM: `object` is NULL. */
KIN_API int kin_object_fd(const kin_object *object);

KIN_END

#endif
