#define _GNU_SOURCE
#include "interop/child.h"

#include "harness/test.h"
#include "interop/peer.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* An object of a class, or what a function returns, in the words of Python: made by a call with
 * these arguments, and then given this state, if any. All are taken. */
static kin_object *make(const char *module, const char *name, kin_object *arguments,
                        kin_object *state)
{
    /* A class must live as long as the program: there are few, and a test is a program. */
    static kin_class classes[16];
    static size_t count;
    REQUIRE(count < sizeof classes / sizeof *classes);
    kin_class *class_ = &classes[count++];
    *class_ = (kin_class){.module = module, .name = name};
    kin_object *object = NULL;
    REQUIRE(kin_instance_create(class_, arguments, &object) == 0);
    REQUIRE(state == NULL || kin_instance_set_state(object, state) == 0);
    return object;
}

static void set(kin_object *dict, const char *key, kin_object *value)
{
    REQUIRE(kin_dict_set_text(dict, key, value) == 0);
}

static kin_object *text(const char *value)
{
    return kin_object_from_text(value);
}

kin_object *child_connection(int fd)
{
    kin_object *duplicate = make("multiprocessing.popen_spawn_posix", "_DupFd",
                                 KIN_TUPLE(kin_object_from_int(fd)), NULL);
    return make("multiprocessing.connection", "rebuild_connection",
                KIN_TUPLE(duplicate, kin_object_from_bool(true), kin_object_from_bool(true)), NULL);
}

kin_object *child_lock(const char *name)
{
    kin_object *state = KIN_TUPLE(kin_object_from_int(0), kin_object_from_int(1),
                                  kin_object_from_int(1), text(name));
    return make("multiprocessing.synchronize", "Lock", kin_tuple_from(NULL, 0), state);
}

/* --- the two pickles --- */

static kin_object *key(void)
{
    return make("multiprocessing.process", "AuthenticationString",
                KIN_TUPLE(kin_object_from_bytes("the key", 7)), NULL);
}

/* What multiprocessing.spawn.prepare does before anything else. */
static kin_object *preparation(void)
{
    kin_object *data = kin_dict_create();
    set(data, "log_to_stderr", kin_object_from_bool(false));
    set(data, "authkey", key());
    set(data, "name", text("Child-1"));
    set(data, "sys_argv", KIN_LIST(text("interop"), text("argument")));
    set(data, "dir", text(peer_folder()));      /* where its modules are */
    set(data, "orig_dir", text(peer_folder())); /* the same for children of its own */
    set(data, "start_method", text("spawn"));
    return data;
}

static kin_object *process(const struct child_plan *plan)
{
    kin_object *state = kin_dict_create(), *settings = kin_dict_create();
    set(settings, "authkey", key());
    set(settings, "semprefix", text("/mp"));
    set(state, "_identity", KIN_TUPLE(kin_object_from_int(1)));
    set(state, "_config", settings);
    set(state, "_parent_pid", kin_object_from_int(getpid()));
    set(state, "_parent_name", text("a C program"));
    set(state, "_popen", kin_object_none());
    set(state, "_closed", kin_object_from_bool(false));
    set(state, "_target", kin_object_from_global("child_functions", plan->function));
    set(state, "_args", plan->arguments);
    set(state, "_kwargs", plan->keywords != NULL ? plan->keywords : kin_dict_create());
    set(state, "_name", text("Child-1"));
    return make("multiprocessing.context", "SpawnProcess", kin_tuple_from(NULL, 0), state);
}

static void write_pickle(int fd, kin_object *object)
{
    kin_object *pickle = NULL;
    REQUIRE(kin_pickle_encode(object, NULL, &pickle) == 0);
    kin_bytes bytes = kin_object_bytes(pickle);
    wire_write(fd, bytes.data, bytes.size);
    kin_object_free(pickle);
    kin_object_free(object);
}

/* --- the process --- */

static pid_t spawn(int pipe, const struct child_plan *plan)
{
    char code[128];
    snprintf(code, sizeof code,
             "from multiprocessing.spawn import spawn_main; "
             "spawn_main(tracker_fd=None, pipe_handle=%d)",
             pipe);
    const char *words[] = {peer_python(), "-B", "-c", code, "--multiprocessing-fork", NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    REQUIRE(posix_spawn_file_actions_init(&actions) == 0);
    REQUIRE(posix_spawn_file_actions_adddup2(&actions, pipe, pipe) == 0); /* not close-on-exec */
    for (size_t i = 0; i < plan->fd_count; i++) {
        REQUIRE(posix_spawn_file_actions_adddup2(&actions, plan->fds[i], plan->fds[i]) == 0);
    }
    REQUIRE(posix_spawn(&pid, peer_python(), &actions, NULL, (char *const *)words, environ) == 0);
    REQUIRE(posix_spawn_file_actions_destroy(&actions) == 0);
    return pid;
}

struct child child_start(const struct child_plan *plan)
{
    int fds[2];
    REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
    struct child child = {.pid = spawn(fds[0], plan), .pipe = fds[1]};
    close(fds[0]);
    write_pickle(child.pipe, preparation());
    write_pickle(child.pipe, process(plan));
    return child;
}

int child_wait(struct child *child)
{
    int status = 0;
    REQUIRE(waitpid(child->pid, &status, 0) == child->pid);
    if (child->pipe >= 0) {
        close(child->pipe);
        child->pipe = -1;
    }
    return status;
}
