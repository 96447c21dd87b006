/*
 * A deadlock between two processes, which is found and undone. See docs/guide/locks.md.
 */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <kin.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

struct account {
    kin_lock *lock;
    kin_event *is_taken; /* for this example: somebody has taken its lock */
    long *balance;
};

static struct account left;
static struct account right;

/* The whole text says who holds what, acquired where, and who waits for what. */
static void tell(const kin_deadlock *deadlock, void *user)
{
    (void)user;
    if (deadlock->kind == KIN_DEADLOCK_CYCLE) {
        printf("%.*s\n", (int)strcspn(deadlock->text, "\n"), deadlock->text);
    }
}

/* Takes the locks in the order of the transfer, so two transfers can block each other. */
static int try_transfer(struct account *from, struct account *to, long amount)
{
    int r = kin_lock_acquire(from->lock, KIN_FOREVER);
    if (r < 0) {
        return r;
    }
    kin_event_set(from->is_taken);
    kin_event_wait(to->is_taken, KIN_FOREVER); /* until the other one is as far */
    r = kin_lock_acquire(to->lock, KIN_FOREVER);
    if (r >= 0) {
        *from->balance -= amount;
        *to->balance += amount;
        kin_lock_release(to->lock);
    }
    kin_lock_release(from->lock);
    return r;
}

/* Who is refused lets go of what it has, so that the other one can go on, and tries again. */
static int transfer(struct account *from, struct account *to, long amount)
{
    int r = -EDEADLK;
    while (r == -EDEADLK) {
        r = try_transfer(from, to, amount);
    }
    return r;
}

static int transfer_left(kin_call *call)
{
    (void)call;
    return transfer(&right, &left, 10);
}
KIN_FUNCTION(transfer_left)

static int transfer_right(kin_call *call)
{
    (void)call;
    return transfer(&left, &right, 30);
}
KIN_FUNCTION(transfer_right)

static int open_account(struct account *account, const char *name, long *balance)
{
    account->balance = balance;
    *balance = 100;
    /* Fair, so that what one lets go goes to the other who waits, not to itself again. */
    int r = kin_lock_create(KIN_OPTIONS(kin_lock_options, .is_fair = true, .name = name),
                            &account->lock);
    return r < 0 ? r : kin_event_create(NULL, &account->is_taken);
}

static void close_account(struct account *account)
{
    kin_event_free(account->is_taken);
    kin_lock_free(account->lock);
}

int main(int argc, char **argv)
{
    kin_init(&argc, &argv);
    long *balances = mmap(NULL, 2 * sizeof *balances, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (balances == MAP_FAILED || open_account(&left, "left", &balances[0]) < 0 ||
        open_account(&right, "right", &balances[1]) < 0) {
        return 1;
    }
    kin_deadlock_policy_set(KIN_DEADLOCK_ERROR, tell, NULL);

    kin_process *movers[2] = {NULL};
    if (kin_process_start_bytes(transfer_left, NULL, 0, NULL, &movers[0]) < 0 ||
        kin_process_start_bytes(transfer_right, NULL, 0, NULL, &movers[1]) < 0) {
        return 1;
    }
    for (int i = 0; i < 2; i++) {
        kin_process_join(movers[i], KIN_FOREVER);
        kin_process_free(movers[i]);
    }
    printf("%ld left, %ld right\n", balances[0], balances[1]);
    close_account(&left);
    close_account(&right);
    return 0;
}
