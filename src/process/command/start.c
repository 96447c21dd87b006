#include "process/command/command.h"

#include "base/allocate.h"
#include "os/process.h"
#include "os/spawn.h"
#include "process/runtime.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static_assert(KIN_STAGE_EXEC - KIN_STAGE_START == KIN__OS_SPAWN_EXEC - KIN__OS_SPAWN_START,
              "the same stages");
static_assert(sizeof(kin_command_limit) == sizeof(struct kin__os_limit) &&
                  offsetof(kin_command_limit, soft) == offsetof(struct kin__os_limit, soft) &&
                  offsetof(kin_command_limit, hard) == offsetof(struct kin__os_limit, hard),
              "the same layout");

/* Writes the arguments, for people: with spaces between them, cut where there is no room. */
static void describe(kin_command *command, const char *const *argv)
{
    size_t used = 0;
    for (; argv != NULL && *argv != NULL && used < sizeof command->text; argv++) {
        bool is_quoted = **argv == '\0' || strpbrk(*argv, " \t\n'\"") != NULL;
        int bytes = snprintf(command->text + used, sizeof command->text - used,
                             is_quoted ? "%s\"%s\"" : "%s%s", used > 0 ? " " : "", *argv);
        used += bytes > 0 ? (size_t)bytes : 0;
    }
    if (used >= sizeof command->text) {
        memcpy(command->text + sizeof command->text - 4, "...", 4);
    }
}

kin_command *kin__command_create(const char *const *argv)
{
    kin_command *command = kin__allocate_zeroed(sizeof *command);
    if (command == NULL) {
        return NULL;
    }
    command->fd = -1;
    for (uint32_t i = 0; i < 3; i++) {
        command->streams[i].fd = -1;
        command->opened[i] = -1;
    }
    describe(command, argv);
    return command;
}

static void keep(kin_command *command, const kin_command_options *options)
{
    static const kin_stop none;
    bool has_stop = memcmp(&options->stop, &none, sizeof none) != 0;
    command->starter = kin__os_process_id();
    command->stops_group = options->stops_group;
    command->checks = options->checks;
    command->stop = has_stop ? options->stop : (kin_stop){.kill_ms = KIN_STOP_FOREVER};
    command->input = options->input;
    command->output_bytes_max = options->output_bytes_max == 0 ||
                                        options->output_bytes_max >= SIZE_MAX - 1
                                    ? SIZE_MAX - 1
                                    : (size_t)options->output_bytes_max;
}

/* Where there is no more to say of a field than what the caller has said. */
static struct kin__os_spawn spawn_of(const char *const *argv, const kin_command_options *options)
{
    bool has_own_group = options->stops_group && !options->has_session;
    return (struct kin__os_spawn){
        .path = options->program != NULL ? options->program : argv[0],
        .searches = true,
        .argv = (char *const *)argv,
        .cwd = options->cwd,
        .has_session = options->has_session,
        .has_group = options->has_process_group || has_own_group,
        .group = (uint32_t)options->process_group,
        .has_umask = options->has_umask,
        .umask = options->umask,
        .has_uid = options->has_user,
        .uid = options->user,
        .has_gid = options->has_group,
        .gid = options->group,
        .has_groups = options->has_groups || options->has_user,
        .groups = options->groups,
        .group_count = options->group_count,
        .limits = (const struct kin__os_limit *)options->limits,
        .limit_count = options->limit_count,
    };
}

/* Its standard streams, and the others behind them. NULL: no memory. */
static int *list_fds(const int streams[3], const kin_command_options *options)
{
    int *fds = kin__allocate_array(3 + (size_t)options->fd_count, sizeof *fds);
    if (fds != NULL) {
        memcpy(fds, streams, 3 * sizeof *fds);
        if (options->fd_count > 0) {
            memcpy(fds + 3, options->fds, options->fd_count * sizeof *fds);
        }
    }
    return fds;
}

static int spawn(kin_command *command, const struct kin__os_spawn *how)
{
    enum kin__os_spawn_stage stage = KIN__OS_SPAWN_START;
    struct kin__os_child child;
    int r = kin__os_spawn(how, &child, &stage);
    if (r < 0) {
        command->stage = (kin_command_stage)(KIN_STAGE_START + (int)stage);
        return r;
    }
    mtx_lock(&kin__children.lock);
    command->fd = child.fd;
    command->pid = child.pid;
    mtx_unlock(&kin__children.lock);
    return 0;
}

static int open_streams(kin_command *command, const kin_command_options *options, int ret_fds[3])
{
    mtx_lock(&kin__children.lock);
    kin__commands_sweep();
    int r = kin__command_open_streams(command, options, ret_fds);
    if (r == 0) {
        kin__command_list(command);
    }
    mtx_unlock(&kin__children.lock);
    return r;
}

void kin__command_started(kin_command *command, int code)
{
    command->code = code;
    mtx_lock(&kin__children.lock);
    kin__command_close_opened(command);
    if (code < 0) {
        kin__command_close_streams(command);
    }
    if (code < 0 && kin__list_node_is_linked(&command->node)) {
        kin__list_remove(&command->node);
    }
    mtx_unlock(&kin__children.lock);
}

static int start(kin_command *command, const char *const *argv, const kin_command_options *options)
{
    int streams[3];
    char **environment = NULL;
    struct kin__os_spawn how = spawn_of(argv, options);
    command->stage = KIN_STAGE_STREAMS;
    int r = open_streams(command, options, streams);
    if (r < 0) {
        return r;
    }
    command->stage = KIN_STAGE_NONE;
    int *fds = list_fds(streams, options);
    r = fds == NULL ? -ENOMEM : kin__command_environment(options, &environment);
    if (r == 0) {
        how.fds = fds;
        how.fd_count = 3 + options->fd_count;
        how.envp = environment;
        r = spawn(command, &how);
    }
    kin__release(fds);
    kin__release(environment);
    return r;
}

int kin__command_launch(kin_command *command, const char *const *argv,
                        const kin_command_options *options)
{
    static const kin_command_options defaults = {.size = sizeof defaults};
    options = options != NULL ? options : &defaults;
    int r = kin__command_check_options(command, argv, options);
    if (r == 0) {
        keep(command, options);
        r = start(command, argv, options);
    }
    kin__command_started(command, r);
    return r;
}
