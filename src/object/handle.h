/**
 * Objects that stand for what belongs to the family or the kernel, also in a decoder's arena.
 */
#ifndef KIN_OBJECT_HANDLE_H
#define KIN_OBJECT_HANDLE_H

#include "object/object.h"
#include "object/region.h"

/* As kin_object_from_handle and kin_object_from_fd. */
int kin__handle_create(struct kin__arena *arena, kin_handle handle, kin_object **ret_object);
int kin__fd_create(struct kin__arena *arena, int fd, kin_object **ret_object);

#endif
