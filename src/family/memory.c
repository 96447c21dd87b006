#include "family/memory.h"

#include "base/arithmetic.h"
#include "family/directory.h"
#include "family/heap/chunk.h"
#include "family/member.h"
#include "family/runtime.h"
#include "os/memory.h"
#include "os/symbol.h"

#include <errno.h>

#define COMMIT_BYTES ((uint64_t)64 << 10)
#define HEADER_BYTES ((uint64_t)4 << 10) /* of the header: a page */

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
    return (value + alignment - 1) & ~(alignment - 1);
}

static uint64_t lay_region(struct kin__region *region, uint64_t offset, uint64_t capacity,
                           uint32_t element_bytes)
{
    region->offset = offset;
    region->capacity = (uint32_t)capacity;
    region->element_bytes = element_bytes;
    return align_up(offset + capacity * element_bytes, KIN__CHUNK_BYTES);
}

static uint64_t between(uint64_t low, uint64_t value, uint64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static const char build_place = 0; /* stands for this build of kin */

/* Fills in what is constant. The capacities follow the size: at 64 GiB 65535 members and a
 * million objects, which cost nothing until they are used. */
static void lay_out(struct kin__family_shared *shared, uint64_t bytes)
{
    shared->magic = KIN__MEMORY_MAGIC;
    shared->layout = KIN__MEMORY_LAYOUT;
    shared->family = (uint32_t)kin__os_random() | 1u;
    shared->bytes = bytes;
    shared->build = kin__os_build_of(&build_place);
    /* The first members lie beside the header: a child finds both at one look of the kernel's. */
    uint64_t offset = HEADER_BYTES;
    offset = lay_region(&shared->members, offset, between(1024, bytes >> 20, 65535),
                        sizeof(struct kin__member));
    offset = lay_region(&shared->directory, offset, between(8192, bytes >> 16, 1 << 20),
                        sizeof(struct kin__entry));
    offset = lay_region(&shared->chunks, offset, bytes / KIN__CHUNK_BYTES,
                        sizeof(struct kin__chunk));
    shared->heap_offset = offset;
    shared->chunks.capacity = (uint32_t)((bytes - offset) / KIN__CHUNK_BYTES);
}

static int create_sized(uint64_t bytes, int *ret_fd, struct kin__memory *ret_memory)
{
    int fd = -1;
    void *base = NULL;
    int r = kin__os_memory_create("kin", bytes, &fd);
    if (r < 0) {
        return r;
    }
    r = kin__os_memory_commit(fd, 0, KIN__CHUNK_BYTES);
    if (r == 0) {
        r = kin__os_memory_map(fd, bytes, &base);
    }
    if (r < 0) {
        kin__os_close(fd);
        return r;
    }
    *ret_fd = fd;
    *ret_memory = (struct kin__memory){.base = base, .bytes = bytes};
    lay_out(base, bytes);
    return 0;
}

int kin__memory_create(uint64_t bytes_max, int *ret_fd, struct kin__memory *ret_memory)
{
    uint64_t limit = kin__os_memory_bytes_max();
    uint64_t bytes = (bytes_max < limit ? bytes_max : limit) & ~(KIN__CHUNK_BYTES - 1);
    int r = -ENOMEM;
    /* What the limits allow may still not be there in one piece: try smaller ones. */
    for (; bytes >= KIN__MEMORY_BYTES_MIN; bytes = (bytes / 2) & ~(KIN__CHUNK_BYTES - 1)) {
        r = create_sized(bytes, ret_fd, ret_memory);
        if (r != -ENOMEM) {
            return r;
        }
    }
    return r;
}

static bool is_region_alike(const struct kin__region *region, const struct kin__region *fresh)
{
    return region->offset == fresh->offset && region->capacity == fresh->capacity &&
           region->element_bytes == fresh->element_bytes &&
           atomic_load(&region->used) <= fresh->capacity;
}

/* Nothing is trusted that is not what the first process of a family has written. */
static bool is_laid_out(const struct kin__family_shared *shared, uint64_t bytes)
{
    struct kin__family_shared fresh = {0};
    if (shared->magic != KIN__MEMORY_MAGIC || shared->layout != KIN__MEMORY_LAYOUT ||
        shared->bytes != bytes || shared->family == 0) {
        return false;
    }
    lay_out(&fresh, bytes);
    return is_region_alike(&shared->members, &fresh.members) &&
           is_region_alike(&shared->directory, &fresh.directory) &&
           is_region_alike(&shared->chunks, &fresh.chunks) &&
           shared->heap_offset == fresh.heap_offset && shared->build == fresh.build;
}

int kin__memory_attach(int fd, struct kin__memory *ret_memory)
{
    uint64_t bytes = 0;
    void *base = NULL;
    int r = kin__os_memory_check(fd, &bytes);
    if (r == 0 && (bytes < KIN__MEMORY_BYTES_MIN || bytes % KIN__CHUNK_BYTES != 0)) {
        r = -EBADMSG;
    }
    if (r == 0) {
        r = kin__os_memory_map(fd, bytes, &base);
    }
    if (r == 0 && !is_laid_out(base, bytes)) {
        kin__os_memory_unmap(base, bytes);
        r = -EBADMSG;
    }
    if (r == 0) {
        *ret_memory = (struct kin__memory){.base = base, .bytes = bytes};
    }
    return r;
}

int kin__region_commit(struct kin__region *region, uint32_t count)
{
    uint64_t wanted = align_up((uint64_t)count * region->element_bytes, COMMIT_BYTES);
    uint64_t committed = atomic_load(&region->committed);
    if (wanted <= committed) {
        return 0;
    }
    int r = kin__os_memory_commit(kin__family.fd, region->offset + committed, wanted - committed);
    while (r == 0 && committed < wanted &&
           !atomic_compare_exchange_weak(&region->committed, &committed, wanted)) {
    }
    return r;
}
