/*
 * An rlock: functions that take it call each other. See docs/guide/locks.md.
 */
#define _DEFAULT_SOURCE
#include <kin.h>
#include <stdio.h>
#include <sys/mman.h>

static kin_rlock *rlock; /* what is open here is open in every child */
static long *balance;    /* in memory that children share; behind the rlock */

static void deposit(long amount)
{
    kin_rlock_acquire(rlock, KIN_FOREVER);
    *balance += amount;
    kin_rlock_release(rlock);
}

/* Nobody sees the balance between the two. */
static void deposit_twice(long amount)
{
    kin_rlock_acquire(rlock, KIN_FOREVER);
    deposit(amount);
    deposit(amount);
    kin_rlock_release(rlock);
}

static int save(kin_call *call)
{
    (void)call;
    for (int i = 0; i < 100; i++) {
        deposit_twice(5);
    }
    return 0;
}
KIN_FUNCTION(save)

int main(int argc, char **argv)
{
    kin_init(&argc, &argv);
    balance = mmap(NULL, sizeof *balance, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                   0);
    if (balance == MAP_FAILED || kin_rlock_create(NULL, &rlock) < 0) {
        return 1;
    }
    kin_process *savers[3] = {NULL};
    for (int i = 0; i < 3; i++) {
        if (kin_process_start_bytes(save, NULL, 0, NULL, &savers[i]) < 0) {
            return 1;
        }
    }
    for (int i = 0; i < 3; i++) {
        kin_process_join(savers[i], KIN_FOREVER);
        kin_process_free(savers[i]);
    }
    printf("%ld saved\n", *balance);
    printf("released too often: %s\n", kin_code_name(kin_rlock_release(rlock)));
    kin_rlock_free(rlock);
    return 0;
}
