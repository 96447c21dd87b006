/*
 * Three threads in a fixed order, by three locks that others release. See docs/guide/locks.md.
 */
#include <kin.h>
#include <pthread.h>
#include <stdio.h>

enum { THREAD_COUNT = 3, ROUND_COUNT = 2 };

struct place {
    const char *word;
    kin_lock *mine; /* free when it is my turn */
    kin_lock *next;
};

static void *take_turns(void *user)
{
    const struct place *place = user;
    for (int i = 0; i < ROUND_COUNT; i++) {
        kin_lock_acquire(place->mine, KIN_FOREVER);
        printf("%s\n", place->word);
        kin_lock_release(place->next); /* which another thread has acquired */
    }
    return NULL;
}

int main(int argc, char **argv)
{
    kin_lock *locks[THREAD_COUNT];
    kin_init(&argc, &argv);
    for (int i = 0; i < THREAD_COUNT; i++) {
        if (kin_lock_create(KIN_OPTIONS(kin_lock_options, .is_handoff = true), &locks[i]) < 0 ||
            kin_lock_acquire(locks[i], KIN_NOW) < 0) {
            return 1;
        }
    }
    struct place places[THREAD_COUNT] = {
        {"ready", locks[0], locks[1]}, {"steady", locks[1], locks[2]}, {"go", locks[2], locks[0]}};
    pthread_t threads[THREAD_COUNT];
    for (int i = 0; i < THREAD_COUNT; i++) {
        if (pthread_create(&threads[i], NULL, take_turns, &places[i]) != 0) {
            return 1;
        }
    }
    kin_lock_release(locks[0]);
    for (int i = 0; i < THREAD_COUNT; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < THREAD_COUNT; i++) {
        printf("%s\n", kin_lock_is_locked(locks[i]) ? "taken" : "free");
        kin_lock_release(locks[i]);
        kin_lock_free(locks[i]);
    }
    return 0;
}
