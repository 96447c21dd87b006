/*
 * Hooks around fork: what a program does about its own state when it is copied. Here a lock, so
 * that it is free in every child whichever thread has it at that moment, and numbers that each
 * process is to have for itself. See docs/guide/shutdown.md.
 */
#include <kin.h>
#include <stdio.h>
#include <threads.h>

struct journal {
    mtx_t lock;
    int generation; /* of the process: how many forks lie between the first one and it */
    int lines;      /* that this process has written */
};

static struct journal journal;

static void write_line(const char *what)
{
    mtx_lock(&journal.lock);
    journal.lines++;
    printf("generation %d, line %d: %s\n", journal.generation, journal.lines, what);
    mtx_unlock(&journal.lock);
}

static void before(void *user)
{
    mtx_lock(&((struct journal *)user)->lock);
}

static void after_in_parent(void *user)
{
    mtx_unlock(&((struct journal *)user)->lock);
}

static void after_in_child(void *user)
{
    struct journal *own = user;
    own->generation++;
    own->lines = 0;
    mtx_unlock(&own->lock);
}

static int work(kin_call *call)
{
    (void)call;
    write_line("in a child");
    return 0;
}
KIN_FUNCTION(work)

static int run_child(void)
{
    kin_process *process = NULL;
    int code = kin_process_start_bytes(work, NULL, 0, NULL, &process);
    if (code == 0) {
        code = kin_process_join(process, KIN_FOREVER);
    }
    kin_process_free(process);
    return code;
}

int main(int argc, char **argv)
{
    static const kin_fork_callbacks callbacks = {.size = sizeof callbacks,
                                                 .before = before,
                                                 .after_parent = after_in_parent,
                                                 .after_child = after_in_child};
    kin_fork_hook *hook = NULL;
    if (mtx_init(&journal.lock, mtx_plain) != thrd_success || kin_init(&argc, &argv) != 0 ||
        kin_fork_hook_add(&callbacks, &journal, &hook) != 0) {
        return 1;
    }
    write_line("before");
    int code = run_child();
    write_line("between");
    kin_fork_hook_remove(hook);
    code = code == 0 ? run_child() : code; /* which takes itself for its parent */
    write_line("after");
    return code == 0 ? 0 : 1;
}
