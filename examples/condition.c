/*
 * A condition: two threads say 1 to 6 in turn. See docs/guide/locks.md.
 */
#include <kin.h>
#include <pthread.h>
#include <stdio.h>

static kin_condition *turn; /* has a lock of its own, which guards: */
static int next = 1;

static bool is_odd(void *user)
{
    (void)user;
    return next % 2 == 1;
}

static bool is_even(void *user)
{
    return !is_odd(user);
}

struct speaker {
    const char *name;
    bool (*is_my_turn)(void *user);
};

static void *speak(void *user)
{
    const struct speaker *speaker = user;
    for (int i = 0; i < 3; i++) {
        kin_condition_acquire(turn, KIN_FOREVER);
        kin_condition_wait_for(turn, speaker->is_my_turn, NULL, KIN_FOREVER);
        printf("%s: %d\n", speaker->name, next++);
        kin_condition_notify(turn, 1);
        kin_condition_release(turn);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    kin_init(&argc, &argv);
    if (kin_condition_create(NULL, &turn) < 0) {
        return 1;
    }
    struct speaker speakers[2] = {{"odd", is_odd}, {"even", is_even}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, speak, &speakers[i]);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    kin_condition_free(turn);
    return 0;
}
