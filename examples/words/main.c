/*
 * words: counts the words of folders, first in one process, then with a pool of workers, some
 * of which can be killed on the way, and compares. docs/guide/words.md explains it.
 *
 *     main      what the user wants, and the steps
 *     files     finds the files                       plan      cuts them into tasks
 *     tally     counts a task, merges results         table     words and how often they occur
 *     run       one process and pool: kin is used here, and in killer
 *     killer    kills workers                         record    numbers and strings as bytes
 *     progress  a bar on the terminal                 report    what is printed
 */
#include "report.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2, WORKERS_MAX = 1024, KILLS_MAX = 10000 };
enum { TASK_BYTES_MIN = 64 * 1024, TASK_BYTES_MAX = 4 * 1024 * 1024 };
enum { TASKS_A_WORKER = 16, TASKS_A_KILL = 20 };

static const char usage[] =
    "usage: words [DIR...] [--workers N] [--kill N]\n"
    "\n"
    "Counts the words of all text files below each DIR, in one process and with a pool of\n"
    "worker processes, and compares. Default: /usr/include and /usr/share/doc.\n"
    "\n"
    "  --workers N   number of workers, 1 to 1024; default: one a core\n"
    "  --kill N      kill a worker in the middle of a task, N times, 0 to 10000\n"
    "  --help        this text\n"
    "\n"
    "Exit status: 0 both counted the same, 1 they did not or something failed, 2 bad usage.\n";

struct wishes {
    uint32_t worker_count; /* 0: one a core */
    uint64_t kill_count;
    char **folders; /* ended by NULL */
};

static char *default_folders[] = {"/usr/include", "/usr/share/doc", NULL};

/* Reads a decimal number; what is wrong with it is said, and ends the program. */
static uint32_t parse_number(const char *option, const char *text, uint32_t min, uint32_t max)
{
    char *end = NULL;
    unsigned long number = isdigit((unsigned char)text[0]) ? strtoul(text, &end, 10) : 0;
    if (end == NULL || *end != 0 || number < min || number > max) {
        fprintf(stderr, "words: %s takes a number from %u to %u, not '%s'\n", option, min, max,
                text);
        exit(EXIT_USAGE);
    }
    return (uint32_t)number;
}

static struct wishes parse_arguments(int argc, char **argv)
{
    static const struct option options[] = {
        {"workers", required_argument, NULL, 'w'},
        {"kill", required_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct wishes wishes = {.folders = default_folders};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'w':
            wishes.worker_count = parse_number("--workers", optarg, 1, WORKERS_MAX);
            break;
        case 'k':
            wishes.kill_count = parse_number("--kill", optarg, 0, KILLS_MAX);
            break;
        case 'h':
            fputs(usage, stdout);
            exit(EXIT_SUCCESS);
        default:
            fputs(usage, stderr);
            exit(EXIT_USAGE);
        }
    }
    if (optind < argc) {
        wishes.folders = argv + optind;
    }
    return wishes;
}

static void fail(const char *what, int code)
{
    fprintf(stderr, "words: %s: %s\n", what, kin_code_text(code));
}

/* A folder that the user names must be there; of the default ones, it may be missing. */
static int add_folders(struct file_list *files, const struct wishes *wishes)
{
    for (char **folder = wishes->folders; *folder != NULL; folder++) {
        int code = file_list_add(files, *folder);
        if (code == -ENOMEM || (code < 0 && wishes->folders != default_folders)) {
            fail(*folder, code);
            return code == -ENOMEM ? EXIT_FAILURE : EXIT_USAGE;
        }
    }
    return EXIT_SUCCESS;
}

static int find_files(struct file_list *files, const struct wishes *wishes)
{
    int64_t start_ns = kin_now_ns();
    struct progress progress = progress_start("finding", 0);
    files->progress = &progress;
    int status = add_folders(files, wishes);
    files->progress = NULL;
    progress_end(&progress);
    if (status == EXIT_SUCCESS) {
        printf("found %zu text files, %.1f MiB, in %.3f s\n", files->count,
               (double)files->byte_count / (1 << 20), (double)(kin_now_ns() - start_ns) / 1e9);
    }
    return status;
}

/* Small enough to keep all workers busy to the end, and to have a task for each kill. */
static uint64_t choose_task_bytes(const struct file_list *files, const struct wishes *wishes)
{
    uint64_t worker_count = wishes->worker_count == 0 ? kin_cpu_count() : wishes->worker_count;
    uint64_t task_bytes = files->byte_count / (TASKS_A_WORKER * worker_count);
    task_bytes = task_bytes < TASK_BYTES_MIN   ? TASK_BYTES_MIN
                 : task_bytes > TASK_BYTES_MAX ? TASK_BYTES_MAX
                                               : task_bytes;
    if (wishes->kill_count > 0) {
        uint64_t most = files->byte_count / (TASKS_A_KILL * wishes->kill_count);
        task_bytes = most < task_bytes ? most : task_bytes;
    }
    return task_bytes == 0 ? 1 : task_bytes;
}

static int note_failures(struct file_list *files, const struct tally *tally)
{
    int code = 0;
    for (size_t i = 0; i < tally->failure_count && code == 0; i++) {
        const struct read_failure *failure = &tally->failures[i];
        if (failure->file_index < files->count) {
            code = file_list_note_failure(files, failure->file_index, failure->code);
        }
    }
    return code;
}

/* Counts both ways and reports. Returns the exit status. */
static int count_and_compare(struct file_list *files, const struct plan *plan,
                             const struct wishes *wishes)
{
    struct run alone = {0};
    struct run pool = {0};
    bool is_identical = false;
    int code = run_alone(&alone, plan);
    if (code == 0) {
        code = run_pool(&pool, plan, wishes->worker_count, wishes->kill_count);
    }
    if (code == 0) {
        code = note_failures(files, &pool.tally);
    }
    if (code == 0) {
        report_words(&pool.tally, files);
        report_runs(&alone, &pool);
        report_kills(&pool, wishes->kill_count);
        is_identical = report_comparison(&alone, &pool, files);
    } else {
        fail("cannot count", code);
    }
    run_deinit(&pool);
    run_deinit(&alone);
    return is_identical ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    int code = kin_init(&argc, &argv);
    if (code < 0) {
        fail("cannot start", code);
        return EXIT_FAILURE;
    }
    struct wishes wishes = parse_arguments(argc, argv);
    struct file_list files = {0};
    int status = find_files(&files, &wishes);
    if (status == EXIT_SUCCESS) {
        struct plan plan;
        code = plan_init(&plan, &files, choose_task_bytes(&files, &wishes));
        if (code == 0) {
            status = count_and_compare(&files, &plan, &wishes);
            plan_deinit(&plan);
        } else {
            fail("cannot plan", code);
            status = EXIT_FAILURE;
        }
    }
    file_list_deinit(&files);
    return status;
}
