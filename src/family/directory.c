#include "family/directory.h"

#include "family/keeper.h"

#include "family/lock.h"
#include "family/member.h"

#include <errno.h>
#include <string.h>

static uint64_t object_owner(uint32_t index, const struct kin__entry *entry)
{
    return kin__block_of_object(index, entry->counter);
}

/* --- the lock, and putting right what its holder left when it died --- */

struct recount {
    kin_handle handle;
    uint64_t references;
};

static bool is_same(const kin_handle *a, const kin_handle *b)
{
    return a->index == b->index && a->counter == b->counter && a->family == b->family;
}

static void count_in_block(void *user, const struct kin__block_header *header, uint64_t offset,
                           uint64_t bytes)
{
    struct recount *recount = user;
    const kin_handle *handles = kin__at(offset);
    uint64_t count = header->handle_count;
    if (atomic_load(&header->owner) == 0 || count * sizeof *handles > bytes) {
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        recount->references += is_same(&handles[i], &recount->handle);
    }
}

static kin_handle handle_of(uint32_t index, const struct kin__entry *entry)
{
    return (kin_handle){.index = index, .family = kin__shared()->family, .counter = entry->counter};
}

/* The counter is what makes a handle valid: it is written last and cleared first. */
static void write_handle(kin_handle *place, kin_handle handle)
{
    place->counter = 0;
    atomic_signal_fence(memory_order_seq_cst);
    place->index = handle.index;
    place->family = handle.family;
    atomic_signal_fence(memory_order_seq_cst);
    place->counter = handle.counter;
}

/* Puts right an entry that a dead holder of the lock was at. */
static void rebuild_entry(uint32_t index)
{
    struct kin__entry *entry = index == 0 ? NULL : kin__entry_at(index);
    if (entry == NULL || atomic_load(&entry->state) != KIN__ENTRY_LIVE) {
        return;
    }
    struct recount recount = {.handle = handle_of(index, entry)};
    kin__heap_each(&kin__family.memory, count_in_block, &recount);
    entry->references = recount.references;
    uint64_t owner = kin__block_owner(entry->block);
    if (kin__block_is_of_member(owner)) { /* it died between LIVE and giving the block */
        kin__block_give(entry->block, owner, object_owner(index, entry));
    }
    if (entry->references == 0) { /* it died before it could say so */
        atomic_store(&entry->freer, kin__family.owner);
        atomic_store(&entry->state, KIN__ENTRY_DYING);
    }
}

static void rebuild(struct kin__family_shared *shared)
{
    if (shared->directory_place != 0) {
        write_handle(kin__at(shared->directory_place), shared->directory_handle);
    }
    rebuild_entry(shared->directory_current);
    rebuild_entry(shared->directory_former);
    shared->directory_place = 0;
    atomic_signal_fence(memory_order_seq_cst);
    shared->directory_former = 0;
    shared->directory_current = 0;
    shared->directory_search = 1; /* it may have freed an entry and not said so */
}

static void finish_free(uint32_t index);

/* Whether a rebuild by this process has found that nobody refers to the object any more. */
static bool is_to_free(uint32_t index)
{
    const struct kin__entry *entry = index == 0 ? NULL : kin__entry_at(index);
    return entry != NULL && atomic_load(&entry->state) == KIN__ENTRY_DYING &&
           atomic_load(&entry->freer) == kin__family.owner;
}

static struct kin__thread *lock_directory(void)
{
    struct kin__thread *self = kin__self();
    struct kin__family_shared *shared = kin__shared();
    while (kin__lock_acquire(&shared->directory_lock, self) == KIN_OWNER_DIED) {
        uint32_t current = shared->directory_current;
        uint32_t former = shared->directory_former;
        rebuild(shared);
        current = is_to_free(current) ? current : 0;
        former = is_to_free(former) ? former : 0;
        if (current == 0 && former == 0) {
            break;
        }
        kin__lock_release(&shared->directory_lock, self);
        if (current != 0) {
            finish_free(current);
        }
        if (former != 0) {
            finish_free(former);
        }
    }
    return self;
}

static void unlock_directory(struct kin__thread *self)
{
    kin__shared()->directory_current = 0;
    kin__lock_release(&kin__shared()->directory_lock, self);
}

/* --- handles in blocks --- */

struct kin__entry *kin__directory_find(kin_handle handle)
{
    struct kin__entry *entry = handle.index == 0 ? NULL : kin__entry_at(handle.index);
    if (entry == NULL || handle.family != kin__shared()->family ||
        atomic_load(&entry->state) != KIN__ENTRY_LIVE || entry->counter != handle.counter) {
        return NULL;
    }
    return entry;
}

int kin__reference_add(kin_handle *reference, kin_handle handle)
{
    struct kin__thread *self = lock_directory();
    struct kin__entry *entry = kin__directory_find(handle);
    if (entry != NULL) {
        kin__shared()->directory_current = handle.index;
        atomic_signal_fence(memory_order_seq_cst);
        write_handle(reference, handle);
        entry->references++;
    }
    unlock_directory(self);
    return entry == NULL ? -ESTALE : 0;
}

