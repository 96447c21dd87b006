#define _GNU_SOURCE
#include "soak/journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void name_journal(char *path, size_t bytes, const char *folder, uint32_t process)
{
    snprintf(path, bytes, "%s/%u", folder, process);
}

int journal_open(const char *folder, uint32_t process)
{
    char path[256];
    name_journal(path, sizeof path, folder, process);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) {
        perror(path);
        _exit(9);
    }
    return fd;
}

void journal_write(int fd, enum journal_kind kind, uint32_t producer, uint64_t sequence)
{
    struct journal_record record = {.kind = kind, .producer = producer, .sequence = sequence};
    if (write(fd, &record, sizeof record) != sizeof record) {
        perror("journal");
        _exit(9);
    }
}

void journal_read(const char *folder, uint32_t process, journal_visit *visit, void *user)
{
    char path[256];
    struct journal_record record;
    name_journal(path, sizeof path, folder, process);
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return; /* it was killed before it began */
    }
    while (fread(&record, sizeof record, 1, file) == 1) {
        visit(user, process, &record);
    }
    fclose(file);
}
