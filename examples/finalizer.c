/*
 * Finalizers: a folder for what the program makes is removed at its end, whichever way it comes
 * there; a child has an end, and finalizers, of its own. See docs/guide/shutdown.md.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <kin.h>

static char folder[] = "/tmp/kin-example-XXXXXX";

static void remove_folder(void *user)
{
    printf("%s\n", rmdir(user) == 0 ? "the folder is removed" : "the folder is still there");
}

static void say(void *user)
{
    printf("%s\n", (const char *)user);
    fflush(stdout);
}

/* Makes a finalizer that runs at the end of the process, unless it runs before. */
static int at_end(kin_finalizer_callback *callback, void *user, int32_t priority,
                  kin_finalizer **ret_finalizer)
{
    return kin_finalizer_create(
        callback, user, KIN_OPTIONS(kin_finalizer_options, .priority = priority), ret_finalizer);
}

/* Runs in a child: what its parent has to do at the end is not the child's. */
static int work(kin_call *call)
{
    (void)call;
    return at_end(say, "the child has ended", 0, NULL);
}

static int run(void)
{
    kin_finalizer *early = NULL;
    kin_finalizer *never = NULL;
    kin_process *process = NULL;
    if (mkdtemp(folder) == NULL) {
        return -EIO;
    }
    int code = at_end(remove_folder, folder, -100, NULL); /* when the children have ended */
    if (code == 0) {
        code = at_end(say, "first of all", 10, NULL);
    }
    if (code == 0) {
        code = at_end(say, "now, and so not at the end", 0, &early);
    }
    if (code == 0) {
        code = at_end(say, "never", 0, &never);
    }
    if (code == 0) {
        kin_finalizer_run(early);
        kin_finalizer_cancel(never);
        code = kin_process_start_bytes(work, NULL, 0, NULL, &process);
    }
    kin_finalizer_free(early);
    kin_finalizer_free(never);
    if (code == 0) {
        code = kin_process_join(process, KIN_FOREVER);
    }
    kin_process_free(process);
    return code;
}

int main(int argc, char **argv)
{
    int code = kin_init(&argc, &argv);
    if (code == 0) {
        code = run();
    }
    if (code < 0) {
        fprintf(stderr, "finalizer: %s\n", kin_code_text(code));
    }
    say("the end of main");
    return code < 0;
}
