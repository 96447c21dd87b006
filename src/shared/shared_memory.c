/**
 * kin_shared_memory: an object that has a name and a second block, the bytes.
 *
 *     killed                                left                       healed by
 *     object made, no bytes yet             object of the dead         its reference goes
 *     bytes allocated                       block of the dead          heap reap
 *     bytes noted, not yet given            the same, and its place    heap reap; free finds that
 *                                                                      the block is not its own
 *     given, no name                        object of the dead         free frees both
 *     named, not returned                   a name that is taken       until the dead is reaped
 */
#include "base/arithmetic.h"
#include "family/reference.h"
#include "family/verify.h"
#include "shared/type.h"

#include <kin/shared_memory.h>
#include <string.h>

#define PAGE_BYTES 4096u

/* Above it blocks start at a page anyway. */
#define SMALL_BYTES (24u << 10)
#define LARGE_BYTES_MIN (33u << 10)

static_assert(KIN_SHARED_MEMORY_NAME_BYTES == KIN__OBJECT_NAME_BYTES, "one limit");

/* Peer death: all of it is constant once the maker has returned; one that is not ready has but the
 * reference of its maker, and goes with it. */
struct memory_shared {
    uint64_t bytes;
    uint64_t block;                    /* that they are in; the object's */
    char name[KIN__OBJECT_NAME_BYTES]; /* empty: none */
};

KIN_STATIC_ASSERT_SIZE(struct memory_shared, 144);

struct kin_shared_memory {
    struct kin__object object;
};

static void free_bytes(uint32_t index, void *at)
{
    const struct memory_shared *shared = at;
    kin__block_free(shared->block, kin__block_of_object(index, kin__entry_at(index)->counter));
}

static bool is_sound(const struct kin__memory *memory, const struct memory_shared *shared)
{
    return kin__memory_has(memory, shared->block, shared->bytes) &&
           memchr(shared->name, '\0', sizeof shared->name) != NULL;
}

static void verify(struct kin__verifier *verifier, uint32_t index, const void *at)
{
    const struct memory_shared *shared = at;
    uint64_t owner = shared->block == 0 ? 0 : kin__verify_block_owner(verifier, shared->block);
    if (shared->block != 0 && (owner >> 62 != 2 || (owner >> 32 & 0x3fffffff) != index)) {
        kin__verify_fail(verifier, "shared memory %u: its bytes are not its own", index);
    }
    if (!is_sound(&verifier->memory, shared)) {
        kin__verify_fail(verifier, "shared memory %u: no such size or name", index);
    }
}

static const struct kin__type memory_type = {
    .id = KIN__TYPE_SHARED_MEMORY, .name = "shared memory", .free = free_bytes, .verify = verify};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&memory_type);
}

/* --- making --- */

static unsigned char *data_in(uint64_t block)
{
    return kin__at(kin__u64_align_up(block, PAGE_BYTES));
}

/* A block that has `bytes` from the start of a page on. */
static int create_block(uint64_t bytes, uint64_t *ret_block)
{
    uint64_t wanted = bytes + PAGE_BYTES;
    if (bytes > SMALL_BYTES) { /* that many are a whole number of chunks */
        wanted = bytes < LARGE_BYTES_MIN ? LARGE_BYTES_MIN : bytes;
    }
    return kin__block_create_zeroed(wanted, 0, KIN__BLOCK_BYTES, ret_block);
}

static int add_bytes(kin_shared_memory *memory, uint64_t bytes)
{
    struct memory_shared *shared = memory->object.shared;
    uint64_t block = 0;
    int r = bytes > kin__family.memory.bytes ? -ENOMEM : create_block(bytes, &block);
    if (r < 0) {
        return r;
    }
    shared->bytes = bytes;
    shared->block = block;
    kin_handle handle = memory->object.handle;
    kin__block_give(block, kin__block_of_member(kin__family.owner),
                    kin__block_of_object(handle.index, handle.counter));
    return 0;
}

static int add_name(kin_shared_memory *memory, const char *name)
{
    struct memory_shared *shared = memory->object.shared;
    memcpy(shared->name, name, strlen(name));
    return kin__directory_name(memory->object.handle, shared->name);
}