/* One reference less; true: it was the last, and this process is to free the object. Under the
 * lock. */
static bool drop_one(struct kin__entry *entry)
{
    if (--entry->references != 0) {
        return false;
    }
    atomic_store(&entry->freer, kin__family.owner);
    atomic_store(&entry->state, KIN__ENTRY_DYING);
    return true;
}

void kin__reference_drop(kin_handle *reference)
{
    if (reference->counter == 0) {
        return;
    }
    struct kin__thread *self = lock_directory();
    kin_handle handle = *reference;
    struct kin__entry *entry = kin__directory_find(handle);
    if (entry != NULL) {
        kin__shared()->directory_current = handle.index;
        atomic_signal_fence(memory_order_seq_cst);
    }
    write_handle(reference, (kin_handle){0});
    bool is_last = entry != NULL && drop_one(entry);
    unlock_directory(self);
    if (is_last) {
        finish_free(handle.index);
    }
}

/* From the moment that `directory_place` is written the new handle counts: who finds the lock's
 * holder dead goes on from there. Before it, nothing has changed. */
static bool replace(kin_handle *reference, kin_handle handle, struct kin__entry *entry)
{
    struct kin__family_shared *shared = kin__shared();
    struct kin__entry *former = kin__directory_find(*reference);
    shared->directory_current = handle.index;
    shared->directory_former = reference->index;
    shared->directory_handle = handle;
    atomic_signal_fence(memory_order_seq_cst);
    shared->directory_place = kin__offset_of(reference);
    atomic_signal_fence(memory_order_seq_cst);
    write_handle(reference, handle);
    if (entry != NULL) {
        entry->references++;
    }
    bool is_last = former != NULL && drop_one(former);
    atomic_signal_fence(memory_order_seq_cst);
    shared->directory_place = 0;
    atomic_signal_fence(memory_order_seq_cst);
    shared->directory_former = 0;
    return is_last;
}

int kin__reference_replace(kin_handle *reference, kin_handle handle)
{
    struct kin__thread *self = lock_directory();
    struct kin__entry *entry = kin__directory_find(handle);
    uint32_t former = reference->index;
    bool is_last = false;
    int r = entry == NULL && handle.counter != 0 ? -ESTALE : 0;
    if (r == 0 && !is_same(reference, &handle)) {
        is_last = replace(reference, entry == NULL ? (kin_handle){0} : handle, entry);
    }
    unlock_directory(self);
    if (is_last) {
        finish_free(former);
    }
    return r;
}

kin_handle kin__reference_read(const kin_handle *reference)
{
    struct kin__thread *self = lock_directory();
    kin_handle handle = *reference;
    unlock_directory(self);
    return handle;
}

/* --- creating and freeing --- */

/* Frees the object at a DYING entry of which this process is the freer. The block changes
 * hands before the entry forgets it, so it is freed once, whoever goes on after a kill. */
static void free_one(uint32_t index)
{
    struct kin__entry *entry = kin__entry_at(index);
    uint64_t block = entry->block;
    uint64_t owner = object_owner(index, entry);
    if (block != 0 && kin__block_owner(block) == owner) {
        const struct kin__type *type = entry->type < KIN__TYPE_COUNT ? kin__types[entry->type]
                                                                     : NULL;
        if (type != NULL && type->free != NULL) {
            type->free(index, kin__entry_object(entry));
        }
        kin__block_give(block, owner, kin__block_of_member(kin__family.owner));
        entry->block = 0;
        kin__block_free(block, kin__block_of_member(kin__family.owner));
    }
    struct kin__thread *self = lock_directory();
    struct kin__family_shared *shared = kin__shared();
    entry->block = 0;
    entry->type = 0;
    atomic_store(&entry->name, 0);
    /* DYING has a freer at every moment, or nobody would go on after a kill; FREE needs none. */
    atomic_store(&entry->state, KIN__ENTRY_FREE);
    atomic_store(&entry->freer, 0);
    shared->directory_search = index < shared->directory_search ? index : shared->directory_search;
    unlock_directory(self);
}

/* What an object names may be freed with it, and what that names: one after the other, so that long
 * chains do not need a long stack. All that wait are DYING and this process's to free, so a reaper
 * finds them. */
static void finish_free(uint32_t index)
{
    struct kin__thread *self = &kin__thread_current;
    if (self->is_freeing) {
        kin__entry_at(index)->free_next = self->to_free;
        self->to_free = index;
        return;
    }
    self->is_freeing = true;
    while (index != 0) {
        free_one(index);
        index = self->to_free;
        self->to_free = index == 0 ? 0 : kin__entry_at(index)->free_next;
    }
    self->is_freeing = false;
}

