#define _GNU_SOURCE
#include "os/process.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

/* Cores by the quota of one control group, version 2 ("MAX PERIOD") or version 1; 0: none. */
static uint32_t quota_of(const char *path, const char *period_path)
{
    long long quota = -1;
    long long period = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    int fields = fscanf(file, "%lld %lld", &quota, &period);
    fclose(file);
    if (fields == 1 && period_path != NULL && (file = fopen(period_path, "re")) != NULL) {
        fields += fscanf(file, "%lld", &period);
        fclose(file);
    }
    if (fields < 2 || quota <= 0 || period <= 0) {
        return 0;
    }
    return (uint32_t)((quota + period - 1) / period);
}

/* The smallest quota on the way from this process's group up to the root; 0: none. */
static uint32_t quota_count(void)
{
    char line[512];
    uint32_t smallest = 0;
    FILE *groups = fopen("/proc/self/cgroup", "re");
    while (groups != NULL && fgets(line, sizeof line, groups) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *group = strchr(line, ':'); /* ID:CONTROLLERS:PATH, and a path may have colons */
        group = group == NULL ? NULL : strchr(group + 1, ':');
        bool is_second = strncmp(line, "0::", 3) == 0;
        if (group == NULL || (!is_second && strstr(line, "cpu") == NULL)) {
            continue;
        }
        for (group++;; *strrchr(group, '/') = '\0') {
            char path[640];
            char period[640];
            snprintf(path, sizeof path, "/sys/fs/cgroup%s%s/%s", is_second ? "" : "/cpu", group,
                     is_second ? "cpu.max" : "cpu.cfs_quota_us");
            snprintf(period, sizeof period, "/sys/fs/cgroup/cpu%s/cpu.cfs_period_us", group);
            uint32_t count = quota_of(path, is_second ? NULL : period);
            smallest = count != 0 && (smallest == 0 || count < smallest) ? count : smallest;
            if (strrchr(group, '/') == NULL) {
                break;
            }
        }
    }
    if (groups != NULL) {
        fclose(groups);
    }
    return smallest;
}

uint32_t kin__os_cpu_count(void)
{
    cpu_set_t allowed;
    uint32_t count = 1;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
        count = (uint32_t)CPU_COUNT(&allowed);
    }
    uint32_t quota = quota_count();
    count = quota != 0 && quota < count ? quota : count;
    return count > 0 ? count : 1;
}
