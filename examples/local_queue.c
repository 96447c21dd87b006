/*
 * Queues between the threads of one process: jobs go out to two threads; then they come out of a
 * second queue by their priority. See docs/guide/queues.md.
 */
#include <kin.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct job {
    const char *word;
    size_t length;
};

/* Takes jobs until there will be no more. */
static void *measure(void *user)
{
    kin_local_queue *jobs = user;
    void *item;
    while (kin_local_queue_get(jobs, KIN_FOREVER, &item) == 0) {
        struct job *job = item;
        job->length = strlen(job->word);
        kin_local_queue_task_done(jobs);
    }
    return NULL; /* -EPIPE: closed and empty */
}

int main(int argc, char **argv)
{
    struct job poem[] = {{.word = "upon"}, {.word = "a"}, {.word = "red"}, {.word = "wheel"},
                         {.word = "so"},   {.word = "b"}, {.word = "to"}};
    enum { COUNT = sizeof poem / sizeof poem[0] };
    kin_local_queue *jobs = NULL;
    kin_local_queue *by_length = NULL;
    kin_init(&argc, &argv);
    /* At most 4 jobs wait at a time: whoever puts a fifth waits until one was taken. */
    if (kin_local_queue_create(KIN_OPTIONS(kin_local_queue_options, .item_count_max = 4), &jobs) <
            0 ||
        kin_local_queue_create(KIN_OPTIONS(kin_local_queue_options, .order = KIN_LOCAL_PRIORITY),
                               &by_length) < 0) {
        return 1;
    }
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        if (pthread_create(&threads[i], NULL, measure, jobs) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < COUNT; i++) {
        kin_local_queue_put(jobs, &poem[i], KIN_FOREVER);
    }
    kin_local_queue_join(jobs, KIN_FOREVER); /* until all of them are done */
    kin_local_queue_close(jobs);             /* now the threads get -EPIPE */
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }

    for (int i = 0; i < COUNT; i++) {
        kin_local_queue_put_priority(by_length, &poem[i], (int64_t)poem[i].length, KIN_FOREVER);
    }
    void *item;
    while (kin_local_queue_get(by_length, KIN_NOW, &item) == 0) {
        const struct job *job = item;
        printf("%zu %s\n", job->length, job->word);
    }
    kin_local_queue_free(jobs);
    kin_local_queue_free(by_length);
    return 0;
}
