/*
 * Logging: kin and the program say on stderr what they do, then a sink of the program's own counts
 * messages. See docs/guide/logging.md.
 */
#include <stdio.h>

#include <kin.h>

/* Runs in a child, which logs as its parent does. */
static int check(kin_call *call)
{
    (void)call;
    kin_log(KIN_LOG_WARNING, "%d files are left", 3);
    kin_log(KIN_LOG_DEBUG, "too small a matter");
    return 0;
}

static int start_and_join(void)
{
    kin_process *process;
    int code = kin_process_start_bytes(check, NULL, 0, NULL, &process);
    if (code == 0) {
        code = kin_process_join(process, KIN_FOREVER);
        kin_process_free(process);
    }
    return code;
}

static void count(const kin_log_record *record, void *user)
{
    int *counts = user;
    counts[record->level >= KIN_LOG_WARNING]++;
}

int main(int argc, char **argv)
{
    int counts[2] = {0, 0};
    int code = kin_init(&argc, &argv);
    kin_log(KIN_LOG_CRITICAL, "nobody has asked for it");
    kin_log_to_stderr(KIN_LOG_INFO);
    if (code == 0) {
        code = start_and_join();
    }
    kin_log_set_sink(count, counts, KIN_LOG_INFO);
    kin_log(KIN_LOG_INFO, "one");
    kin_log(KIN_LOG_INFO, "two");
    kin_log(KIN_LOG_ERROR, "three");
    printf("%d messages, %d of them bad\n", counts[0] + counts[1], counts[1]);
    kin_log_to_stderr(0); /* from the same level on */
    if (code < 0) {
        fprintf(stderr, "log: %s\n", kin_code_text(code));
    }
    fflush(stdout);
    return code < 0;
}
