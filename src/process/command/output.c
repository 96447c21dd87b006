/*
 * What a program has written: in a block of memory while it is little, then in pages of its own.
 *
 * Those are not copied when they grow, and are large where the system has such: of a GiB that comes
 * through a pipe, touching small pages for the first time takes as long as moving the bytes.
 */
#include "process/command/output.h"

#include "base/allocate.h"
#include "base/arithmetic.h"
#include "os/memory.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define BLOCK_BYTES_MAX (512 * 1024)

static int grow_block(struct kin__command_output *output, size_t needed)
{
    size_t capacity = output->capacity * 2 < needed ? needed : output->capacity * 2;
    unsigned char *data = kin__reallocate(output->data, capacity);
    if (data == NULL) {
        return -ENOMEM;
    }
    output->data = data;
    output->capacity = capacity;
    return 0;
}

/* Twice as many, so that it is not done often; or as many as are needed, if there are no more. */
static int grow_pages(struct kin__command_output *output, void **pages, uint64_t *bytes,
                      size_t needed)
{
    size_t twice = 0;
    int r = kin__size_multiply(output->capacity, 2, &twice) && twice > needed
                ? kin__os_pages_grow(pages, bytes, twice)
                : -ENOMEM;
    return r == 0 ? 0 : kin__os_pages_grow(pages, bytes, needed);
}

static int grow_mapped(struct kin__command_output *output, size_t needed)
{
    void *pages = output->is_mapped ? output->data : NULL;
    uint64_t bytes = output->is_mapped ? output->capacity : 0;
    int r = grow_pages(output, &pages, &bytes, needed);
    if (r < 0) {
        return r;
    }
    if (!output->is_mapped && output->size > 0) {
        memcpy(pages, output->data, output->size);
    }
    if (!output->is_mapped) {
        kin__release(output->data);
    }
    output->data = pages;
    output->capacity = (size_t)bytes;
    output->is_mapped = true;
    return 0;
}

int kin__command_output_reserve(struct kin__command_output *output, size_t bytes)
{
    size_t needed = 0;
    if (!kin__size_add(output->size, bytes, &needed)) {
        return -ENOMEM;
    }
    if (needed <= output->capacity) {
        return 0;
    }
    bool is_block = !output->is_mapped && needed <= BLOCK_BYTES_MAX;
    return is_block ? grow_block(output, needed) : grow_mapped(output, needed);
}

void kin__command_output_deinit(struct kin__command_output *output)
{
    if (output->is_mapped) {
        kin__os_memory_unmap(output->data, output->capacity);
    } else {
        kin__release(output->data);
    }
    *output = (struct kin__command_output){0};
}
