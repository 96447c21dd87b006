/* Blocks: allocating, giving, freeing, and what a death leaves. */
#include "fake.h"
#include "family/heap/chunk.h"
#include "os/fault.h"

#include <errno.h>
#include <sys/stat.h>

static uint64_t self_owner(void)
{
    return kin__block_of_member(kin__family.owner);
}

static uint64_t new_block(uint64_t bytes)
{
    uint64_t offset = 0;
    REQUIRE(kin__block_create(bytes, 0, KIN__BLOCK_BYTES, &offset) == 0);
    return offset;
}

static void end_block(uint64_t offset)
{
    kin__block_free(offset, self_owner());
}

TEST(a_block_has_the_bytes_that_were_asked_for_and_an_owner)
{
    static const uint64_t sizes[] = {0,    1,    48,    49,    112,   1000,  1072,   4144,
                                     8176, 8177, 32752, 32753, 65536, 65537, 1000000};
    uint64_t offsets[sizeof sizes / sizeof *sizes];
    begin();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        offsets[i] = new_block(sizes[i]);
        CHECK_EQUAL(offsets[i] % 16, 0);
        CHECK(kin__block_capacity(offsets[i]) >= sizes[i]);
        CHECK_EQUAL(kin__block_owner(offsets[i]), (long long)self_owner());
        memset(kin__at(offsets[i]), (int)i + 1, kin__block_capacity(offsets[i]));
    }
    CHECK_SOUND();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const unsigned char *bytes = kin__at(offsets[i]);
        uint64_t capacity = kin__block_capacity(offsets[i]);
        CHECK(capacity == 0 || (bytes[0] == i + 1 && bytes[capacity - 1] == i + 1));
        end_block(offsets[i]);
        CHECK_EQUAL(kin__block_capacity(offsets[i]), 0);
        CHECK_EQUAL(kin__block_owner(offsets[i]), 0);
    }
    CHECK_SOUND();
}

TEST(a_block_larger_than_half_a_chunk_starts_at_a_chunk)
{
    begin();
    uint64_t offset = new_block(40000);
    CHECK_EQUAL(offset % KIN__CHUNK_BYTES, 0);
    end_block(offset);
}

TEST(more_bytes_than_the_memory_has_are_no_memory)
{
    uint64_t offset = 7;
    begin_small();
    static const uint64_t sizes[] = {(uint64_t)63 << 20, (uint64_t)64 << 20, (uint64_t)1 << 40,
                                     INT64_MAX,          UINT64_MAX - 65536, UINT64_MAX - 15,
                                     UINT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        CHECK_EQUAL(kin__block_create(sizes[i], 0, KIN__BLOCK_BYTES, &offset), -ENOMEM);
    }
    CHECK_EQUAL(offset, 7);
    CHECK_SOUND();
}

TEST(offsets_of_no_block_are_recognized)
{
    begin();
    uint64_t small = new_block(100);
    uint64_t large = new_block(200000);
    uint64_t wrong[] = {0,
                        16,
                        small + 16,
                        small - 16,
                        small + 1,
                        large + KIN__CHUNK_BYTES,
                        large + 16,
                        kin__shared()->heap_offset - 16,
                        kin__shared()->bytes,
                        UINT64_MAX - 15,
                        UINT64_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(kin__block_header_at(wrong[i]) == NULL);
        CHECK_EQUAL(kin__block_capacity(wrong[i]), 0);
        CHECK_EQUAL(kin__block_owner(wrong[i]), 0);
        CHECK(!kin__block_give(wrong[i], 0, self_owner()));
        kin__block_free(wrong[i], self_owner());
    }
    end_block(small);
    end_block(large);
    CHECK_SOUND();
}

TEST(only_the_owner_gives_and_frees)
{
    begin();
    uint64_t offset = new_block(100);
    uint64_t other = kin__block_of_object(77, 1);
    CHECK(!kin__block_give(offset, other, self_owner()));
    kin__block_free(offset, other);
    kin__block_free(offset, 0);
    CHECK_EQUAL(kin__block_owner(offset), (long long)self_owner());
    CHECK(kin__block_give(offset, self_owner(), other));
    kin__block_free(offset, self_owner());
    CHECK_EQUAL(kin__block_owner(offset), (long long)other);
    kin__block_free(offset, other);
    CHECK_EQUAL(kin__block_owner(offset), 0);
    kin__block_free(offset, other); /* again: nothing to do */
    CHECK_SOUND();
}

