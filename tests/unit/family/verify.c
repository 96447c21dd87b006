/* The verifier: finds nothing in a sound memory, and each of many defects in a copy of one. */
#include "family/verify.h"

#include "fake.h"
#include "family/heap/chunk.h"
#include "family/member.h"

/* A family with something of everything, and a private copy of its memory. */
struct scene {
    struct fake *fake;
    uint64_t small; /* a block in a span */
    uint64_t large; /* an extent of 4 chunks */
    uint64_t freed; /* a chunk that was freed */
    struct kin__memory copy;
};

static struct scene new_scene(void)
{
    struct scene scene = {0};
    begin_small();
    scene.fake = fake_create();
    REQUIRE(kin__block_create(200000, 0, KIN__BLOCK_BYTES, &scene.freed) == 0);
    REQUIRE(kin__block_create(200, 4, KIN__BLOCK_REFERENCES, &scene.small) == 0);
    REQUIRE(kin__block_create(200000, 0, KIN__BLOCK_BYTES, &scene.large) == 0);
    REQUIRE(kin__reference_add(kin__at(scene.small), scene.fake->object.handle) == 0);
    kin__block_free(scene.freed, kin__block_owner(scene.freed));
    return scene;
}

/* Copies on write: what is written to the copy stays in it. */
static void take_copy(struct scene *scene)
{
    scene->copy.bytes = kin__family.memory.bytes;
    scene->copy.base = mmap(NULL, scene->copy.bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_NORESERVE, kin__family.fd, 0);
    REQUIRE(scene->copy.base != MAP_FAILED);
}

static void drop_copy(struct scene *scene)
{
    munmap(scene->copy.base, scene->copy.bytes);
}

static void end_scene(struct scene *scene)
{
    kin__block_free(scene->small, kin__block_owner(scene->small));
    kin__block_free(scene->large, kin__block_owner(scene->large));
    kin__object_free(&scene->fake->object);
    CHECK_SOUND();
}

TEST(a_sound_memory_has_no_defect_and_a_copy_neither)
{
    struct scene scene = new_scene();
    CHECK_SOUND();
    take_copy(&scene);
    char report[500] = "x";
    CHECK_EQUAL(kin__family_verify(scene.copy, report, sizeof report), 0);
    CHECK_STRING(report, "");
    CHECK_EQUAL(kin__family_verify(scene.copy, NULL, 0), 0);
    drop_copy(&scene);
    end_scene(&scene);
}

/* --- defects: each written into a copy of its own --- */

/* In the copy: what this process has at `place`. */
#define IN_COPY(scene, place) ((void *)((scene)->copy.base + kin__offset_of(place)))

typedef void corrupt(struct scene *scene);

static struct kin__family_shared *shared_of(struct scene *scene)
{
    return kin__memory_shared(&scene->copy);
}

static struct kin__entry *entry_of(struct scene *scene)
{
    return IN_COPY(scene, kin__entry_at(scene->fake->object.handle.index));
}

static struct kin__chunk *chunk_of(struct scene *scene, uint64_t offset)
{
    return IN_COPY(scene, kin__chunk_at(kin__chunk_of(offset)));
}

static struct kin__block_header *header_of(struct scene *scene, uint64_t offset)
{
    return IN_COPY(scene, kin__block_header_at(offset));
}

static struct kin__member *member_of(struct scene *scene, uint32_t owner)
{
    return IN_COPY(scene, kin__member_of(owner));
}

static void wrong_magic(struct scene *scene)
{
    shared_of(scene)->magic ^= 1;
}

static void wrong_layout(struct scene *scene)
{
    shared_of(scene)->layout++;
}

static void wrong_size(struct scene *scene)
{
    shared_of(scene)->bytes += KIN__CHUNK_BYTES;
}

static void members_outside(struct scene *scene)
{
    shared_of(scene)->members.offset = scene->copy.bytes - 64;
}

