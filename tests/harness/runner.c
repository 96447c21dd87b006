/*
 * The runner: main() of every test program.
 *
 *     unit_base [-l] [-v] [-j COUNT] [FILTER]
 *
 * FILTER is a part of a test's name. -l lists, -v shows each test with its output, -j runs that
 * many tests at once (default 1). Closing line: "N passed, N failed", and ", N skipped" if some
 * could not be run. Exit status 1 when some failed, 2 for wrong arguments or a filter that names no
 * test, else 0.
 */
#define _GNU_SOURCE
#include "harness/warden.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_MAX = 64 };

struct job {
    const struct test_case *test;
    pid_t pid; /* 0: free */
    int output_fd;
    struct timespec start;
};

struct options {
    bool list;
    bool verbose;
    int job_count;
    const char *filter;
};

static struct test_case *first_test;
static struct job jobs[JOBS_MAX];
static int passed_count, failed_count, skipped_count;

/* Constructors of one file run in the order of the file, so appending keeps it. */
void test_register(struct test_case *test)
{
    struct test_case **place = &first_test;
    while (*place != NULL) {
        place = &(*place)->next;
    }
    *place = test;
}

static void show_output(int fd)
{
    char text[4096];
    ssize_t size;
    lseek(fd, 0, SEEK_SET);
    while ((size = read(fd, text, sizeof text)) > 0) {
        fwrite(text, 1, (size_t)size, stdout);
    }
}

static void start(struct job *job, const struct test_case *test)
{
    job->test = test;
    job->output_fd = memfd_create("test output", MFD_CLOEXEC);
    clock_gettime(CLOCK_MONOTONIC, &job->start);
    fflush(NULL);
    job->pid = fork();
    if (job->pid == 0) {
        dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
        dup2(job->output_fd, STDOUT_FILENO);
        dup2(job->output_fd, STDERR_FILENO);
        closefrom(STDERR_FILENO + 1);
        warden_run(test);
    }
    if (job->pid < 0) {
        perror("fork");
        exit(2);
    }
}

static void finish(struct job *job, int status, bool verbose)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long ms = (long long)(now.tv_sec - job->start.tv_sec) * 1000 +
                   (now.tv_nsec - job->start.tv_nsec) / 1000000;
    bool passed = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    bool skipped = WIFEXITED(status) && WEXITSTATUS(status) == WARDEN_SKIPPED;
    *(passed ? &passed_count : skipped ? &skipped_count : &failed_count) += 1;
    if (!passed || verbose) {
        const char *verdict = passed ? "ok  " : skipped ? "skip" : "FAIL";
        printf("%s %s (%lld ms)\n", verdict, job->test->name, ms);
        show_output(job->output_fd);
        fflush(stdout);
    }
    close(job->output_fd);
    *job = (struct job){0};
}

/* Waits for one test to end and frees its job. */
static void finish_one(bool verbose)
{
    int status;
    pid_t pid = waitpid(-1, &status, 0);
    for (int index = 0; index < JOBS_MAX && pid > 0; index++) {
        if (jobs[index].pid == pid) {
            finish(&jobs[index], status, verbose);
        }
    }
}

static struct job *free_job(const struct options *options)
{
    for (;;) {
        for (int index = 0; index < options->job_count; index++) {
            if (jobs[index].pid == 0) {
                return &jobs[index];
            }
        }
        finish_one(options->verbose);
    }
}

static void read_options(int argc, char **argv, struct options *options)
{
    int option;
    while ((option = getopt(argc, argv, "lvj:")) != -1) {
        if (option == 'l') {
            options->list = true;
        } else if (option == 'v') {
            options->verbose = true;
        } else if (option == 'j') {
            options->job_count = atoi(optarg);
        } else {
            fprintf(stderr, "usage: %s [-l] [-v] [-j COUNT] [FILTER]\n", argv[0]);
            exit(2);
        }
    }
    if (options->job_count < 1 || options->job_count > JOBS_MAX || optind + 1 < argc) {
        fprintf(stderr, "usage: %s [-l] [-v] [-j 1..%d] [FILTER]\n", argv[0], JOBS_MAX);
        exit(2);
    }
    options->filter = optind < argc ? argv[optind] : NULL;
}

/* Where kin is linked. A program that kin starts anew, to be a child of a test, runs as that. */
__attribute__((weak)) int kin_init(int *argc, char ***argv);

int main(int argc, char **argv)
{
    if (argc > 1 && strncmp(argv[1], "--kin-child=", 12) == 0 && kin_init != NULL) {
        kin_init(&argc, &argv);
    }
    struct options options = {.job_count = 1};
    read_options(argc, argv, &options);
    int chosen_count = 0;
    for (const struct test_case *test = first_test; test != NULL; test = test->next) {
        if (options.filter != NULL && strstr(test->name, options.filter) == NULL) {
            continue;
        }
        chosen_count++;
        if (options.list) {
            puts(test->name);
        } else {
            start(free_job(&options), test);
        }
    }
    if (chosen_count == 0 && options.filter != NULL) {
        fprintf(stderr, "no test has \"%s\" in its name\n", options.filter);
        return 2;
    }
    if (options.list) {
        return 0;
    }
    while (passed_count + failed_count + skipped_count < chosen_count) {
        finish_one(options.verbose);
    }
    printf("%d passed, %d failed", passed_count, failed_count);
    if (skipped_count > 0) {
        printf(", %d skipped", skipped_count);
    }
    printf("\n");
    return failed_count > 0 ? 1 : 0;
}
