#include "process/method/package.h"

#include "base/allocate.h"
#include "base/arithmetic.h"
#include "family/call.h"
#include "object/pickle.h"
#include "os/memory.h"
#include "process/runtime.h"

#include <errno.h>
#include <kin/context.h>
#include <kin/error.h>
#include <string.h>

#define HANDLES_MAX 65534u /* and one for the record */

/* Behind the handles of the block, of which the first is the record's. Then the name of the
 * function, with its zero, and the input. Written by the starter, read by the child. */
struct package_shared {
    uint64_t size; /* of the input */
    uint32_t name_bytes;
    uint32_t argument_fd_count; /* fds that are in the arguments */
    uint32_t is_object;         /* the input is one, pickled */
    uint32_t reserved;
    uint32_t fd_count;       /* of all */
    uint32_t default_method; /* of the starter's contexts; 0: not set */
};

KIN_STATIC_ASSERT_SIZE(struct package_shared, 32);

/* What is put into a package. */
struct contents {
    const struct kin__process_plan *plan;
    const struct kin__encoding *encoding; /* of the arguments; NULL: bytes */
    const char *name;
};

static int copy_fds(const struct contents *contents, struct kin__package *package)
{
    const struct kin__process_plan *plan = contents->plan;
    uint32_t argument_count = contents->encoding == NULL ? 0 : contents->encoding->fd_count;
    uint32_t count = argument_count + plan->fd_count;
    if (count == 0) {
        return 0;
    }
    package->fds = kin__allocate_array(count, sizeof *package->fds);
    if (package->fds == NULL) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        package->fds[i] = i < argument_count ? contents->encoding->fds[i]
                                             : plan->fds[i - argument_count];
    }
    package->fd_count = count;
    return 0;
}

static int add_references(const struct contents *contents, const struct kin__record *record,
                          uint64_t place)
{
    kin_handle *handles = kin__at(place);
    uint32_t count = contents->encoding == NULL ? 0 : contents->encoding->handle_count;
    int r = kin__reference_add(&handles[0], record->object.handle);
    for (uint32_t i = 0; r == 0 && i < count; i++) {
        r = kin__reference_add(&handles[1 + i], contents->encoding->handles[i]);
    }
    return r;
}

static void write_contents(const struct contents *contents, struct package_shared *shared)
{
    const struct kin__process_plan *plan = contents->plan;
    const struct kin__encoding *encoding = contents->encoding;
    size_t name_bytes = strlen(contents->name) + 1;
    unsigned char *at = (unsigned char *)(shared + 1);
    *shared = (struct package_shared){.size = encoding == NULL ? plan->size : encoding->size,
                                      .name_bytes = (uint32_t)name_bytes,
                                      .argument_fd_count = encoding == NULL ? 0
                                                                            : encoding->fd_count,
                                      .is_object = encoding != NULL,
                                      .default_method = atomic_load(&kin__children.default_method)};
    shared->fd_count = shared->argument_fd_count + plan->fd_count;
    memcpy(at, contents->name, name_bytes);
    if (encoding != NULL) {
        kin__encoding_copy(encoding, at + name_bytes);
    } else if (plan->size > 0) {
        memcpy(at + name_bytes, plan->data, plan->size);
    }
}

static int pack(const struct contents *contents, const struct kin__record *record,
                struct kin__package *package)
{
    const struct kin__encoding *encoding = contents->encoding;
    uint32_t handle_count = 1 + (encoding == NULL ? 0 : encoding->handle_count);
    uint64_t bytes = handle_count * sizeof(kin_handle) + sizeof(struct package_shared) +
                     strlen(contents->name) + 1;
    if (handle_count - 1 > HANDLES_MAX) {
        return KIN_ELIMIT;
    }
    if (!kin__u64_add(bytes, encoding == NULL ? contents->plan->size : encoding->size, &bytes)) {
        return -ENOMEM;
    }
    int r = copy_fds(contents, package);
    if (r == 0) {
        r = kin__block_create(bytes, handle_count, KIN__BLOCK_BYTES, &package->place);
    }
    if (r == 0) {
        r = add_references(contents, record, package->place);
    }
    if (r == 0) {
        write_contents(contents, kin__at(package->place + handle_count * sizeof(kin_handle)));
    }
    return r;
}

int kin__package_create(const struct kin__process_plan *plan, const struct kin__record *record,
                        struct kin__package *ret_package)
{
    static const struct kin__encode_options options = {.takes_handles = true, .takes_fds = true};
    struct kin__encoding encoding;
    struct kin__package package = {0};
    struct contents contents = {.plan = plan, .name = kin__function_name(plan->function)};
    int r = contents.name == NULL ? KIN_EFUNCTION : 0;
    if (r == 0 && plan->arguments != NULL) {
        r = kin__pickle_encode(plan->arguments, &options, &encoding);
        contents.encoding = r == 0 ? &encoding : NULL;
    }
    if (r == 0) {
        r = pack(&contents, record, &package);
    }
    if (contents.encoding != NULL) {
        kin__encoding_deinit(&encoding);
    }
    if (r < 0) {
        kin__package_deinit(&package);
    } else {
        *ret_package = package;
    }
    return r;
}

void kin__package_give(struct kin__package *package, const struct kin__record *record,
                       uint32_t owner)
{
    struct process_shared *shared = kin__record_shared(record);
    atomic_store(&shared->package, package->place);
    kin__block_give(package->place, kin__block_of_member(kin__family.owner),
                    kin__block_of_member(owner));
    package->place = 0;
}