static void directory_too_long(struct scene *scene)
{
    atomic_store(&shared_of(scene)->directory.used, UINT32_MAX);
}

static void chunks_without_pages(struct scene *scene)
{
    atomic_store(&shared_of(scene)->chunks.committed, 0);
}

static void heap_outside(struct scene *scene)
{
    shared_of(scene)->heap_offset = UINT64_MAX - 65535;
}

static void member_without_role(struct scene *scene)
{
    struct kin__member *member = member_of(scene, kin__self()->owner);
    atomic_fetch_and(&member->word, ~(uint64_t)0xff00);
}

static void member_without_process(struct scene *scene)
{
    member_of(scene, kin__self()->owner)->process = 99;
}

static void member_reaped_by_nobody(struct scene *scene)
{
    struct kin__member *member = member_of(scene, kin__self()->owner);
    uint64_t word = atomic_load(&member->word);
    atomic_store(&member->word, kin__member_word(KIN__MEMBER_REAPING, KIN__MEMBER_THREAD,
                                                 kin__word_generation(word), 0x3fff0001));
}

static void chunk_without_state(struct scene *scene)
{
    atomic_store(&chunk_of(scene, scene->freed)->word, 9);
}

static void chunk_without_class(struct scene *scene)
{
    atomic_fetch_or(&chunk_of(scene, scene->small)->word, 0xff00);
}

static void chunk_claimed_by_nobody(struct scene *scene)
{
    atomic_store(&chunk_of(scene, scene->freed)->word,
                 kin__chunk_word(KIN__CHUNK_CLAIMED, 0, 0x3fff0001));
}

static void extent_too_long(struct scene *scene)
{
    chunk_of(scene, scene->large)->count = 100000;
}

static void extent_with_a_hole(struct scene *scene)
{
    atomic_store(&chunk_of(scene, scene->large)[2].word, KIN__CHUNK_IDLE);
}

static void block_of_a_dead_member(struct scene *scene)
{
    atomic_store(&header_of(scene, scene->small)->owner, kin__block_of_member(0x3fff0001));
}

static void block_of_no_object(struct scene *scene)
{
    atomic_store(&header_of(scene, scene->large)->owner, kin__block_of_object(7, 7));
}

static void block_of_no_kind_of_owner(struct scene *scene)
{
    atomic_store(&header_of(scene, scene->large)->owner, 5);
}

static void free_block_with_handles(struct scene *scene)
{
    atomic_store(&header_of(scene, scene->small)->owner, 0);
    entry_of(scene)->references--;
}

static void too_many_handles(struct scene *scene)
{
    header_of(scene, scene->small)->handle_count = 5000;
}

static void handle_to_nothing(struct scene *scene)
{
    kin_handle *handle = IN_COPY(scene, kin__at(scene->small));
    handle->counter += 1000;
}

static void handle_of_another_family(struct scene *scene)
{
    kin_handle *handle = IN_COPY(scene, kin__at(scene->small));
    handle->family ^= 2;
}

static void reference_too_many(struct scene *scene)
{
    entry_of(scene)->references++;
}

static void reference_lost(struct scene *scene)
{
    kin_handle *handle = IN_COPY(scene, kin__at(scene->small));
    handle->counter = 0;
}

static void object_without_state(struct scene *scene)
{
    atomic_store(&entry_of(scene)->state, 7);
}

static void object_without_type(struct scene *scene)
{
    entry_of(scene)->type = KIN__TYPE_COUNT;
}

static void object_of_an_unknown_type(struct scene *scene)
{
    entry_of(scene)->type = FAKE_TYPE + 1;
}

static void object_with_a_counter_to_come(struct scene *scene)
{
    shared_of(scene)->directory_counter = 0;
}

static void object_without_block(struct scene *scene)
{
    entry_of(scene)->block = 0;
}

static void object_with_somebody_elses_block(struct scene *scene)
{
    entry_of(scene)->block = scene->small;
}

