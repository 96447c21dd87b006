/*
 * What processes do with kin: conformance METHOD
 *
 * Prints what processes.py prints with CPython's multiprocessing; see there, and scenario.h.
 */
#include "scenario.h"

#include <fcntl.h>

#define SCENARIO(name) void scenario_##name(void);
#include "scenarios.h"
#undef SCENARIO

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
#define SCENARIO(name) {#name, scenario_##name},
#include "scenarios.h"
#undef SCENARIO
};

kin_start_method method;

static kin_start_method method_named(const char *name)
{
    for (int i = KIN_FORK; i <= KIN_FORKSERVER; i++) {
        const kin_context *context = kin_context_get((kin_start_method)i);
        if (name != NULL && context != NULL && strcmp(kin_context_name(context), name) == 0) {
            return (kin_start_method)i;
        }
    }
    fprintf(stderr, "usage: conformance fork|spawn|forkserver\n");
    exit(2);
}

/* What is written to stderr can be read back. */
static void keep_stderr(void)
{
    char path[] = "/tmp/conformance-XXXXXX";
    int fd = mkstemp(path);
    REQUIRE(fd >= 0 && unlink(path) == 0);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_APPEND);
    REQUIRE(dup2(fd, STDERR_FILENO) >= 0);
    close(fd);
}

int main(int argc, char **argv)
{
    REQUIRE(kin_init(&argc, &argv) == 0);
    method = method_named(argc == 2 ? argv[1] : NULL);
    keep_stderr();
    signal(SIGINT, SIG_DFL); /* a shell may have it ignored */
    REQUIRE(kin_context_set_default(method, false) == 0);
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        size_t length = strcspn(scenarios[i].name, "_");
        bool is_c_word = strcmp(scenarios[i].name, "pipe_") == 0; /* a name that C has taken */
        out("== %.*s", is_c_word ? (int)length : 100, scenarios[i].name);
        scenarios[i].run();
    }
    return 0;
}
