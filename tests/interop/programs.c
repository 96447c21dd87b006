/*
 * The same programs run by kin and by CPython's subprocess, which must say the same of them: how
 * they ended, and what they wrote. See programs.py for the ways.
 */
#include "harness/test.h"

#include <kin.h>
#include <stdio.h>
#include <stdlib.h>

enum { LATE_MS = 1000 };

struct scenario {
    const char *way;
    const char *argument;
    const char *input;
};

static const struct scenario scenarios[] = {
    {"capture", "echo out; echo err >&2; exit 3", ""},
    {"capture", "cat; exit 255", "some input\n"},
    {"capture", "exec <&-; echo done", "never read"},
    {"capture", "kill -9 $$", ""},
    {"capture", "kill -PIPE $$; echo alive", ""},
    {"capture", "trap 'echo caught; exit 4' TERM; kill -TERM $$", ""},
    {"capture", "head -c 100000 /dev/zero | tr '\\0' x", ""},
    {"merge", "echo a; echo b >&2; echo c; exit 1", ""},
    {"null", "cat; echo x; echo y >&2", ""},
    {"folder", "/proc", ""},
    {"environment", "echo $A/$HOME/$B; env | grep -c =", ""},
    {"session", "[ $(cut -d ' ' -f 6 /proc/$$/stat) = $$ ] && echo its own", ""},
    {"check", "echo partly; echo why >&2; exit 7", ""},
    {"check", "kill -TERM $$", ""},
    {"late", "echo early; echo why >&2; exec sleep 100", ""},
    {"missing", "/nonexistent/program", ""},
    {"missing", "/etc/passwd", ""},
    {"missing", "no-such-program", ""},
    {"no folder", "/nonexistent", ""},
    {"no folder", "/etc/passwd", ""},
    {"getstatusoutput", "echo a; echo b >&2; echo; echo; exit 5", ""},
    {"getstatusoutput", "printf x", ""},
    {"pipeline", "head -n 3", ""},
};

static bool is_way(const struct scenario *scenario, const char *way)
{
    return strcmp(scenario->way, way) == 0;
}

static size_t write_hexadecimal(kin_bytes bytes, char *text, size_t room)
{
    size_t used = 0;
    for (size_t i = 0; i < bytes.size && used + 3 < room; i++) {
        used += (size_t)snprintf(text + used, room - used, "%02x",
                                 ((const unsigned char *)bytes.data)[i]);
    }
    if (used == 0) {
        used = (size_t)snprintf(text, room, "-");
    }
    return used;
}

/* One line, as programs.py prints it. */
static void tell(const char *code, kin_bytes output, kin_bytes errors, char *text, size_t room)
{
    size_t used = (size_t)snprintf(text, room, "%s ", code);
    used += write_hexadecimal(output, text + used, room - used);
    used += (size_t)snprintf(text + used, room - used, " ");
    used += write_hexadecimal(errors, text + used, room - used);
    snprintf(text + used, room - used, "\n");
}

static void tell_command(kin_command *command, int code, char *text, size_t room)
{
    char word[16] = "late";
    int status = 0;
    if (code == 0 || code == KIN_ESTATUS) {
        CHECK_EQUAL(kin_command_poll(command, &status), 0);
        snprintf(word, sizeof word, "%d", status);
    } else if (code != -ETIMEDOUT) {
        snprintf(word, sizeof word, "%d", code);
    }
    tell(word, kin_command_output(command), kin_command_errors(command), text, room);
}

static void run_pipeline(const struct scenario *scenario, char *text, size_t room)
{
    const kin_command_options to_memory = {.size = sizeof to_memory,
                                           .stdout_to = {KIN_STREAM_CAPTURE, 0}};
    const kin_pipeline_part parts[] = {{KIN_ARGV("yes"), NULL},
                                       {KIN_ARGV("/bin/sh", "-c", scenario->argument), &to_memory}};
    kin_pipeline *pipeline = NULL;
    char word[16];
    int status = 0;
    REQUIRE(kin_pipeline_run(parts, 2, NULL, KIN_FOREVER, &pipeline) == 0);
    CHECK_EQUAL(kin_command_poll(kin_pipeline_command(pipeline, 0), &status), 0);
    snprintf(word, sizeof word, "%d", status);
    tell(word, kin_command_output(kin_pipeline_command(pipeline, 1)), (kin_bytes){0}, text, room);
    kin_pipeline_free(pipeline);
}

static kin_command_options options_of(const struct scenario *scenario)
{
    static const char *const environment[] = {"A=1", "PATH=/usr/bin:/bin", NULL};
    kin_command_options options = {.size = sizeof options,
                                   .stdout_to = {KIN_STREAM_CAPTURE, 0},
                                   .stderr_to = {KIN_STREAM_CAPTURE, 0}};
    options.checks = is_way(scenario, "check");
    options.has_session = is_way(scenario, "session");
    if (is_way(scenario, "capture")) {
        options.input = (kin_bytes){scenario->input, strlen(scenario->input)};
    } else if (is_way(scenario, "merge")) {
        options.stderr_to.kind = KIN_STREAM_STDOUT;
    } else if (is_way(scenario, "null")) {
        options.stdin_from.kind = options.stderr_to.kind = KIN_STREAM_NULL;
    } else if (is_way(scenario, "folder")) {
        options.cwd = scenario->argument;
        options.has_umask = true;
        options.umask = 027;
    } else if (is_way(scenario, "no folder")) {
        options.cwd = scenario->argument;
    } else if (is_way(scenario, "environment")) {
        options.environment = environment;
    }
    return options;
}

/* What kin says of a scenario. */
static void run_here(const struct scenario *scenario, char *text, size_t room)
{
    const char *script = is_way(scenario, "folder") ? "pwd; umask" : scenario->argument;
    bool is_shell = !is_way(scenario, "missing") && !is_way(scenario, "no folder");
    const char *const *argv = is_shell                        ? KIN_ARGV("/bin/sh", "-c", script)
                              : is_way(scenario, "no folder") ? KIN_ARGV("true")
                                                              : KIN_ARGV(script);
    kin_timeout timeout = is_way(scenario, "late") ? kin_within_ms(LATE_MS) : KIN_FOREVER;
    const kin_command_options options = options_of(scenario);
    kin_command *command = NULL;
    if (is_way(scenario, "pipeline")) {
        run_pipeline(scenario, text, room);
        return;
    }
    int code = is_way(scenario, "getstatusoutput")
                   ? kin_command_getoutput(script, timeout, &command)
                   : kin_command_run(argv, &options, timeout, &command);
    tell_command(command, code, text, room);
    kin_command_free(command);
}

TEST_WITH(programs_end_and_write_as_with_subprocess, .limit_seconds = 120)
{
    static char here[1 << 19];
    char path[512];
    const char *python = getenv("KIN_PYTHON");
    const char *source = getenv("KIN_SOURCE");
    snprintf(path, sizeof path, "%s/tests/interop/programs.py", source != NULL ? source : ".");
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        const struct scenario *scenario = &scenarios[i];
        kin_command *peer = NULL;
        run_here(scenario, here, sizeof here);
        REQUIRE(
            kin_command_check_output(KIN_ARGV(python != NULL ? python : "/usr/bin/python3", path,
                                              scenario->way, scenario->argument, scenario->input),
                                     KIN_FOREVER, &peer) == 0);
        CHECK_STRING(here, (const char *)kin_command_output(peer).data);
        kin_command_free(peer);
    }
}