TEST(freed_blocks_are_used_again_without_a_system_call)
{
    begin();
    for (int i = 0; i < 100; i++) { /* until the first span is there */
        end_block(new_block(100));
        end_block(new_block(100000));
    }
#ifdef KIN_FAULTS
    uint32_t keeper = atomic_load(&kin__family.member->life) & KIN__OS_FUTEX_TID;
    while (state_in_kernel(kin__family.pid, keeper) != 'S') {
        pause_a_moment();
    }
    kin__os_fail_at(0);
#endif
    uint32_t used = atomic_load(&kin__shared()->chunks.used);
    for (int i = 0; i < 5000; i++) {
        end_block(new_block(100));
        end_block(new_block(100000));
    }
#ifdef KIN_FAULTS
    CHECK_EQUAL((int)kin__os_call_count(), 0);
#endif
    CHECK_EQUAL(atomic_load(&kin__shared()->chunks.used), used);
}

TEST(the_handles_of_a_new_block_are_zero)
{
    uint64_t offset = 0;
    begin();
    for (int i = 0; i < 3; i++) {
        uint64_t dirty = new_block(4000);
        memset(kin__at(dirty), 0xff, 4000);
        end_block(dirty);
    }
    REQUIRE(kin__block_create(4000, 250, KIN__BLOCK_REFERENCES, &offset) == 0);
    const kin_handle *handles = kin__at(offset);
    for (int i = 0; i < 250; i++) {
        CHECK_EQUAL(handles[i].counter, 0);
    }
    CHECK_EQUAL(kin__block_header_at(offset)->handle_count, 250);
    end_block(offset);
}

TEST(freeing_a_block_drops_the_references_in_it)
{
    uint64_t offset = 0;
    begin();
    struct fake *fake = fake_create();
    kin_handle handle = fake->object.handle;
    REQUIRE(kin__block_create(100, 2, KIN__BLOCK_BYTES, &offset) == 0);
    kin_handle *handles = kin__at(offset);
    CHECK_EQUAL(kin__reference_add(&handles[1], handle), 0);
    CHECK_EQUAL(kin__entry_at(handle.index)->references, 2);
    kin__object_free(&fake->object);
    CHECK(kin__directory_find(handle) != NULL);
    CHECK_SOUND();
    end_block(offset);
    CHECK(kin__directory_find(handle) == NULL);
    CHECK_SOUND();
}

static void note_free_block(void *user, const struct kin__block_header *header, uint64_t offset,
                            uint64_t bytes)
{
    (void)offset;
    (void)bytes;
    *(uint32_t *)user += atomic_load(&header->owner) == 0 && header->handle_count != 0;
}

/* Killed between the claim of a block and its first use, its old contents must not be taken for
 * references. */
TEST(a_free_block_says_that_it_has_no_handles)
{
    uint32_t count = 0;
    uint64_t offset = 0;
    begin();
    uint64_t large = new_block(1000000);
    memset(kin__at(large), 0xff, 1000000);
    end_block(large);
    uint64_t small[20];
    for (int i = 0; i < 20; i++) { /* spans where the large block was */
        small[i] = new_block((uint64_t)1 << i % 13);
    }
    REQUIRE(kin__block_create(4000, 200, KIN__BLOCK_REFERENCES, &offset) == 0);
    end_block(offset);
    kin__heap_each(&kin__family.memory, note_free_block, &count);
    CHECK_EQUAL(count, 0);
    for (int i = 0; i < 20; i++) {
        end_block(small[i]);
    }
}

/* --- no memory --- */

static uint64_t fill(uint64_t *ret_last, uint64_t bytes)
{
    uint64_t count = 0;
    uint64_t offset = 0;
    *ret_last = 0;
    while (kin__block_create(bytes, 0, KIN__BLOCK_BYTES, &offset) == 0) {
        memcpy(kin__at(offset), ret_last, sizeof *ret_last); /* a chain, to free them by */
        *ret_last = offset;
        count++;
    }
    return count;
}

static void empty(uint64_t last)
{
    while (last != 0) {
        uint64_t next = 0;
        memcpy(&next, kin__at(last), sizeof next);
        end_block(last);
        last = next;
    }
}

TEST(a_memory_can_be_filled_to_the_end_and_emptied_again)
{
    static const uint64_t sizes[] = {30000, 1000, 1000000, 60000};
    uint64_t last = 0;
    begin_small();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t count = fill(&last, sizes[i]);
        CHECK(count * sizes[i] > (uint64_t)50 << 20);
        CHECK_SOUND();
        empty(last);
        kin__heap_trim();
        CHECK_EQUAL(fill(&last, sizes[i]), (long long)count); /* nothing was lost */
        empty(last);
        kin__heap_trim();
        kin__heap_reap(0); /* spans that are free but not trimmed are of one size class */
    }
    CHECK_SOUND();
}