static int check_name(const char *name)
{
    if (name[0] == '\0') {
        return -EINVAL;
    }
    return strlen(name) >= KIN__OBJECT_NAME_BYTES ? -ENAMETOOLONG : 0;
}

/* What is wrong with the arguments; also -EEXIST, before anything is made. */
static int check(const char *name, uint64_t bytes, kin_scope scope)
{
    kin_handle taken;
    int r = bytes == 0 || (name != NULL && scope != KIN_SCOPE_FAMILY) ? -EINVAL : 0;
    if (r < 0 || name == NULL) {
        return r;
    }
    r = check_name(name);
    if (r == 0) {
        r = kin__thread_register();
    }
    if (r == 0 && kin__directory_look_up(KIN__TYPE_SHARED_MEMORY, name, &taken) == 0) {
        r = -EEXIST;
    }
    return r;
}

int kin_shared_memory_create(const char *name, uint64_t bytes,
                             const kin_shared_memory_options *options,
                             kin_shared_memory **ret_memory)
{
    static const kin_shared_memory_options defaults = {.size = sizeof defaults};
    options = options == NULL ? &defaults : options;
    if (ret_memory == NULL || options->size != sizeof *options) {
        return -EINVAL;
    }
    int r = check(name, bytes, options->scope);
    if (r < 0) {
        return r;
    }
    struct kin__object_plan plan = {.type = KIN__TYPE_SHARED_MEMORY,
                                    .scope = options->scope,
                                    .size = sizeof(kin_shared_memory),
                                    .bytes = sizeof(struct memory_shared)};
    kin_shared_memory *memory = NULL;
    r = kin__object_create(&plan, &memory);
    if (r < 0) {
        return r;
    }
    r = add_bytes(memory, bytes);
    if (r == 0 && name != NULL) {
        r = add_name(memory, name);
    }
    if (r < 0) {
        kin_shared_memory_free(memory);
        return r;
    }
    *ret_memory = memory;
    return 0;
}

/* --- the rest --- */

int kin_shared_memory_attach(kin_handle handle, kin_shared_memory **ret_memory)
{
    kin_shared_memory *memory = NULL;
    int r = ret_memory == NULL
                ? -EINVAL
                : kin__object_attach(KIN__TYPE_SHARED_MEMORY, sizeof *memory, handle, &memory);
    if (r < 0) {
        return r;
    }
    if (!is_sound(&kin__family.memory, memory->object.shared)) {
        kin_shared_memory_free(memory);
        return -EBADMSG;
    }
    *ret_memory = memory;
    return 0;
}

int kin_shared_memory_open(const char *name, kin_shared_memory **ret_memory)
{
    if (name == NULL || ret_memory == NULL) {
        return -EINVAL;
    }
    int r = kin__thread_register();
    if (r == 0 && check_name(name) < 0) {
        r = -ENOENT;
    }
    while (r == 0) {
        kin_handle handle;
        r = kin__directory_look_up(KIN__TYPE_SHARED_MEMORY, name, &handle);
        if (r == 0) {
            r = kin_shared_memory_attach(handle, ret_memory);
            if (r != -ESTALE) {
                break;
            }
            r = 0; /* it went between the two: look whether there is another */
        }
    }
    return r;
}

kin_shared_memory *kin_shared_memory_free(kin_shared_memory *memory)
{
    kin__object_free(memory);
    return NULL;
}

kin_handle kin_shared_memory_handle(const kin_shared_memory *memory)
{
    return kin__object_handle(memory);
}

/* NULL: there is no block, or it is another process's. */
static const struct memory_shared *shared_of(const kin_shared_memory *memory)
{
    return memory == NULL ? NULL : memory->object.shared;
}

const char *kin_shared_memory_name(const kin_shared_memory *memory)
{
    const struct memory_shared *shared = shared_of(memory);
    return shared == NULL || shared->name[0] == '\0' ? NULL : shared->name;
}

void *kin_shared_memory_data(const kin_shared_memory *memory)
{
    const struct memory_shared *shared = shared_of(memory);
    return shared == NULL ? NULL : data_in(shared->block);
}

uint64_t kin_shared_memory_bytes(const kin_shared_memory *memory)
{
    const struct memory_shared *shared = shared_of(memory);
    return shared == NULL ? 0 : shared->bytes;
}
