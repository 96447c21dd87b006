/*
 * The mark by which a spawned child knows what it is: its argument 1, "--kin-child=FD:OWNER", with
 * the fd of the family's memory and the member that it is to become. It stands in the arguments and
 * not in the environment, since that goes on to children that are none of kin's. Anybody can write
 * it, so nothing in it is believed.
 */
#include "family/family.h"
#include "os/process.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK "--kin-child="

void kin__mark_write(int fd, uint32_t owner, char *text, size_t bytes)
{
    snprintf(text, bytes, MARK "%d:%x", fd, (unsigned)owner);
}

/* A number without a sign that is followed by `end`. */
static int read_number(const char **at, int base, char end, unsigned long most)
{
    char *stop = NULL;
    bool is_digit = (**at >= '0' && **at <= '9') || (base == 16 && **at >= 'a' && **at <= 'f');
    unsigned long number = is_digit ? strtoul(*at, &stop, base) : ULONG_MAX;
    if (number > most || *stop != end) {
        return -EINVAL;
    }
    *at = stop + (end != '\0');
    return (int)number;
}

int kin__mark_read(int argc, char *const *argv, int *ret_fd, uint32_t *ret_owner)
{
    char own[KIN__MARK_BYTES];
    const char *text = argv != NULL && argc > 1 ? argv[1] : "";
    if (argv == NULL) {
        text = kin__os_argument(1, own, sizeof own) == 0 ? own : "";
    }
    if (text == NULL || strncmp(text, MARK, strlen(MARK)) != 0) {
        return -ENOENT;
    }
    text += strlen(MARK);
    int fd = read_number(&text, 10, ':', INT_MAX);
    int owner = fd < 0 ? fd : read_number(&text, 16, '\0', INT_MAX);
    if (owner < 0) {
        return -EINVAL;
    }
    *ret_fd = fd;
    *ret_owner = (uint32_t)owner;
    return 0;
}
