/*
 * Programs: one is fed and heard, one fails, one takes too long, one is talked to. See
 * docs/guide/commands.md.
 */
#include <kin.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What went wrong, if anything did, and the command is done with. */
static void finish(kin_command *command)
{
    kin_error *error = kin_command_error(command);
    if (error != NULL) {
        printf("%s\n", kin_error_message(error));
    }
    kin_error_free(error);
    kin_command_free(command);
}

/* The text is the program's standard input; what it writes comes back. */
static void sort_words(const char *text)
{
    kin_command *command;
    const kin_command_options options = {.size = sizeof options,
                                         .input = {text, strlen(text)},
                                         .stdout_to = {.kind = KIN_STREAM_CAPTURE},
                                         .checks = true};
    int code = kin_command_run(KIN_ARGV("sort"), &options, KIN_FOREVER, &command);
    if (code == 0) {
        kin_bytes sorted = kin_command_output(command);
        printf("%.*s", (int)sorted.size, (const char *)sorted.data);
    }
    finish(command);
}

static void fail(void)
{
    kin_command *command;
    const kin_command_options options = {
        .size = sizeof options,
        .cwd = "/",
        .environment_changes = (const char *const[]){"LC_ALL=C", 0},
        .stderr_to = {.kind = KIN_STREAM_CAPTURE},
        .checks = true};
    kin_command_run(KIN_ARGV("ls", "no such file"), &options, KIN_FOREVER, &command);
    finish(command);
    kin_command_run(KIN_ARGV("no-such-program"), NULL, KIN_FOREVER, &command);
    finish(command);
}

/* After 200 ms it is asked to end, and killed a second later if it has not. What it wrote until
 * then is there, and nothing that it has started is left. */
static void run_out_of_time(void)
{
    kin_command *command;
    const kin_command_options options = {.size = sizeof options,
                                         .stdout_to = {.kind = KIN_STREAM_CAPTURE},
                                         .stop = {.terminate_ms = 1000, .kill_ms = 1000},
                                         .stops_group = true};
    kin_command_run(KIN_ARGV("sh", "-c", "echo so far; sleep 100; echo done"), &options,
                    kin_within_ms(200), &command);
    finish(command);
}

/* Runs beside this program, which reads and writes its pipes. */
static int talk(void)
{
    kin_command *command;
    char answer[32];
    const kin_command_options options = {.size = sizeof options,
                                         .stdin_from = {.kind = KIN_STREAM_PIPE},
                                         .stdout_to = {.kind = KIN_STREAM_PIPE}};
    int code = kin_command_start(KIN_ARGV("sh", "-c", "read a b; echo $((a * b)); exit 3"),
                                 &options, &command);
    if (code == 0 && write(kin_command_stdin_fd(command), "6 7\n", 4) == 4) {
        ssize_t bytes = read(kin_command_stdout_fd(command), answer, sizeof answer);
        printf("6 * 7 = %.*s", (int)bytes, answer);
        code = kin_command_wait(command, KIN_FOREVER);
    }
    int status = 0;
    if (code == 0 && kin_command_poll(command, &status) == 0) {
        printf("status %d\n", status);
    }
    kin_command_free(command);
    return code;
}

int main(void)
{
    sort_words("pear\napple\nfig\n");
    fail();
    run_out_of_time();
    int code = talk();
    kin_command *command = NULL;
    if (kin_command_getoutput("echo a line for the shell | tr a-z A-Z", KIN_FOREVER, &command) ==
        0) {
        printf("%s\n", (const char *)kin_command_output(command).data);
    }
    kin_command_free(command);
    return code == 0 ? 0 : 1;
}
