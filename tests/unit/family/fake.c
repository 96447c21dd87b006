#include "fake.h"

#include <kin/family.h>

static void repair(uint32_t index, void *at, uint32_t dead)
{
    struct fake_shared *shared = at;
    (void)index;
    atomic_fetch_add(&shared->repair_count, 1);
    atomic_store(&shared->dead, dead);
    atomic_compare_exchange_strong(&shared->holder, &dead, 0);
}

static void free_extra(uint32_t index, void *at)
{
    struct fake_shared *shared = at;
    uint64_t extra = atomic_load(&shared->extra);
    uint64_t owner = kin__block_of_object(index, kin__entry_at(index)->counter);
    kin__block_free(extra, owner);
}

static const struct kin__type fake_type = {
    .id = FAKE_TYPE, .name = "fake", .repair = repair, .free = free_extra};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&fake_type);
}

int fake_try(uint64_t bytes, struct fake **ret_fake)
{
    struct kin__object_plan plan = {.type = FAKE_TYPE, .size = sizeof **ret_fake, .bytes = bytes};
    return kin__object_create(&plan, ret_fake);
}

struct fake *fake_create(void)
{
    struct fake *fake = NULL;
    REQUIRE(fake_try(sizeof(struct fake_shared), &fake) == 0);
    return fake;
}

struct fake_shared *fake_shared(const struct fake *fake)
{
    return fake->object.shared;
}

void begin_small(void)
{
    kin_family_options options = {.size = sizeof options,
                                  .memory_bytes_max = KIN__MEMORY_BYTES_MIN};
    numbers = mmap(NULL, NUMBER_COUNT * sizeof *numbers, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(numbers != MAP_FAILED);
    REQUIRE(kin_init_with(NULL, NULL, &options) == 0);
}

void do_nothing(void *user)
{
    (void)user;
}

uint32_t member_count(void)
{
    uint32_t count = 0;
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        count += kin__word_state(atomic_load(&kin__member_at(slot)->word)) != KIN__MEMBER_FREE;
    }
    return count;
}

struct block_search {
    uint64_t owner;
    uint32_t count;
};

static void count_block(void *user, const struct kin__block_header *header, uint64_t offset,
                        uint64_t bytes)
{
    struct block_search *search = user;
    (void)offset;
    (void)bytes;
    search->count += atomic_load(&header->owner) == search->owner;
}

uint32_t block_count_of(uint64_t owner)
{
    struct block_search search = {.owner = owner};
    kin__heap_each(&kin__family.memory, count_block, &search);
    return search.count;
}

void check_sound(const char *place)
{
    char report[2000] = "";
    if (kin__family_verify(kin__family.memory, report, sizeof report) != 0) {
        test_fail(place, "the family's memory is not sound: %s", report);
    }
}