/* A free entry, or 0: the directory is full. Under the lock. */
static uint32_t find_free(struct kin__family_shared *shared)
{
    struct kin__region *directory = &shared->directory;
    uint32_t used = atomic_load(&directory->used);
    uint32_t index = shared->directory_search > 0 ? shared->directory_search : 1;
    while (index < used && atomic_load(&kin__entry_at(index)->state) != KIN__ENTRY_FREE) {
        index++;
    }
    if (index < used) {
        return index;
    }
    return index < directory->capacity && (uint64_t)(index + 1) * directory->element_bytes <=
                                              atomic_load(&directory->committed)
               ? index
               : 0;
}

/* Gives the directory pages for one entry more than it uses: not under the lock. */
static int make_room(void)
{
    struct kin__region *directory = &kin__shared()->directory;
    uint32_t used = atomic_load(&directory->used);
    uint32_t wanted = used + 64 < directory->capacity ? used + 64 : directory->capacity;
    return kin__region_commit(directory, wanted);
}

int kin__directory_enter(const struct kin__entry_plan *plan, kin_handle *reference,
                         kin_handle *ret_handle)
{
    int r = make_room();
    if (r < 0) {
        return r;
    }
    struct kin__thread *self = lock_directory();
    struct kin__family_shared *shared = kin__shared();
    uint32_t index = find_free(shared);
    if (index != 0) {
        kin__region_use(&shared->directory, index + 1);
        struct kin__entry *entry = kin__entry_at(index);
        shared->directory_current = index;
        shared->directory_search = index + 1;
        entry->type = plan->type;
        entry->handle_count = plan->handle_count;
        entry->process = plan->process;
        entry->counter = ++shared->directory_counter;
        entry->block = plan->block;
        entry->references = 1;
        *ret_handle = handle_of(index, entry);
        write_handle(reference, *ret_handle);
        atomic_store(&entry->state, KIN__ENTRY_LIVE);
        kin__block_give(plan->block, kin__block_of_member(kin__family.owner),
                        object_owner(index, entry));
    }
    unlock_directory(self);
    return index == 0 ? -ENOMEM : 0;
}

/* --- names --- */

static uint32_t hash_of(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *name != '\0'; name++) {
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    }
    return hash;
}

/* Whether the entry may be the one of that name: a first look, not under the lock. */
static bool may_have_name(const struct kin__entry *entry, uint32_t type, uint32_t hash)
{
    return atomic_load(&entry->state) == KIN__ENTRY_LIVE && entry->type == type &&
           atomic_load(&entry->name) != 0 && atomic_load(&entry->name_hash) == hash;
}

/* The directory is searched without the lock, since it can be long; what a match has in its block
 * is read under it. One that is named meanwhile may be missed. */
static int look_up(uint16_t type, const char *name, kin_handle *ret_handle)
{
    uint32_t hash = hash_of(name);
    uint32_t used = atomic_load(&kin__shared()->directory.used);
    for (uint32_t index = 1; index < used; index++) {
        const struct kin__entry *entry = kin__entry_at(index);
        if (!may_have_name(entry, type, hash)) {
            continue;
        }
        struct kin__thread *self = lock_directory();
        bool is_it = may_have_name(entry, type, hash) &&
                     strncmp(kin__at(entry->name), name, KIN__OBJECT_NAME_BYTES) == 0;
        *ret_handle = handle_of(index, entry);
        unlock_directory(self);
        if (is_it) {
            return 0;
        }
    }
    return -ENOENT;
}

/* What was found may be only the dead's. */
int kin__directory_look_up(uint16_t type, const char *name, kin_handle *ret_handle)
{
    int r = look_up(type, name, ret_handle);
    if (r == 0 && kin__keeper_look_if_unwatched()) {
        r = look_up(type, name, ret_handle);
    }
    return r;
}

/* Searches, then gives the name if no other name was given since the search began. */
int kin__directory_name(kin_handle handle, const char *name)
{
    struct kin__family_shared *shared = kin__shared();
    struct kin__entry *entry = kin__entry_at(handle.index);
    bool is_given = false;
    while (!is_given) {
        uint64_t names = atomic_load(&shared->directory_names);
        kin_handle other;
        if (kin__directory_look_up((uint16_t)entry->type, name, &other) == 0) {
            return -EEXIST;
        }
        struct kin__thread *self = lock_directory();
        is_given = atomic_load(&shared->directory_names) == names;
        if (is_given) {
            atomic_store(&shared->directory_names, names + 1);
            atomic_store(&entry->name_hash, hash_of(name));
            atomic_store(&entry->name, kin__offset_of(name));
        }
        unlock_directory(self);
    }
    return 0;
}

/* --- deaths --- */

void kin__directory_reap(uint32_t dead)
{
    /* If the dead held the lock, what it was at is put right before any block of it is freed. */
    unlock_directory(lock_directory());
    uint32_t used = atomic_load(&kin__shared()->directory.used);
    for (uint32_t index = 1; index < used; index++) {
        struct kin__entry *entry = kin__entry_at(index);
        uint32_t freer = dead;
        if (atomic_load(&entry->state) == KIN__ENTRY_DYING &&
            atomic_compare_exchange_strong(&entry->freer, &freer, kin__family.owner)) {
            finish_free(index);
        }
    }
}
