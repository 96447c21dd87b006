#define _GNU_SOURCE
#include "os/process.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Most cores that an affinity mask is read for. */
#define CORES_MAX 65536u

enum { LINE_BYTES = 4608, PATH_BYTES = 5120 };

/* A group in a hierarchy. */
struct group {
    const char *mount;
    char *path; /* below the mount, from its slash on */
};

/* Reads numbers from a file of a group; how many were there. */
static int read_numbers(const struct group *group, const char *name, long long *first,
                        long long *second)
{
    char path[PATH_BYTES];
    int length = snprintf(path, sizeof path, "%s%s/%s", group->mount, group->path, name);
    FILE *file = length < (int)sizeof path ? fopen(path, "re") : NULL;
    if (file == NULL) {
        return 0;
    }
    int count = fscanf(file, "%lld %lld", first, second);
    fclose(file);
    return count;
}

/* Cores by the quota of a group, rounded up; 0: it has none. */
static uint32_t quota_of(const struct group *group, bool is_second)
{
    long long quota = -1;
    long long period = 0;
    int count = 0;
    if (is_second) {
        count = read_numbers(group, "cpu.max", &quota, &period);
    } else {
        long long none = 0;
        count = read_numbers(group, "cpu.cfs_quota_us", &quota, &none) +
                read_numbers(group, "cpu.cfs_period_us", &period, &none);
    }
    return count < 2 || quota <= 0 || period <= 0 ? 0 : (uint32_t)((quota + period - 1) / period);
}

/* Whether a list "a,b,c" has the controller of CPU time. */
static bool has_cpu_controller(const char *controllers)
{
    char list[LINE_BYTES];
    char *rest = NULL;
    snprintf(list, sizeof list, "%s", controllers);
    for (char *one = strtok_r(list, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
        if (strcmp(one, "cpu") == 0) {
            return true;
        }
    }
    return false;
}

/* The smallest quota from a group up to the root; 0: none. In a container the path may be that of
 * the host, of which only the root is to be seen. Shortens the path. */
static uint32_t smallest_quota(struct group group, bool is_second)
{
    uint32_t smallest = 0;
    char *last = NULL;
    do {
        uint32_t count = quota_of(&group, is_second);
        smallest = count != 0 && (smallest == 0 || count < smallest) ? count : smallest;
        last = strrchr(group.path, '/');
        if (last != NULL) {
            *last = '\0';
        }
    } while (last != NULL);
    return smallest;
}

uint32_t kin__os_cpu_quota(const char *groups_path, const char *mount)
{
    char line[LINE_BYTES];
    char first[PATH_BYTES];
    uint32_t smallest = 0;
    snprintf(first, sizeof first, "%s/cpu", mount);
    FILE *groups = fopen(groups_path, "re");
    while (groups != NULL && fgets(line, sizeof line, groups) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':'); /* ID:CONTROLLERS:PATH; a path may have colons */
        char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');
        if (path == NULL) {
            continue;
        }
        *path++ = '\0';
        bool is_second = strcmp(line, "0:") == 0;
        if (is_second || has_cpu_controller(controllers + 1)) {
            uint32_t count = smallest_quota(
                (struct group){.mount = is_second ? mount : first, .path = path}, is_second);
            smallest = count != 0 && (smallest == 0 || count < smallest) ? count : smallest;
        }
    }
    if (groups != NULL) {
        fclose(groups);
    }
    return smallest;
}

/* The mask is refused if it is smaller than the kernel's own. */
uint32_t kin__os_core_count(void)
{
    for (uint32_t cores = CPU_SETSIZE; cores <= CORES_MAX; cores *= 2) {
        cpu_set_t *allowed = CPU_ALLOC(cores);
        size_t size = CPU_ALLOC_SIZE(cores);
        int count = allowed != NULL && sched_getaffinity(0, size, allowed) == 0
                        ? CPU_COUNT_S(size, allowed)
                        : 0;
        CPU_FREE(allowed);
        if (count > 0) {
            return (uint32_t)count;
        }
    }
    return 1;
}

uint32_t kin__os_cpu_count(void)
{
    uint32_t count = kin__os_core_count();
    uint32_t quota = kin__os_cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    return quota != 0 && quota < count ? quota : count;
}
