#include "family/reference.h"

#include "base/allocate.h"
#include "family/keeper.h"

#define REFERENCES_A_BLOCK 256u

static int add_reference_block(uint64_t **blocks, uint32_t *count)
{
    uint64_t *grown = kin__reallocate(*blocks, (*count + 1) * sizeof *grown);
    if (grown == NULL) {
        return -ENOMEM;
    }
    *blocks = grown;
    int r = kin__block_create(REFERENCES_A_BLOCK * sizeof(kin_handle), REFERENCES_A_BLOCK,
                              KIN__BLOCK_REFERENCES, &grown[*count]);
    *count += r == 0;
    return r;
}

/* A zeroed handle of this process's reference blocks. Under the references' lock. */
static int find_reference(kin_handle **ret_reference)
{
    struct kin__references *references = &kin__references;
    uint32_t total = references->block_count * REFERENCES_A_BLOCK;
    for (uint32_t i = references->search; i < total; i++) {
        kin_handle *handles = kin__at(references->blocks[i / REFERENCES_A_BLOCK]);
        if (handles[i % REFERENCES_A_BLOCK].counter == 0) {
            references->search = i + 1;
            *ret_reference = &handles[i % REFERENCES_A_BLOCK];
            return 0;
        }
    }
    int r = 0;
    if (references->search == 0 || total == 0) {
        r = add_reference_block(&references->blocks, &references->block_count);
        references->search = r == 0 ? total : references->search;
    } else {
        references->search = 0; /* once around before growing */
    }
    return r < 0 ? r : find_reference(ret_reference);
}

static void open_object(struct kin__object *object, kin_handle handle, kin_handle *reference)
{
    const struct kin__entry *entry = kin__entry_at(handle.index);
    object->shared = kin__entry_object(entry);
    object->handle = handle;
    object->reference = reference;
    object->generation = kin__family.generation;
    object->type = (uint16_t)entry->type;
    object->is_process_only = entry->process != 0;
    kin__list_append(&kin__references.objects, &object->node);
}

/* Creates the shared part of an object in a block of this process. */
static int create_shared(struct kin__object *object, const struct kin__entry_plan *plan)
{
    kin_handle *reference = NULL;
    kin_handle handle = {0};
    mtx_lock(&kin__references.lock);
    int r = find_reference(&reference);
    if (r == 0) {
        r = kin__directory_enter(plan, reference, &handle);
    }
    if (r == 0) {
        open_object(object, handle, reference);
    }
    mtx_unlock(&kin__references.lock);
    return r;
}

int kin__object_create(const struct kin__object_plan *plan, void *ret_object)
{
    if (ret_object == NULL ||
        (plan->scope != KIN_SCOPE_FAMILY && plan->scope != KIN_SCOPE_PROCESS)) {
        return -EINVAL;
    }
    int r = kin__thread_register();
    if (r < 0) {
        return r;
    }
    if (!kin__types[plan->type]->can_wait) {
        kin__keeper_mind(); /* who dies with something of it is noticed also if nobody sleeps */
    }
    struct kin__object *object = kin__allocate_zeroed(plan->size);
    if (object == NULL) {
        return -ENOMEM;
    }
    struct kin__entry_plan entry = {.type = plan->type, .handle_count = plan->handle_count};
    entry.process = plan->scope == KIN_SCOPE_PROCESS ? kin__family.owner : 0;
    uint64_t place = kin__object_offset(0, plan->handle_count);
    r = kin__block_create_zeroed(place + plan->bytes + KIN__OBJECT_ALIGNMENT, plan->handle_count,
                                 KIN__BLOCK_OBJECT, &entry.block);
    if (r == 0) {
        r = create_shared(object, &entry);
        if (r < 0) {
            kin__block_free(entry.block, kin__block_of_member(kin__family.owner));
        }
    }
    if (r < 0) {
        kin__release(object);
        return r;
    }
    *(void **)ret_object = object;
    return 0;
}

/* What an entry says counts only if it is still there: 0, -EINVAL, -EACCES, or -ESTALE. */
static int check_entry(uint16_t type, kin_handle handle)
{
    const struct kin__entry *entry = kin__directory_find(handle);
    int r = entry == NULL ? -ESTALE : 0;
    if (entry != NULL && type != KIN__TYPE_ANY && entry->type != type) {
        r = -EINVAL;
    } else if (entry != NULL && entry->process != 0 && entry->process != kin__family.owner) {
        r = -EACCES;
    }
    return r < 0 && kin__directory_find(handle) == NULL ? -ESTALE : r;
}

