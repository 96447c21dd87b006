/*
 * A Python child of a C program: it imports a module, calls a function in it with arguments from
 * C, and both send each other objects. See docs/guide/interop.md.
 *
 *     python_child [FOLDER]    where python_child.py is; default: examples
 *
 * To Python the child is one that multiprocessing has started with its method "spawn". That is a
 * command line and two pickles on a pipe, which stays open as long as the parent lives.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <kin.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *const python = "/usr/bin/python3"; /* any from 3.8 to 3.13 */

/* What Python is to make of the objects below: a call of what has this name. */
static kin_class key_class = {.module = "multiprocessing.process", .name = "AuthenticationString"};
static kin_class process_class = {.module = "multiprocessing.context", .name = "SpawnProcess"};
static kin_class connection_class = {.module = "multiprocessing.connection",
                                     .name = "rebuild_connection"};
static kin_class fd_class = {.module = "multiprocessing.popen_spawn_posix", .name = "_DupFd"};

/* NULL, as everywhere with objects, if memory ran out: kin_pickle_encode says so at the end. */
static kin_object *call(const kin_class *class_, kin_object *arguments)
{
    kin_object *object = NULL;
    return kin_instance_create(class_, arguments, &object) < 0 ? NULL : object;
}

/* A connection as an argument of the function. The child has the fd under the same number. */
static kin_object *connection_argument(const kin_connection *connection)
{
    int fd = kin_connection_fd(connection);
    return call(&connection_class,
                KIN_TUPLE(call(&fd_class, KIN_TUPLE(kin_object_from_int(fd))),
                          kin_object_from_bool(true), kin_object_from_bool(true)));
}

/* The key by which the child's own children know each other. */
static kin_object *make_key(void)
{
    unsigned char key[KIN_KEY_BYTES];
    return kin_key_generate(key, sizeof key) < 0
               ? NULL
               : call(&key_class, KIN_TUPLE(kin_object_from_bytes(key, sizeof key)));
}

/* The first pickle: what is set in the child before it imports anything. */
static kin_object *make_preparation(const char *folder, const kin_object *key)
{
    kin_object *data = kin_dict_create();
    kin_dict_set_text(data, "name", kin_object_from_text("PythonChild"));
    kin_dict_set_text(data, "authkey", kin_object_ref(key));
    kin_dict_set_text(data, "dir", kin_object_from_text(folder));      /* modules are found there */
    kin_dict_set_text(data, "orig_dir", kin_object_from_text(folder)); /* by its children */
    kin_dict_set_text(data, "sys_argv", KIN_LIST(kin_object_from_text("python_child")));
    kin_dict_set_text(data, "start_method", kin_object_from_text("spawn"));
    return data;
}

/* The second one: a multiprocessing.Process with all its attributes. */
static kin_object *make_process(kin_object *target, kin_object *arguments, const kin_object *key)
{
    kin_object *state = kin_dict_create(), *settings = kin_dict_create();
    kin_dict_set_text(settings, "authkey", kin_object_ref(key));
    kin_dict_set_text(settings, "semprefix", kin_object_from_text("/mp"));
    kin_dict_set_text(state, "_config", settings);
    kin_dict_set_text(state, "_identity", KIN_TUPLE(kin_object_from_int(1)));
    kin_dict_set_text(state, "_name", kin_object_from_text("PythonChild"));
    kin_dict_set_text(state, "_parent_pid", kin_object_from_int(getpid()));
    kin_dict_set_text(state, "_parent_name", kin_object_from_text("python_child"));
    kin_dict_set_text(state, "_popen", kin_object_none());
    kin_dict_set_text(state, "_closed", kin_object_from_bool(false));
    kin_dict_set_text(state, "_target", target);
    kin_dict_set_text(state, "_args", arguments);
    kin_dict_set_text(state, "_kwargs", kin_dict_create());
    kin_object *process = call(&process_class, kin_tuple_from(NULL, 0));
    kin_instance_set_state(process, state);
    return process;
}

