/* Messages larger than what 32 bits count, and the memory of a queue that was full once. */
#include "family/runtime.h"
#include "unit/queue/queues.h"

#include <sys/stat.h>
#include <sys/sysinfo.h>

enum { MIB = 1 << 20 };

/* Whether the machine has so much memory to spare; says so if it has not. */
static bool has_memory(uint64_t bytes)
{
    struct sysinfo machine;
    unsigned long available_kib = 0;
    char line[128];
    FILE *file = fopen("/proc/meminfo", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        sscanf(line, "MemAvailable: %lu", &available_kib);
    }
    if (file != NULL) {
        fclose(file);
    }
    if (available_kib == 0 && sysinfo(&machine) == 0) {
        available_kib = machine.freeram * machine.mem_unit / 1024;
    }
    bool is_enough = available_kib > bytes / 1024;
    if (!is_enough) {
        printf("NOT TESTED: %lu KiB of memory are available, the test needs %lu\n", available_kib,
               (unsigned long)(bytes / 1024));
    }
    return is_enough;
}

TEST_WITH(a_message_of_more_than_4_gib_is_written_and_read_in_place, .limit_seconds = 120)
{
    uint64_t size = ((uint64_t)4 << 30) + 12345;
    kin_reservation reservation;
    kin_claim claim;
    if (!has_memory(size + size / 4)) {
        return;
    }
    kin_queue *queue = new_queue(KIN_OPTIONS(kin_queue_options, .message_bytes_max = size));
    REQUIRE(kin_queue_reserve(queue, size, KIN_NOW, &reservation) == 0);
    CHECK_EQUAL(reservation.size, size);
    unsigned char *bytes = reservation.data;
    bytes[0] = 1;
    bytes[UINT32_MAX] = 2;
    bytes[size - 1] = 3;
    CHECK_EQUAL(kin_queue_commit(queue, &reservation), 0);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), -EAGAIN); /* not a byte more */
    REQUIRE(kin_queue_claim(queue, KIN_NOW, &claim) == 0);
    CHECK_EQUAL(claim.bytes.size, size);
    CHECK_EQUAL(kin_queue_refuse(queue, &claim), 0);
    REQUIRE(kin_queue_claim(queue, KIN_NOW, &claim) == 0);
    const unsigned char *read = claim.bytes.data;
    CHECK_EQUAL(claim.bytes.size, size);
    CHECK(read[0] == 1 && read[UINT32_MAX] == 2 && read[size - 1] == 3);
    CHECK_EQUAL(kin_queue_acknowledge(queue, &claim), 0);
    CHECK_EQUAL(put_number(queue, 1, KIN_NOW), 0);
    CHECK_EQUAL(get_number(queue, KIN_NOW), 1);
    CHECK_IS_WHOLE();
    kin_queue_free(queue);
}

/* What the family's memory takes of the machine's. */
static uint64_t bytes_committed(void)
{
    struct stat stat;
    REQUIRE(fstat(kin__family.fd, &stat) == 0);
    return (uint64_t)stat.st_blocks * 512;
}

static void fill(kin_queue *queue, uint64_t bytes, size_t size)
{
    static unsigned char message[MIB];
    for (uint64_t put = 0; put < bytes; put += size) {
        REQUIRE(kin_queue_put_bytes(queue, message, size, KIN_NOW) == 0);
    }
}

static void drain_by_gets(kin_queue *queue)
{
    kin_message message;
    while (kin_queue_get_bytes(queue, KIN_NOW, &message) == 0) {
        kin_message_free(&message);
    }
}

static void drain_by_claims(kin_queue *queue)
{
    kin_claim claim;
    while (kin_queue_claim(queue, KIN_NOW, &claim) == 0) {
        CHECK_EQUAL(kin_queue_acknowledge(queue, &claim), 0);
    }
}

static void drain_as_a_child(void *user)
{
    drain_by_gets(user);
}

static void drain_in_a_child(kin_queue *queue)
{
    child_join(child_start(drain_as_a_child, queue));
}

static void check_memory_is_back(void (*drain)(kin_queue *queue))
{
    kin_queue *queue = new_queue(NULL);
    uint64_t before = bytes_committed();
    fill(queue, 200 * (uint64_t)MIB, MIB);
    fill(queue, 100 * (uint64_t)MIB, 3000);
    fill(queue, 100 * (uint64_t)MIB, 100);
    fill(queue, 100 * (uint64_t)MIB, 60000);
    uint64_t peak = bytes_committed();
    CHECK(peak - before >= 500 * (uint64_t)MIB);
    drain(queue);
    CHECK_EQUAL(kin_queue_item_count(queue), 0);
    uint64_t after = bytes_committed();
    if (after > before + (peak - before) / 10) {
        test_fail(TEST_HERE, "%lu KiB before, %lu at the peak, %lu after",
                  (unsigned long)(before / 1024), (unsigned long)(peak / 1024),
                  (unsigned long)(after / 1024));
    }
    kin_queue_free(queue);
}

TEST_WITH(the_memory_of_a_queue_that_was_drained_is_back, .limit_seconds = 120)
{
    check_memory_is_back(drain_by_gets);
}

TEST_WITH(the_memory_of_a_queue_that_was_drained_by_claims_is_back, .limit_seconds = 120)
{
    check_memory_is_back(drain_by_claims);
}

TEST_OF_PROCESSES_WITH(the_memory_of_a_queue_that_another_process_drained_is_back,
                       .limit_seconds = 120)
{
    check_memory_is_back(drain_in_a_child);
}