TEST_OF_PROCESSES(a_full_memory_makes_calls_fail_and_not_crash)
{
    uint64_t large = 0;
    uint64_t small = 0;
    begin_small();
    struct fake *fake = fake_create();
    fill(&large, 30000);
    fill(&small, 10);
    uint32_t members = member_count();
    struct fake *none = NULL;
    CHECK_EQUAL(fake_try(100000, &none), -ENOMEM);
    CHECK(none == NULL);
    uint64_t middle = 0;
    fill(&middle, 4000);
    uint32_t owner = 0;
    CHECK_EQUAL(kin__family_fork("child", 0, &owner), -ENOMEM);
    CHECK_EQUAL(member_count(), members);
    empty(large);
    empty(small);
    empty(middle);
    child_join(child_start(do_nothing, NULL));
    kin__object_free(&fake->object);
    CHECK_SOUND();
}

static uint64_t committed_bytes(void)
{
    struct stat stat = {0};
    REQUIRE(fstat(kin__family.fd, &stat) == 0);
    return (uint64_t)stat.st_blocks * 512;
}

TEST(pages_of_freed_extents_go_back_but_for_some)
{
    begin();
    uint64_t before = committed_bytes();
    uint64_t blocks[100];
    for (int i = 0; i < 100; i++) {
        blocks[i] = new_block(1 << 20);
    }
    CHECK(committed_bytes() >= before + (100 << 20));
    for (int i = 0; i < 100; i++) {
        end_block(blocks[i]);
    }
    CHECK(committed_bytes() <= before + (32 << 20));
    CHECK(committed_bytes() >= before + (8 << 20)); /* these are for the next ones */
    CHECK_SOUND();
}

TEST(spans_that_are_wholly_free_are_given_back)
{
    enum { COUNT = 400 };
    static uint64_t blocks[COUNT];
    begin();
    for (int i = 0; i < COUNT; i++) {
        blocks[i] = new_block(30000);
    }
    CHECK(atomic_load(&kin__family.member->span_count) >= COUNT / 2);
    for (int i = 0; i < COUNT; i++) {
        end_block(blocks[i]);
    }
    while (atomic_load(&kin__family.member->span_count) > 64) { /* the keeper does it */
        pause_a_moment();
    }
    kin__heap_trim();
    CHECK(atomic_load(&kin__family.member->span_count) <= 8);
    CHECK_SOUND();
}

/* --- other processes --- */

static void free_it(void *user)
{
    uint64_t offset = *(uint64_t *)user;
    kin__block_free(offset, kin__block_owner(offset));
    CHECK_EQUAL(kin__block_owner(offset), 0);
}

TEST_OF_PROCESSES(any_process_frees_a_block)
{
    begin();
    uint64_t blocks[2] = {new_block(100), new_block(100000)};
    for (int i = 0; i < 2; i++) {
        child_join(child_start(free_it, &blocks[i]));
        CHECK_EQUAL(kin__block_owner(blocks[i]), 0);
    }
    CHECK_SOUND();
}

