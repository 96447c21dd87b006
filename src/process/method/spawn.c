/*
 * Starting a child by spawn: this program, or another one, anew.
 *
 * The child finds by its argument 1 that it is one (family/member/mark.c), maps the family's
 * memory, of which it has the fd, takes the slot that was prepared for it, and runs what its
 * package says. What its parent has goes no other way; all fds but those that are passed are
 * closed before the exec. Nobody writes to anybody, so nobody waits: when the exec has succeeded
 * the start is done.
 *
 * Fds of the child: 0 to 2 are the parent's, 0 is soon empty; MEMORY_FD is the family's memory;
 * those behind it are passed.
 */
#include "os/spawn.h"
#include "base/allocate.h"
#include "family/family.h"
#include "os/memory.h"
#include "os/process.h"
#include "process/method.h"
#include "process/method/package.h"
#include "process/runtime.h"

#include <errno.h>
#include <kin/command.h>
#include <kin/command_result.h>

enum { STREAMS = 3, MEMORY_FD = STREAMS };

static int run_program(kin_process *process, const struct kin__os_spawn *spawn)
{
    struct kin__os_child child;
    enum kin__os_spawn_stage stage = KIN__OS_SPAWN_START;
    int r = kin__os_spawn(spawn, &child, &stage);
    if (r == 0) {
        kin__child_started(process->owner, child.pid);
        kin__start_end(process, child.pid, child.fd);
    } else {
        process->stage = kin_command_stage_name((kin_command_stage)(KIN_STAGE_START + (int)stage));
    }
    return r;
}

static int exec_child(kin_process *process, const struct kin__package *package)
{
    char mark[KIN__MARK_BYTES];
    char *executable = NULL;
    uint32_t fd_count = MEMORY_FD + 1 + package->fd_count;
    int *fds = kin__allocate_array(fd_count, sizeof *fds);
    int r = fds == NULL ? -ENOMEM : kin__context_executable(&executable);
    if (r == 0) {
        fds[0] = kin__family.has_input ? KIN__OS_SPAWN_KEEP : KIN__OS_SPAWN_CLOSED;
        fds[1] = fds[2] = KIN__OS_SPAWN_KEEP;
        fds[MEMORY_FD] = kin__family.fd;
        for (uint32_t i = 0; i < package->fd_count; i++) {
            fds[MEMORY_FD + 1 + i] = package->fds[i];
        }
        kin__mark_write(MEMORY_FD, process->owner, mark, sizeof mark);
        const char *name = executable != NULL ? executable : kin__os_program_name();
        char *const argv[] = {(char *)name, mark, NULL};
        struct kin__os_spawn spawn = {.path = executable != NULL ? executable
                                                                 : KIN__OS_PROGRAM_PATH,
                                      .argv = argv,
                                      .fds = fds,
                                      .fd_count = fd_count};
        r = run_program(process, &spawn);
    }
    kin__release(executable);
    kin__release(fds);
    return r;
}

static int start(kin_process *process)
{
    struct kin__package package = {0};
    int r = kin__start_begin(process);
    if (r == 0) {
        process->stage = "what it is given";
        r = kin__package_create(&process->plan, process->record, &package);
    }
    if (r == 0) {
        kin__package_give(&package, process->record, process->owner);
        r = exec_child(process, &package);
    }
    kin__package_deinit(&package);
    if (r < 0) {
        kin__start_fail(process);
    }
    return r;
}

const struct kin__method kin__method_spawn = {.method = KIN_SPAWN, .name = "spawn", .start = start};

/* --- in the child --- */

static int adopt_fds(int first, uint32_t count, int **ret_fds)
{
    int r = 0;
    int *fds = kin__allocate_array(count, sizeof *fds);
    if (fds == NULL && count > 0) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; r == 0 && i < count; i++) {
        fds[i] = first + (int)i;
        r = kin__os_adopt_fd(fds[i]);
    }
    *ret_fds = fds;
    return r;
}

void kin__start_spawned(int fd)
{
    uint32_t count = 0;
    int *fds = NULL;
    kin__start_check_parent();
    int r = kin__package_count_fds(&count);
    if (r == 0) {
        r = adopt_fds(fd + 1, count, &fds);
    }
    if (r < 0) {
        kin__start_refuse(r, "");
    }
    kin__start_from_package(fds, count);
}
