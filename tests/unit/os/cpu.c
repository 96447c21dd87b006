/* How many cores a process can use: its affinity, and the quotas of its control groups. */
#define _GNU_SOURCE
#include "harness/test.h"
#include "os/process.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 512 };

static char root[PATH_BYTES / 2];
static char groups[PATH_BYTES];

static void begin(const char *lines)
{
    snprintf(root, sizeof root, "%s/cpu-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    REQUIRE(mkdtemp(root) != NULL);
    snprintf(groups, sizeof groups, "%s/groups", root);
    FILE *file = fopen(groups, "w");
    REQUIRE(file != NULL);
    fputs(lines, file);
    fclose(file);
}

/* Writes a file below the root, and makes the folders on its way. */
static void put(const char *path, const char *text)
{
    char whole[PATH_BYTES];
    snprintf(whole, sizeof whole, "%s/%s", root, path);
    for (char *slash = strchr(whole + strlen(root) + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(whole, 0700);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    REQUIRE(file != NULL);
    fputs(text, file);
    fclose(file);
}

static uint32_t quota(void)
{
    uint32_t count = kin__os_cpu_quota(groups, root);
    char command[PATH_BYTES];
    snprintf(command, sizeof command, "rm -r %s", root);
    CHECK_EQUAL(system(command), 0);
    return count;
}

TEST(a_quota_of_version_2_is_rounded_up)
{
    begin("0::/all/job\n");
    put("all/job/cpu.max", "150000 100000\n");
    CHECK_EQUAL(quota(), 2);
}

TEST(the_smallest_quota_on_the_way_up_counts)
{
    begin("0::/all/job\n");
    put("all/job/cpu.max", "800000 100000\n");
    put("all/cpu.max", "300000 100000\n");
    put("cpu.max", "max 100000\n");
    CHECK_EQUAL(quota(), 3);
}

TEST(max_is_no_quota)
{
    begin("0::/job\n");
    put("job/cpu.max", "max 100000\n");
    CHECK_EQUAL(quota(), 0);
}

TEST(version_1_has_two_files)
{
    begin("4:memory:/other\n3:cpuset:/wrong\n2:cpu,cpuacct:/job\n");
    put("cpu/job/cpu.cfs_quota_us", "250000\n");
    put("cpu/job/cpu.cfs_period_us", "100000\n");
    put("cpu/wrong/cpu.cfs_quota_us", "100000\n");
    put("cpu/wrong/cpu.cfs_period_us", "100000\n");
    CHECK_EQUAL(quota(), 3);
}

TEST(version_1_without_a_quota_says_minus_one)
{
    begin("2:cpu:/job\n");
    put("cpu/job/cpu.cfs_quota_us", "-1\n");
    put("cpu/job/cpu.cfs_period_us", "100000\n");
    CHECK_EQUAL(quota(), 0);
}

TEST(in_a_container_the_quota_stands_at_the_root)
{
    begin("0::/docker/0123:4567\n");
    put("cpu.max", "50000 100000\n");
    CHECK_EQUAL(quota(), 1);
}

TEST(what_cannot_be_read_is_no_quota)
{
    begin("garbage\n0:\n::\n2:cpu:/job\n0::/job\n");
    put("job/cpu.max", "many 0\n");
    CHECK_EQUAL(quota(), 0);
    CHECK_EQUAL(kin__os_cpu_quota("/nowhere/at/all", "/nowhere"), 0);
}

TEST(the_core_count_is_within_the_affinity_mask)
{
    uint32_t count = kin__os_cpu_count();
    CHECK(count >= 1);
    CHECK(count <= kin__os_core_count());
    CHECK(kin__os_core_count() <= (uint32_t)sysconf(_SC_NPROCESSORS_CONF));
}

TEST(a_process_bound_to_one_core_has_one)
{
    cpu_set_t before;
    cpu_set_t one;
    REQUIRE(sched_getaffinity(0, sizeof before, &before) == 0);
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, &before)) {
            CPU_SET(i, &one);
            break;
        }
    }
    REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
    CHECK_EQUAL(kin__os_cpu_count(), 1);
    CHECK_EQUAL(kin__os_core_count(), 1);
    sched_setaffinity(0, sizeof before, &before);
}