static void keep_blocks(void *user)
{
    uint64_t bytes = *(uint64_t *)user;
    for (int i = 0; i < 8; i++) {
        uint64_t offset = new_block(bytes);
        atomic_store(&numbers[i + 1], offset);
        if (i % 4 != 3) { /* three of four are the parent's */
            kin__block_give(offset, self_owner(), atomic_load(&numbers[20]));
        }
    }
    atomic_store(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

/* A child that dies with blocks of `bytes`, of which this process has some. */
static void leave_blocks(uint64_t bytes)
{
    atomic_store(&numbers[0], 0);
    atomic_store(&numbers[20], self_owner());
    pid_t pid = child_start(keep_blocks, &bytes);
    await_number(0, 1);
    child_kill(pid);
    while (member_count() > 2) {
        pause_a_moment();
    }
}

TEST_OF_PROCESSES(blocks_of_the_dead_are_freed_and_those_given_away_are_not)
{
    begin();
    static const uint64_t sizes[] = {10, 5000, 30000, 300000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        leave_blocks(sizes[i]);
        for (int block = 0; block < 8; block++) {
            uint64_t offset = atomic_load(&numbers[block + 1]);
            CHECK_EQUAL(kin__block_owner(offset), block % 4 == 3 ? 0 : (long long)self_owner());
            end_block(offset);
        }
        CHECK_SOUND();
    }
}

TEST_OF_PROCESSES(spans_of_the_dead_are_adopted)
{
    begin();
    leave_blocks(5000);
    CHECK(atomic_load(&kin__shared()->orphan_span_count) > 0);
    uint64_t offset = new_block(5000);
    CHECK_EQUAL(kin__chunk_of(offset), kin__chunk_of(atomic_load(&numbers[1])));
    CHECK_SOUND();
    end_block(offset);
    for (int block = 0; block < 8; block++) {
        end_block(atomic_load(&numbers[block + 1]));
    }
}

TEST_OF_PROCESSES(a_span_of_the_dead_that_is_full_is_not_taken_for_no_memory)
{
    begin();
    leave_blocks(30000); /* two blocks a span, most of them in use */
    uint64_t blocks[20];
    for (int i = 0; i < 20; i++) {
        blocks[i] = new_block(30000);
    }
    CHECK_SOUND();
    for (int i = 0; i < 20; i++) {
        end_block(blocks[i]);
    }
    for (int block = 0; block < 8; block++) {
        end_block(atomic_load(&numbers[block + 1]));
    }
}

static void *look_at_header(void *user)
{
    while (atomic_load(&numbers[30]) == 0) {
        if (kin__block_header_at(*(uint64_t *)user) == NULL) {
            atomic_fetch_add(&numbers[31], 1);
        }
    }
    return NULL;
}

TEST_OF_PROCESSES(a_block_in_use_is_never_hidden_by_a_reaper)
{
    begin();
    leave_blocks(5000);
    uint64_t offset = atomic_load(&numbers[1]);
    pthread_t thread = thread_start(look_at_header, &offset);
    for (int i = 0; i < 20000; i++) {
        kin__heap_reap(0x3fff0fff); /* of somebody who has nothing: looks at the orphans */
    }
    atomic_store(&numbers[30], 1);
    thread_join(thread);
    CHECK_EQUAL(atomic_load(&numbers[31]), 0);
    for (int block = 0; block < 8; block++) {
        end_block(atomic_load(&numbers[block + 1]));
    }
}

TEST(a_chunk_that_the_dead_had_only_claimed_counts_as_one_without_pages)
{
    uint32_t index = 0;
    uint32_t dead = 0x3fff0fff;
    begin();
    REQUIRE(kin__chunk_claim(1, false, &index) == 0);
    atomic_store(&kin__chunk_at(index)->word, kin__chunk_word(KIN__CHUNK_CLAIMED, 0, dead));
    kin__heap_reap(dead);
    CHECK_EQUAL(atomic_load(&kin__chunk_at(index)->word), KIN__CHUNK_IDLE);
    CHECK_SOUND();
}

/* --- chunks --- */

TEST(chunks_are_claimed_in_a_row_and_first_fit)
{
    uint32_t first = 0;
    uint32_t second = 0;
    uint32_t third = 0;
    begin();
    REQUIRE(kin__chunk_claim(3, false, &first) == 0);
    REQUIRE(kin__chunk_claim(2, false, &second) == 0);
    CHECK_EQUAL(second, first + 3);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_EQUAL(atomic_load(&kin__chunk_at(first + i)->word),
                    (long long)kin__chunk_word(KIN__CHUNK_CLAIMED, 0, kin__family.owner));
    }
    kin__chunk_release(first, 3);
    REQUIRE(kin__chunk_claim(2, false, &third) == 0);
    CHECK_EQUAL(third, first);
    kin__chunk_release(second, 2);
    kin__chunk_release(third, 2);
    CHECK_EQUAL(kin__chunk_of(kin__chunk_offset(first)), first);
    CHECK_EQUAL(kin__chunk_of(0), UINT32_MAX);
    CHECK_EQUAL(kin__chunk_of(UINT64_MAX), UINT32_MAX);
    CHECK_EQUAL(kin__chunk_claim(UINT32_MAX, false, &third), -ENOMEM);
    CHECK_SOUND();
}

TEST(extents_take_turns_in_a_window)
{
    enum { COUNT = 200 };
    uint64_t lowest = UINT64_MAX;
    uint64_t highest = 0;
    uint64_t last = 0;
    begin();
    for (int i = 0; i < COUNT; i++) {
        uint64_t offset = 0;
        REQUIRE(kin__block_create(100000, 0, KIN__BLOCK_BYTES, &offset) == 0);
        CHECK(offset != last); /* not the one that was just freed */
        lowest = offset < lowest ? offset : lowest;
        highest = offset > highest ? offset : highest;
        last = offset;
        kin__block_free(offset, kin__block_owner(offset));
    }
    uint64_t span = (highest - lowest) / KIN__CHUNK_BYTES;
    CHECK(span >= 32 && span <= 80);
    CHECK_SOUND();
}

TEST(a_miscount_of_chunks_does_not_keep_memory_for_ever)
{
    begin();
    atomic_store(&kin__shared()->busy_chunk_count, 0);
    atomic_fetch_sub(&kin__shared()->busy_chunk_count, 200); /* below zero */
    uint64_t before = committed_bytes();
    for (int i = 0; i < 8; i++) {
        uint64_t blocks[8];
        for (int j = 0; j < 8; j++) {
            blocks[j] = new_block(8 << 20);
        }
        for (int j = 0; j < 8; j++) {
            end_block(blocks[j]);
        }
    }
    CHECK(committed_bytes() <= before + (32 << 20));
}

/* --- many at once --- */

enum { ROUNDS = 4000, SLOTS = 16 };

static void allocate_at_random(uint64_t seed)
{
    uint64_t blocks[SLOTS] = {0};
    for (int round = 0; round < ROUNDS; round++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint64_t *block = &blocks[seed >> 33 & (SLOTS - 1)];
        if (*block != 0) {
            uint64_t stamp = 0;
            memcpy(&stamp, kin__at(*block), sizeof stamp);
            CHECK_EQUAL(stamp, (long long)(*block ^ (uint64_t)(uintptr_t)blocks));
            end_block(*block);
            *block = 0;
        } else {
            uint64_t bytes = 8 + (seed >> 40 & 0xfff) * (seed >> 60 == 0 ? 100 : 1);
            *block = new_block(bytes);
            uint64_t stamp = *block ^ (uint64_t)(uintptr_t)blocks;
            memcpy(kin__at(*block), &stamp, sizeof stamp);
        }
    }
    for (int i = 0; i < SLOTS; i++) {
        end_block(blocks[i]);
    }
}

static void *allocate_in_thread(void *user)
{
    allocate_at_random((uint64_t)(uintptr_t)user);
    return NULL;
}

static void allocate_in_child(void *user)
{
    allocate_at_random((uint64_t)getpid());
    (void)user;
}

TEST(threads_allocate_side_by_side)
{
    pthread_t threads[3];
    begin();
    for (int i = 0; i < 3; i++) {
        threads[i] = thread_start(allocate_in_thread, &threads[i]);
    }
    for (int i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    CHECK_SOUND();
}

TEST_OF_PROCESSES(threads_and_processes_allocate_side_by_side)
{
    begin();
    pid_t pids[3];
    pthread_t threads[2];
    for (int i = 0; i < 3; i++) {
        pids[i] = child_start(allocate_in_child, NULL);
    }
    for (int i = 0; i < 2; i++) {
        threads[i] = thread_start(allocate_in_thread, &pids[i]);
    }
    for (int i = 0; i < 2; i++) {
        thread_join(threads[i]);
    }
    for (int i = 0; i < 3; i++) {
        child_join(pids[i]);
    }
    CHECK_SOUND();
}

static void allocate_for_ever(void *user)
{
    (void)user;
    atomic_fetch_add(&numbers[0], 1);
    for (;;) {
        allocate_at_random((uint64_t)getpid());
    }
}

TEST_OF_PROCESSES(processes_killed_while_they_allocate_leave_a_sound_memory)
{
    begin();
    uint32_t members = member_count();
    for (int round = 0; round < 12; round++) {
        pid_t pids[2];
        atomic_store(&numbers[0], 0);
        for (int i = 0; i < 2; i++) {
            pids[i] = child_start(allocate_for_ever, NULL);
        }
        await_number(0, 2);
        usleep((useconds_t)(round * 300));
        for (int i = 0; i < 2; i++) {
            kill(pids[i], SIGKILL);
            waitpid(pids[i], NULL, 0);
        }
        while (member_count() != members) {
            pause_a_moment();
        }
        CHECK_SOUND();
    }
}

TEST(a_zeroed_block_is_zero_whatever_was_there)
{
    static const uint64_t sizes[] = {100, 40000, 200000, 3 << 20};
    begin();
    for (int i = 0; i < 4; i++) {
        for (int round = 0; round < 2; round++) {
            uint64_t block = 0;
            uint64_t sum = 0;
            REQUIRE(kin__block_create_zeroed(sizes[i], 1, KIN__BLOCK_BYTES, &block) == 0);
            unsigned char *bytes = kin__at(block);
            for (uint64_t byte = 0; byte < sizes[i]; byte++) {
                sum += bytes[byte];
            }
            CHECK_EQUAL(sum, 0);
            memset(bytes + sizeof(kin_handle), 0xee, sizes[i] - sizeof(kin_handle));
            CHECK_SOUND();
            kin__block_free(block, kin__block_owner(block));
        }
    }
    CHECK_SOUND();
}
