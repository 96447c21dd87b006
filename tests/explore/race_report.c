/*
 * What to do about a race that was found: it fails the run unless one of the two functions is in
 * the list of those that may look at what others write, for the reason given there.
 */
#define _GNU_SOURCE
#include "explore/race_report.h"

#include "explore/machine.h"
#include "explore/race.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const allowed[] = {
    /* The fields of a slot, which its generation guards: it is looked at again behind them, or what
     * was read is but a hint whom to tell. */
    "kin__member_free",
    "reap_members_of",
    "kin__death_tell_children",
    "kin__death_watcher_of",
    /* What an entry says counts only if the entry is found again behind it, or under the lock. */
    "kin__directory_find",
    "attach_shared",
    "check_entry",
    /* The length of an extent: the chunk's word is looked at again behind it. */
    "kin__heap_reap",
    /* Blocks that others make and free: the handles that it counts change under a lock it holds. */
    "count_in_block",
    "is_same",
};

/* The function and line at an address of this program, as addr2line says. */
static void find_place(const void *address, char *name, size_t name_bytes, char *place,
                       size_t place_bytes)
{
    char command[128];
    snprintf(command, sizeof command, "addr2line -f -s -e /proc/%d/exe %p", (int)getpid(),
             (const void *)((const char *)address - 1));
    name[0] = place[0] = '\0';
    FILE *said = popen(command, "r");
    if (said == NULL) {
        return;
    }
    if (fgets(name, (int)name_bytes, said) == NULL ||
        fgets(place, (int)place_bytes, said) == NULL) {
        name[0] = place[0] = '\0';
    }
    pclose(said);
    name[strcspn(name, "\n")] = '\0';
    place[strcspn(place, "\n ")] = '\0';
}

static bool is_allowed(const char *name)
{
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        if (strcmp(allowed[i], name) == 0) {
            return true;
        }
    }
    return false;
}

bool race_report(const void *first, const void *second)
{
    char names[2][64];
    char places[2][64];
    find_place(first, names[0], sizeof names[0], places[0], sizeof places[0]);
    find_place(second, names[1], sizeof names[1], places[1], sizeof places[1]);
    if (is_allowed(names[0]) || is_allowed(names[1])) {
        return true;
    }
    machine_fail("nothing orders %s at %s before %s at %s", names[0], places[0], names[1],
                 places[1]);
    return false;
}