/* Writes an object as a pickle. */
static int write_pickle(int fd, const kin_object *object)
{
    kin_object *pickle = NULL;
    int code = kin_pickle_encode(object, NULL, &pickle);
    kin_bytes bytes = kin_object_bytes(pickle);
    for (size_t done = 0; code == 0 && done < bytes.size;) {
        ssize_t written = write(fd, (const char *)bytes.data + done, bytes.size - done);
        code = written < 0 && errno != EINTR ? -errno : 0;
        done += written > 0 ? (size_t)written : 0;
    }
    kin_object_free(pickle);
    return code;
}

/* Starts the interpreter, which inherits two fds. */
static int start_python(int pipe_fd, int connection_fd, pid_t *ret_pid)
{
    char program[128];
    snprintf(program, sizeof program,
             "from multiprocessing.spawn import spawn_main; "
             "spawn_main(tracker_fd=None, pipe_handle=%d)",
             pipe_fd);
    const char *words[] = {python, "-B", "-c", program, "--multiprocessing-fork", NULL};
    posix_spawn_file_actions_t actions;
    int code = posix_spawn_file_actions_init(&actions);
    if (code == 0) {
        /* To its own number: it is inherited. All else is closed by exec. */
        posix_spawn_file_actions_adddup2(&actions, pipe_fd, pipe_fd);
        posix_spawn_file_actions_adddup2(&actions, connection_fd, connection_fd);
        code = posix_spawn(ret_pid, python, &actions, NULL, (char *const *)words, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    return -code;
}

static void ask(kin_connection *connection, kin_object *question)
{
    kin_object *answer = NULL;
    int code = kin_connection_send(connection, question, KIN_FOREVER);
    if (code == 0) {
        code = kin_connection_receive(connection, KIN_FOREVER, &answer);
    }
    if (code == 0) {
        kin_object_print(answer, stdout);
    } else {
        printf("%s\n", kin_code_text(code));
    }
    kin_object_free(answer);
    kin_object_free(question);
}

static void talk(kin_connection *connection)
{
    kin_object *greeting = NULL;
    if (kin_connection_receive(connection, KIN_FOREVER, &greeting) == 0) {
        printf("%s\n", kin_object_text(greeting));
    }
    kin_object_free(greeting);
    ask(connection, kin_object_from_range(0, 10));
    ask(connection,
        KIN_LIST(kin_object_from_float(1.5), kin_object_from_int(1), kin_object_from_float(8.5)));
}

/* A Python that runs python_child.answer(theirs, "Hello"); the pipe is for its two pickles. */
static int start(const char *folder, const kin_connection *theirs, const int *pipe_fds,
                 pid_t *ret_pid)
{
    kin_object *key = make_key();
    kin_object *preparation = make_preparation(folder, key);
    kin_object *process = make_process(
        kin_object_from_global("python_child", "answer"),
        KIN_TUPLE(connection_argument(theirs), kin_object_from_text("Hello")), key);
    int code = start_python(pipe_fds[0], kin_connection_fd(theirs), ret_pid);
    if (code == 0) {
        code = write_pickle(pipe_fds[1], preparation);
    }
    if (code == 0) {
        code = write_pickle(pipe_fds[1], process);
    }
    kin_object_free(process);
    kin_object_free(preparation);
    kin_object_free(key);
    return code;
}

int main(int argc, char **argv)
{
    int fds[2], status = 0;
    pid_t pid = 0;
    kin_connection *mine, *theirs;
    signal(SIGPIPE, SIG_IGN); /* a child that ends too early is an error, not the end */
    if (kin_init(&argc, &argv) < 0 || kin_pipe_create(true, &mine, &theirs) < 0 ||
        pipe2(fds, O_CLOEXEC) < 0) {
        return 1;
    }
    int code = start(argc > 1 ? argv[1] : "examples", theirs, fds, &pid);
    close(fds[0]);
    kin_connection_free(theirs); /* so that the child's end is the only one */
    if (code == 0) {
        talk(mine);
    } else {
        fprintf(stderr, "python_child: %s\n", kin_code_text(code));
    }
    kin_connection_free(mine);
    if (pid > 0 && waitpid(pid, &status, 0) == pid) {
        printf("Python ended with %d\n", WEXITSTATUS(status));
    }
    close(fds[1]); /* not earlier: Python takes that for the parent's death */
    return code < 0;
}
