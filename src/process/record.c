#include "process/record.h"

#include "family/sleep.h"
#include "family/verify.h"

#include <errno.h>

static uint64_t end_of(enum kin__end_kind kind, int code)
{
    return (uint64_t)kind << 32 | (uint32_t)code;
}

static enum kin__end_kind kind_of(uint64_t end)
{
    uint64_t kind = end >> 32;
    return kind == KIN__END_NOTED || kind == KIN__END_WAITED ? (enum kin__end_kind)kind
                                                             : KIN__END_NONE;
}

static void verify(struct kin__verifier *verifier, uint32_t index, const void *at)
{
    const struct process_shared *shared = at;
    uint64_t end = atomic_load(&shared->end);
    int code = (int)(uint32_t)end;
    bool is_known = end == 0 || (kind_of(end) != KIN__END_NONE && code <= 255 && code > -128 &&
                                 (code >= 0 || kind_of(end) == KIN__END_WAITED));
    if (!is_known) {
        kin__verify_fail(verifier, "process %u: no process ends like this: %llx", index,
                         (unsigned long long)end);
    }
}

static const struct kin__type process_type = {
    .id = KIN__TYPE_PROCESS, .name = "process", .can_wait = true, .verify = verify};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&process_type);
}

int kin__record_create(struct kin__record **ret_record)
{
    struct kin__object_plan plan = {.type = KIN__TYPE_PROCESS,
                                    .scope = KIN_SCOPE_FAMILY,
                                    .size = sizeof **ret_record,
                                    .bytes = sizeof(struct process_shared)};
    int r = kin__object_create(&plan, ret_record);
    if (r == 0) {
        kin__record_set_inherited(*ret_record, false);
    }
    return r;
}

int kin__record_attach(kin_handle handle, struct kin__record **ret_record)
{
    int r = kin__object_attach(KIN__TYPE_PROCESS, sizeof **ret_record, handle, ret_record);
    if (r == 0) {
        kin__record_set_inherited(*ret_record, false);
    }
    return r;
}

void kin__record_free(struct kin__record *record)
{
    kin__object_free(record);
}

void kin__record_forget(struct kin__record *record)
{
    kin__object_forget(record);
}

struct process_shared *kin__record_shared(const struct kin__record *record)
{
    bool is_open = record != NULL && record->object.generation == kin__family.generation;
    return is_open ? record->object.shared : NULL;
}

void kin__record_set_owner(struct kin__record *record, uint32_t owner)
{
    struct process_shared *shared = kin__record_shared(record);
    if (shared != NULL) {
        atomic_store(&shared->owner, owner);
        kin__member_of(owner)->record = kin__object_index(&record->object);
    }
}

/* The lock is held while those that a forked child inherits are listed. */
void kin__record_set_inherited(struct kin__record *record, bool is_inherited)
{
    mtx_lock(&kin__references.lock);
    record->object.is_process_only = !is_inherited;
    mtx_unlock(&kin__references.lock);
}

void kin__record_note(struct kin__record *record, enum kin__end_kind kind, int code)
{
    struct process_shared *shared = kin__record_shared(record);
    uint64_t end = shared == NULL ? 0 : atomic_load(&shared->end);
    bool is_written = false;
    while (shared != NULL && !is_written && kind_of(end) < kind) {
        is_written = atomic_compare_exchange_weak(&shared->end, &end, end_of(kind, code));
    }
    if (is_written) {
        kin__count_raise(&shared->ends, UINT32_MAX);
    }
}

int kin__record_find_own(struct process_shared **ret_shared)
{
    uint32_t index = kin__family.member->record;
    const struct kin__entry *entry = index == 0 ? NULL : kin__entry_at(index);
    if (entry == NULL || atomic_load(&entry->state) != KIN__ENTRY_LIVE ||
        entry->type != KIN__TYPE_PROCESS || kin__block_capacity(entry->block) == 0) {
        return -ESTALE;
    }
    struct process_shared *shared = kin__entry_object(entry);
    if (atomic_load(&shared->owner) != kin__family.owner) {
        return -ESTALE;
    }
    *ret_shared = shared;
    return 0;
}

void kin__record_refuse(int code)
{
    struct process_shared *shared = NULL;
    if (kin__record_find_own(&shared) == 0) {
        atomic_store(&shared->refusal, code);
    }
}

int kin__record_refusal(const struct kin__record *record)
{
    const struct process_shared *shared = kin__record_shared(record);
    int code = shared == NULL ? 0 : atomic_load(&shared->refusal);
    return code < 0 ? code : 0;
}

enum kin__end_kind kin__record_end(const struct kin__record *record, int *ret_code)
{
    const struct process_shared *shared = kin__record_shared(record);
    uint64_t end = shared == NULL ? 0 : atomic_load(&shared->end);
    if (kind_of(end) != KIN__END_NONE) {
        *ret_code = (int)(uint32_t)end;
    }
    return kind_of(end);
}
