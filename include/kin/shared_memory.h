/**
 * Blocks of bytes that the processes of a family share, passed on by handle or found by name.
 */
#ifndef KIN_SHARED_MEMORY_H
#define KIN_SHARED_MEMORY_H

#include <kin/export.h>
#include <kin/family.h>
#include <kin/object.h>

KIN_BEGIN

/** A name has less than so many bytes. */
#define KIN_SHARED_MEMORY_NAME_BYTES 128

/**
 * A block of bytes in the family's memory.
 *
 * Peer death: a block lives as long as somebody has it open or a handle to it is stored (in a
 * kin_value, a message). When the last one is gone, however it went, the block is freed and its
 * name can be given again. What a dead process wrote stays as it left it: guard it with a lock
 * if it takes several steps to write.
 */
typedef struct kin_shared_memory kin_shared_memory;

/** What kin_shared_memory_create can be told. */
typedef struct kin_shared_memory_options {
    size_t size;     /**< of this struct */
    kin_scope scope; /**< whether only the threads of this process use it; then without a name */
} kin_shared_memory_options;

/**
 * Makes a block of `bytes` bytes, all zero. `name` is how others of the family find it; NULL: by
 * its handle only. Names belong to the family alone, nothing appears in the system. `options` may
 * be NULL. Free it with kin_shared_memory_free.
 *
 * Returns 0, or
 *   -EEXIST        there is a block of this name
 *   -EINVAL        no bytes, an empty name, an option out of its range, or a name for one process
 *   -ENAMETOOLONG  of KIN_SHARED_MEMORY_NAME_BYTES or more
 *   -ENOMEM        more than the family's memory can hold, see kin_family_options
 */
KIN_API int kin_shared_memory_create(const char *name, uint64_t bytes,
                                     const kin_shared_memory_options *options,
                                     kin_shared_memory **ret_memory);

/**
 * Opens the block of that name. Free it with kin_shared_memory_free.
 *
 * Returns 0, or -ENOENT: there is none; -EINVAL: NULL.
 */
KIN_API int kin_shared_memory_open(const char *name, kin_shared_memory **ret_memory);

/**
 * Opens the block that `handle` names, in this process. Free it with kin_shared_memory_free.
 *
 * Returns 0, or -ESTALE: the block is gone; -EINVAL: the handle names something else; -EACCES: it
 * is another process's own.
 */
KIN_API int kin_shared_memory_attach(kin_handle handle, kin_shared_memory **ret_memory);

/**
 * Lets go of the block; NULL is fine. Pointers into it are invalid then. The last process to let
 * go frees it. Returns NULL.
 */
KIN_API kin_shared_memory *kin_shared_memory_free(kin_shared_memory *memory);

/** The block's handle, for other processes. */
KIN_API kin_handle kin_shared_memory_handle(const kin_shared_memory *memory);

/** The block's name; NULL: it has none. Valid until kin_shared_memory_free. */
KIN_API const char *kin_shared_memory_name(const kin_shared_memory *memory);

/**
 * Where the block is in this process's memory, aligned to 4096 bytes. Other processes may have it
 * elsewhere: store offsets in it, not pointers. Valid until kin_shared_memory_free.
 */
KIN_API void *kin_shared_memory_data(const kin_shared_memory *memory);

/** How many bytes it has: exactly what it was made with. */
KIN_API uint64_t kin_shared_memory_bytes(const kin_shared_memory *memory);

/**
 * A bytearray whose bytes are the block: kin_bytearray_data leads into the family's memory. Put
 * into a queue, a task or a pipe of the family, only its handle travels, and who gets it has a
 * bytearray of the same bytes; in any other pickle it is one like others, a copy. Keeps the block
 * alive. It cannot be resized.
 *
 * Returns 0, -EINVAL: NULL; -ENOMEM.
 */
KIN_API int kin_object_from_shared_memory(const kin_shared_memory *memory, kin_object **ret_object);

KIN_END

#endif
