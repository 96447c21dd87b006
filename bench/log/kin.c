/* kin_log and kin_finalizer. */

#include "harness_kin.h"
#include "log/messages.h"

#include <kin.h>

static uint64_t run_count;

static void open_log(int is_on)
{
    harness_must(kin_init(NULL, NULL), "kin_init");
    if (is_on) {
        harness_must(kin_log_to_stderr(KIN_LOG_INFO), "kin_log_to_stderr");
    }
}

static void write_message(uint64_t number)
{
    kin_log(KIN_LOG_INFO, "message %llu of the bench", (unsigned long long)number);
}

static void count(void *user)
{
    ++*(uint64_t *)user;
}

static void finalize(void)
{
    kin_finalizer *finalizer = NULL;
    uint64_t before = run_count;
    harness_must(kin_finalizer_create(count, &run_count, NULL, &finalizer), "create");
    harness_must(kin_finalizer_run(finalizer), "kin_finalizer_run");
    kin_finalizer_free(finalizer);
    if (run_count != before + 1) {
        harness_die("it has not run");
    }
}

const messages_subject messages_measured = {open_log, write_message, finalize};
