/*
 * A pipeline of three stages in the order that two locks enforce: each lock is held from the start,
 * and handed on by the stage before the one that waits for it. See docs/guide/locks.md.
 */
#include <ctype.h>
#include <kin.h>
#include <pthread.h>
#include <stdio.h>

static kin_lock *is_read; /* held until the text is there */
static kin_lock *is_loud; /* held until it is in capitals */
static char text[64];

static void *read_text(void *user)
{
    (void)user;
    snprintf(text, sizeof text, "first read, then raise, then print");
    kin_lock_release(is_read); /* acquired by main: a lock with `is_handoff` allows that */
    return NULL;
}

static void *raise_text(void *user)
{
    (void)user;
    kin_lock_acquire(is_read, KIN_FOREVER);
    for (char *letter = text; *letter != '\0'; letter++) {
        *letter = (char)toupper((unsigned char)*letter);
    }
    kin_lock_release(is_loud);
    return NULL;
}

static void *print_text(void *user)
{
    (void)user;
    kin_lock_acquire(is_loud, KIN_FOREVER);
    puts(text);
    return NULL;
}

int main(int argc, char **argv)
{
    kin_init(&argc, &argv);
    const kin_lock_options *handoff = KIN_OPTIONS(kin_lock_options, .is_handoff = true);
    if (kin_lock_create(handoff, &is_read) < 0 || kin_lock_create(handoff, &is_loud) < 0) {
        return 1;
    }
    kin_lock_acquire(is_read, KIN_NOW);
    kin_lock_acquire(is_loud, KIN_NOW);

    void *(*const stages[3])(void *user) = {print_text, raise_text, read_text};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) { /* the last stage first: started is not begun */
        pthread_create(&threads[i], NULL, stages[i], NULL);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    kin_lock_free(is_read);
    kin_lock_free(is_loud);
    return 0;
}
