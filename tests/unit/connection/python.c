/* A first word with CPython's Listener and Client; tests/interop has them all in every version. */
#include "unit/connection/listeners.h"

#include <spawn.h>

#define LISTENER(...) KIN_OPTIONS(kin_listener_options, __VA_ARGS__)
#define CLIENT(...) KIN_OPTIONS(kin_client_options, __VA_ARGS__)

extern char **environ;

/* Runs a script with two arguments; what it prints goes to `ret_output`. */
static pid_t python_start(const char *script, const char *first, const char *second,
                          FILE **ret_output)
{
    const char *python = getenv("KIN_PYTHON");
    int pipe_fds[2];
    pid_t pid = 0;
    posix_spawn_file_actions_t actions;
    python = python != NULL ? python : "/usr/bin/python3";
    REQUIRE(pipe(pipe_fds) == 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], 1);
    posix_spawn_file_actions_addclose(&actions, pipe_fds[0]);
    const char *words[] = {"python3", "-E", "-s", "-B", "-c", script, first, second, NULL};
    REQUIRE(posix_spawn(&pid, python, &actions, NULL, (char *const *)words, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_fds[1]);
    *ret_output = fdopen(pipe_fds[0], "r");
    REQUIRE(*ret_output != NULL);
    return pid;
}

static void check_output(FILE *output, const char *expected)
{
    char line[600] = "";
    REQUIRE(fgets(line, sizeof line, output) != NULL);
    line[strcspn(line, "\n")] = '\0';
    CHECK_STRING(line, expected);
}

static void python_end(pid_t pid, FILE *output)
{
    int status = 1;
    fclose(output);
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK_EQUAL(status, 0);
}

static const char python_client[] =
    "import sys\n"
    "from multiprocessing.connection import Client\n"
    "from multiprocessing import AuthenticationError\n"
    "kind, rest = sys.argv[1].split(':', 1)\n"
    "address = rest\n"
    "if kind == 'tcp':\n"
    "    host, port = rest.split(':')\n"
    "    address = (host, int(port))\n"
    "try:\n"
    "    with Client(address, authkey=sys.argv[2].encode()) as connection:\n"
    "        connection.send_bytes(connection.recv_bytes()[::-1])\n"
    "        print('done')\n"
    "except AuthenticationError as error:\n"
    "    print('AuthenticationError')\n";

TEST(a_client_of_cpython_reaches_a_listener)
{
    static const char *const addresses[] = {"unix:", LOOPBACK};
    begin();
    for (size_t i = 0; i < 2; i++) {
        FILE *output = NULL;
        char bytes[16] = "";
        size_t size = 0;
        kin_connection *connection = NULL;
        kin_listener *listener = new_listener(addresses[i], LISTENER(.key = SECRET));
        pid_t pid = python_start(python_client, kin_listener_address(listener), SECRET.data,
                                 &output);
        CHECK_EQUAL(kin_listener_accept(listener, KIN_FOREVER, &connection), 0);
        CHECK_EQUAL(kin_connection_send_bytes(connection, "word", 4, KIN_FOREVER), 0);
        CHECK_EQUAL(
            kin_connection_receive_into(connection, bytes, sizeof bytes, KIN_FOREVER, &size), 0);
        CHECK_BYTES(bytes, "drow", 4);
        check_output(output, "done");
        python_end(pid, output);
        kin_connection_free(connection);
        kin_listener_free(listener);
    }
}

TEST(a_client_of_cpython_with_another_key_is_told_so)
{
    begin();
    FILE *output = NULL;
    struct service service;
    kin_listener *listener = new_listener("unix:", LISTENER(.key = SECRET));
    start_service(&service, listener);
    pid_t pid = python_start(python_client, kin_listener_address(listener), OTHER_SECRET.data,
                             &output);
    check_output(output, "AuthenticationError");
    python_end(pid, output);
    while (counts_of(listener).rejected == 0) {
        pause_a_moment();
    }
    CHECK_EQUAL(end_service(&service), -ECANCELED);
    kin_listener_free(listener);
}

static const char python_listener[] =
    "import sys\n"
    "from multiprocessing.connection import Listener\n"
    "from multiprocessing import AuthenticationError\n"
    "address = sys.argv[1] or ('127.0.0.1', 0)\n"
    "with Listener(address, authkey=sys.argv[2].encode()) as listener:\n"
    "    if isinstance(listener.address, str):\n"
    "        print('unix:' + listener.address, flush=True)\n"
    "    else:\n"
    "        print('tcp:%s:%d' % listener.address, flush=True)\n"
    "    try:\n"
    "        with listener.accept() as connection:\n"
    "            connection.send_bytes(connection.recv_bytes()[::-1])\n"
    "            print('done')\n"
    "    except AuthenticationError:\n"
    "        print('AuthenticationError')\n";

static void connect_to_python(const char *path, kin_bytes key, int expected)
{
    FILE *output = NULL;
    char address[600] = "";
    char bytes[16] = "";
    size_t size = 0;
    kin_connection *connection = NULL;
    pid_t pid = python_start(python_listener, path, SECRET.data, &output);
    REQUIRE(fgets(address, sizeof address, output) != NULL);
    address[strcspn(address, "\n")] = '\0';
    CHECK_EQUAL(kin_client_connect(address, CLIENT(.key = key), KIN_FOREVER, &connection),
                expected);
    if (expected == 0) {
        CHECK_EQUAL(kin_connection_send_bytes(connection, "word", 4, KIN_FOREVER), 0);
        CHECK_EQUAL(
            kin_connection_receive_into(connection, bytes, sizeof bytes, KIN_FOREVER, &size), 0);
        CHECK_BYTES(bytes, "drow", 4);
    }
    check_output(output, expected == 0 ? "done" : "AuthenticationError");
    python_end(pid, output);
    kin_connection_free(connection);
}

TEST(a_client_reaches_a_listener_of_cpython)
{
    char path[600];
    begin();
    snprintf(path, sizeof path, "%s/python", test_folder());
    connect_to_python(path, SECRET, 0);
    connect_to_python("", SECRET, 0);
}

TEST(a_listener_of_cpython_with_another_key_is_an_error)
{
    begin();
    connect_to_python("", OTHER_SECRET, KIN_EAUTHENTICATION);
}