static void object_freed_by_nobody(struct scene *scene)
{
    atomic_store(&entry_of(scene)->state, KIN__ENTRY_DYING);
    atomic_store(&entry_of(scene)->freer, 0x3fff0001);
}

struct defect {
    const char *name;
    corrupt *corrupt;
};

#define DEFECT(function)    \
    {                       \
#function, function \
    }

static const struct defect defects[] = {
    DEFECT(wrong_magic),
    DEFECT(wrong_layout),
    DEFECT(wrong_size),
    DEFECT(members_outside),
    DEFECT(directory_too_long),
    DEFECT(chunks_without_pages),
    DEFECT(heap_outside),
    DEFECT(member_without_role),
    DEFECT(member_without_process),
    DEFECT(member_reaped_by_nobody),
    DEFECT(chunk_without_state),
    DEFECT(chunk_without_class),
    DEFECT(chunk_claimed_by_nobody),
    DEFECT(extent_too_long),
    DEFECT(extent_with_a_hole),
    DEFECT(block_of_a_dead_member),
    DEFECT(block_of_no_object),
    DEFECT(block_of_no_kind_of_owner),
    DEFECT(free_block_with_handles),
    DEFECT(too_many_handles),
    DEFECT(handle_to_nothing),
    DEFECT(handle_of_another_family),
    DEFECT(reference_too_many),
    DEFECT(reference_lost),
    DEFECT(object_without_state),
    DEFECT(object_without_type),
    DEFECT(object_of_an_unknown_type),
    DEFECT(object_with_a_counter_to_come),
    DEFECT(object_without_block),
    DEFECT(object_with_somebody_elses_block),
    DEFECT(object_freed_by_nobody),
};

TEST(each_defect_is_found_and_named)
{
    struct scene scene = new_scene();
    for (size_t i = 0; i < sizeof defects / sizeof *defects; i++) {
        char report[500] = "";
        take_copy(&scene);
        defects[i].corrupt(&scene);
        if (kin__family_verify(scene.copy, report, sizeof report) == 0 || report[0] == '\0') {
            test_fail(TEST_HERE, "not found: %s", defects[i].name);
        }
        CHECK(kin__family_verify(scene.copy, NULL, 0) > 0);
        drop_copy(&scene);
    }
    CHECK_SOUND(); /* the original is untouched */
    end_scene(&scene);
}

TEST(a_report_that_is_too_short_is_cut_at_a_line)
{
    struct scene scene = new_scene();
    take_copy(&scene);
    reference_too_many(&scene);
    extent_with_a_hole(&scene);
    char whole[500] = "";
    CHECK_EQUAL(kin__family_verify(scene.copy, whole, sizeof whole), 2);
    size_t size = strlen(whole);
    CHECK(size > 10 && whole[size - 1] == '\n');
    for (size_t room = 0; room < size + 3; room++) {
        char report[500];
        memset(report, 'x', sizeof report);
        CHECK_EQUAL(kin__family_verify(scene.copy, report, room), 2);
        CHECK_EQUAL(report[room], 'x');
        CHECK(room == 0 || memchr(report, '\0', room) != NULL);
    }
    drop_copy(&scene);
    end_scene(&scene);
}

/* Bytes at random: whatever the verifier says, it ends and touches nothing else. */
TEST(no_garbage_makes_the_verifier_crash)
{
    struct scene scene = new_scene();
    uint64_t seed = 12345;
    for (int round = 0; round < 300; round++) {
        take_copy(&scene);
        for (int i = 0; i < 4; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            static const uint32_t regions = 4;
            const struct kin__family_shared *shared = kin__shared();
            uint64_t places[] = {0, shared->members.offset, shared->directory.offset,
                                 shared->chunks.offset};
            uint64_t place = places[seed >> 40 & (regions - 1)] + (seed >> 44 & 0x3ff);
            scene.copy.base[place] = (unsigned char)(seed >> 56);
        }
        kin__family_verify(scene.copy, NULL, 0);
        drop_copy(&scene);
    }
    end_scene(&scene);
}