void kin__package_deinit(struct kin__package *package)
{
    if (package->place != 0) {
        kin__block_free(package->place, kin__block_of_member(kin__family.owner));
    }
    kin__release(package->fds);
    *package = (struct kin__package){0};
}

/* --- in the child --- */

/* A package that is being unpacked. */
struct unpacking {
    const struct package_shared *shared;
    struct package_shared copy; /* of it, which does not change any more */
    const int *fds;
    uint32_t fd_count;
};

/* Finds where everything of the package lies; whoever could write it might be another program. */
static int find_contents(uint64_t place, struct unpacking *unpacking)
{
    uint64_t capacity = kin__block_capacity(place);
    if (capacity == 0 || kin__block_owner(place) != kin__block_of_member(kin__family.owner)) {
        return -ESTALE;
    }
    const struct package_shared *shared = NULL;
    uint64_t front = (uint64_t)kin__block_header_at(place)->handle_count * sizeof(kin_handle);
    if (front < sizeof(kin_handle) || front + sizeof *shared > capacity) {
        return -EBADMSG;
    }
    shared = kin__at(place + front);
    unpacking->shared = shared;
    unpacking->copy = *shared;
    uint64_t left = capacity - front - sizeof *shared;
    uint64_t name_bytes = unpacking->copy.name_bytes;
    const char *name = (const char *)(shared + 1);
    bool is_right = name_bytes > 0 && name_bytes <= left &&
                    unpacking->copy.size <= left - name_bytes && name[name_bytes - 1] == '\0' &&
                    unpacking->copy.argument_fd_count <= unpacking->copy.fd_count;
    return is_right ? 0 : -EBADMSG;
}

/* Without limits: they are for what a stranger has sent. */
static int decode(kin_bytes bytes, const int *fds, uint32_t fd_count, kin_object **ret_object)
{
    const kin_pickle_decode_options options = {.size = sizeof options,
                                               .limits = {.size = sizeof options.limits,
                                                          .input_bytes_max = UINT64_MAX,
                                                          .memory_bytes_max = UINT64_MAX,
                                                          .object_count_max = UINT64_MAX,
                                                          .opcode_count_max = UINT64_MAX,
                                                          .memo_count_max = UINT32_MAX,
                                                          .integer_bits_max = UINT32_MAX,
                                                          .time_ms_max = UINT32_MAX}};
    struct kin__decode_input input = {
        .options = &options, .takes_handles = true, .fds = fds, .fd_count = fd_count};
    return kin__pickle_decode(bytes, &input, ret_object, NULL, NULL);
}

static int copy_passed_fds(const struct unpacking *unpacking, struct kin__process_plan *plan)
{
    uint32_t first = unpacking->copy.argument_fd_count;
    plan->fd_count = unpacking->fd_count - first;
    if (plan->fd_count > 0) {
        plan->fds = kin__allocate_array(plan->fd_count, sizeof *plan->fds);
        if (plan->fds == NULL) {
            return -ENOMEM;
        }
        memcpy(plan->fds, unpacking->fds + first, plan->fd_count * sizeof *plan->fds);
    }
    return 0;
}

static int unpack(const struct unpacking *unpacking, struct kin__process_plan *plan,
                  const char **ret_name)
{
    const struct package_shared *copy = &unpacking->copy;
    char *name = (char *)(unpacking->shared + 1);
    kin_bytes input = {.data = name + copy->name_bytes, .size = copy->size};
    *ret_name = name;
    if (copy->default_method == 0 || kin_context_get(copy->default_method) != NULL) {
        atomic_store(&kin__children.default_method, copy->default_method);
    }
    *plan = (struct kin__process_plan){.function = kin__function_find(name)};
    int r = plan->function == NULL ? KIN_EFUNCTION : copy_passed_fds(unpacking, plan);
    if (r == 0 && copy->is_object) {
        r = decode(input, unpacking->fds, copy->argument_fd_count, &plan->arguments);
        for (uint32_t i = 0; i < copy->argument_fd_count; i++) {
            kin__os_close(unpacking->fds[i]); /* the object has its own */
        }
        return r;
    }
    plan->data = name + copy->name_bytes;
    plan->size = input.size;
    return r;
}

static int find_package(struct unpacking *unpacking, uint64_t *ret_place)
{
    struct process_shared *record = NULL; /* which the package alone has open for this process */
    int r = kin__record_find_own(&record);
    if (r == 0) {
        *ret_place = atomic_load(&record->package);
        r = find_contents(*ret_place, unpacking);
    }
    return r;
}

int kin__package_count_fds(uint32_t *ret_count)
{
    struct unpacking unpacking = {0};
    uint64_t place = 0;
    int r = find_package(&unpacking, &place);
    if (r == 0) {
        *ret_count = unpacking.copy.fd_count;
    }
    return r;
}

int kin__package_open(const int *fds, uint32_t fd_count, struct kin__record **ret_record,
                      struct kin__process_plan *ret_plan, const char **ret_name)
{
    struct unpacking unpacking = {.fds = fds, .fd_count = fd_count};
    uint64_t place = 0;
    int r = find_package(&unpacking, &place);
    if (r == 0 && unpacking.copy.fd_count != fd_count) {
        r = -EBADMSG;
    }
    if (r == 0) {
        const kin_handle *handles = kin__at(place);
        r = kin__record_attach(handles[0], ret_record);
    }
    return r < 0 ? r : unpack(&unpacking, ret_plan, ret_name);
}