/* Opens a live object. */
static int attach_shared(struct kin__object *object, uint16_t type, kin_handle handle)
{
    kin_handle *reference = NULL;
    int r = check_entry(type, handle);
    if (r < 0) {
        return r;
    }
    mtx_lock(&kin__references.lock);
    r = find_reference(&reference);
    if (r == 0) {
        r = kin__reference_add(reference, handle);
    }
    if (r == 0) {
        open_object(object, handle, reference);
    }
    mtx_unlock(&kin__references.lock);
    return r;
}

int kin__object_attach(uint16_t type, size_t size, kin_handle handle, void *ret_object)
{
    int r = ret_object == NULL ? -EINVAL : kin__thread_register();
    if (r < 0) {
        return r;
    }
    struct kin__object *object = kin__allocate_zeroed(size);
    if (object == NULL) {
        return -ENOMEM;
    }
    r = attach_shared(object, type, handle);
    if (r < 0) {
        kin__release(object);
        return r;
    }
    *(void **)ret_object = object;
    return 0;
}

int kin__object_hold(kin_handle handle, void **ret_held)
{
    return kin__object_attach(KIN__TYPE_ANY, sizeof(struct kin__object), handle, ret_held);
}

kin_handle *kin__object_handles(const struct kin__object *object)
{
    return kin__at(kin__entry_at(object->handle.index)->block);
}

void kin__object_free(void *opened)
{
    struct kin__object *object = opened;
    if (object == NULL) {
        return;
    }
    /* After kin_fini, or in a forked child that cannot become a member, nothing is referred to. */
    if (object->generation == kin__family.generation && kin__self() != NULL) {
        mtx_lock(&kin__references.lock);
        kin__list_remove(&object->node);
        mtx_unlock(&kin__references.lock);
        if (object->shared != NULL) {
            kin__reference_drop(object->reference);
        }
    }
    kin__release(object);
}

void kin__object_forget(void *opened)
{
    struct kin__object *object = opened;
    if (object != NULL) {
        kin__list_remove(&object->node);
        kin__release(object);
    }
}

int kin__references_copy(uint32_t owner)
{
    struct kin__references *references = &kin__references;
    uint32_t used = 0;
    int r = 0;
    KIN_LIST_EACH (&references->objects, node) {
        struct kin__object *object = KIN_CONTAINER_OF(node, struct kin__object, node);
        if (object->is_process_only) {
            object->child_reference = NULL;
            continue;
        }
        if (r == 0 && used == references->child_block_count * REFERENCES_A_BLOCK) {
            r = add_reference_block(&references->child_blocks, &references->child_block_count);
        }
        if (r < 0) {
            break;
        }
        kin_handle *handles = kin__at(references->child_blocks[used / REFERENCES_A_BLOCK]);
        object->child_reference = &handles[used % REFERENCES_A_BLOCK];
        if (kin__reference_add(object->child_reference, object->handle) == 0) {
            used++;
        } else {
            object->child_reference = NULL;
        }
    }
    for (uint32_t i = 0; r == 0 && i < references->child_block_count; i++) {
        kin__block_give(references->child_blocks[i], kin__block_of_member(kin__family.owner),
                        kin__block_of_member(owner));
    }
    if (r < 0) {
        kin__references_abandon(kin__family.owner, false);
    }
    return r;
}

uint64_t kin__references_given(void)
{
    return kin__references.child_block_count == 1 ? kin__references.child_blocks[0] : 0;
}

void kin__references_adopt(void)
{
    struct kin__references *references = &kin__references;
    KIN_LIST_EACH (&references->objects, node) {
        struct kin__object *object = KIN_CONTAINER_OF(node, struct kin__object, node);
        object->reference = object->child_reference;
        object->shared = object->reference == NULL ? NULL : object->shared;
    }
    uint64_t *former = references->blocks; /* to be filled again: freeing it copies a page or two */
    references->blocks = references->child_blocks;
    references->block_count = references->child_block_count;
    references->search = 0;
    references->child_blocks = former;
    references->child_block_count = 0;
}

void kin__references_abandon(uint32_t owner, bool has_child)
{
    struct kin__references *references = &kin__references;
    for (uint32_t i = 0; !has_child && i < references->child_block_count; i++) {
        kin__block_free(references->child_blocks[i], kin__block_of_member(owner));
    }
    references->child_block_count = 0;
}

void kin__references_free(void)
{
    struct kin__references *references = &kin__references;
    for (uint32_t i = 0; i < references->block_count; i++) {
        kin__block_free(references->blocks[i], kin__block_of_member(kin__family.owner));
    }
    kin__release(references->blocks);
    kin__release(references->child_blocks);
    references->blocks = NULL;
    references->child_blocks = NULL;
    references->block_count = 0;
    references->search = 0;
}

void kin__references_forget(void)
{
    struct kin__references *references = &kin__references;
    KIN_LIST_EACH (&references->objects, node) {
        KIN_CONTAINER_OF(node, struct kin__object, node)->shared = NULL;
    }
    kin__list_init(&references->objects);
}
