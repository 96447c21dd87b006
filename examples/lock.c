/*
 * A lock between processes, one of which dies while it holds it. See docs/guide/locks.md.
 */
#define _DEFAULT_SOURCE
#include <kin.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>

/* Two accounts, in memory that children share. Under the lock their sum is always TOTAL. */
enum { TOTAL = 1000 };
struct accounts {
    long saved;
    long spent;
};

static struct accounts *accounts;
static kin_lock *lock; /* what is open here is open in every child */

/* Puts the accounts in order again after somebody died halfway. */
static void mend(void)
{
    printf("mending: %ld saved, %ld spent\n", accounts->saved, accounts->spent);
    accounts->spent = TOTAL - accounts->saved;
    kin_lock_mark_consistent(lock);
}

/* Spends 1, ten times. */
static int spend(kin_call *call)
{
    for (int i = 0; i < 10; i++) {
        int r = kin_lock_acquire(lock, KIN_FOREVER);
        if (r < 0) {
            return kin_call_fail(call, r, "no lock");
        }
        if (r == KIN_OWNER_DIED) {
            mend();
        }
        accounts->saved--;
        accounts->spent++;
        kin_lock_release(lock);
    }
    return 0;
}
KIN_FUNCTION(spend)

/* Is killed between its two steps. */
static int die_halfway(kin_call *call)
{
    (void)call;
    kin_lock_acquire(lock, KIN_FOREVER);
    accounts->saved -= 100;
    raise(SIGKILL);
    return 0;
}
KIN_FUNCTION(die_halfway)

static void run(kin_function *function, int count)
{
    kin_process *children[5] = {NULL};
    for (int i = 0; i < count; i++) {
        if (kin_process_start_bytes(function, NULL, 0, NULL, &children[i]) < 0) {
            puts("no process");
        }
    }
    for (int i = 0; i < count; i++) {
        kin_process_join(children[i], KIN_FOREVER);
        kin_process_free(children[i]);
    }
}

int main(int argc, char **argv)
{
    kin_init(&argc, &argv);
    accounts = mmap(NULL, sizeof *accounts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                    0);
    if (accounts == MAP_FAILED || kin_lock_create(NULL, &lock) < 0) {
        return 1;
    }
    accounts->saved = TOTAL;

    run(spend, 5);
    printf("%ld saved, %ld spent\n", accounts->saved, accounts->spent);
    run(die_halfway, 1);

    int r = kin_lock_acquire(lock, KIN_FOREVER);
    printf("%s: %s\n", kin_code_name(r), kin_code_text(r));
    if (r == KIN_OWNER_DIED) {
        mend();
    }
    kin_lock_release(lock);

    run(spend, 5);
    printf("%ld saved, %ld spent\n", accounts->saved, accounts->spent);
    kin_lock_free(lock);
    return 0;
}
