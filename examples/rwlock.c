/*
 * A table that many read and few write; one of those who write is killed halfway. See
 * docs/guide/locks.md.
 */
#define _DEFAULT_SOURCE
#include <kin.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

enum { ROWS = 8, LOOKS = 250, READERS = 4 };

/* In memory that children share. Whenever nobody writes, all rows are of the same version. */
static struct {
    int rows[ROWS];
    _Atomic int looks;
    _Atomic int bad_looks;
} * table;

static kin_rwlock *table_lock; /* what is open here is open in every child */

static int is_even(void)
{
    int different = 0;
    for (int i = 1; i < ROWS; i++) {
        different += table->rows[i] != table->rows[0];
    }
    return different == 0;
}

static int look(kin_call *call)
{
    for (int i = 0; i < LOOKS; i++) {
        int r = kin_rwlock_acquire_read(table_lock, KIN_FOREVER);
        if (r < 0) {
            return kin_call_fail(call, r, "no lock");
        }
        table->looks++;
        table->bad_looks += !is_even();
        kin_rwlock_release(table_lock);
    }
    return 0;
}
KIN_FUNCTION(look)

static int change(kin_call *call)
{
    for (int version = 1; version <= 50; version++) {
        int r = kin_rwlock_acquire_write(table_lock, KIN_FOREVER);
        if (r < 0) {
            return kin_call_fail(call, r, "no lock");
        }
        for (int i = 0; i < ROWS; i++) {
            table->rows[i] = version;
        }
        kin_rwlock_release(table_lock);
    }
    return 0;
}
KIN_FUNCTION(change)

static int die_halfway(kin_call *call)
{
    (void)call;
    kin_rwlock_acquire_write(table_lock, KIN_FOREVER);
    for (int i = 0; i < ROWS / 2; i++) {
        table->rows[i] = 99;
    }
    raise(SIGKILL);
    return 0;
}
KIN_FUNCTION(die_halfway)

static kin_process *start(kin_function *function)
{
    kin_process *process = NULL;
    if (kin_process_start_bytes(function, NULL, 0, NULL, &process) < 0) {
        puts("no process");
    }
    return process;
}

static void join(kin_process *process)
{
    kin_process_join(process, KIN_FOREVER);
    kin_process_free(process);
}

int main(int argc, char **argv)
{
    kin_init(&argc, &argv);
    table = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED || kin_rwlock_create(NULL, &table_lock) < 0) {
        return 1;
    }
    kin_process *children[READERS + 1];
    for (int i = 0; i <= READERS; i++) {
        children[i] = start(i < READERS ? look : change);
    }
    for (int i = 0; i <= READERS; i++) {
        join(children[i]);
    }
    printf("%d looks, %d at a table half changed\n", table->looks, table->bad_looks);
    join(start(die_halfway));

    int r = kin_rwlock_acquire_read(table_lock, KIN_FOREVER);
    printf("reading: %s, %s\n", kin_code_name(r), is_even() ? "even" : "half changed");
    kin_rwlock_release(table_lock);

    kin_rwlock_acquire_write(table_lock, KIN_FOREVER);
    for (int i = 0; i < ROWS; i++) {
        table->rows[i] = 0;
    }
    kin_rwlock_mark_consistent(table_lock);
    kin_rwlock_release(table_lock);

    r = kin_rwlock_acquire_read(table_lock, KIN_FOREVER);
    printf("mended: %d, %s\n", r, is_even() ? "even" : "half changed");
    kin_rwlock_release(table_lock);
    kin_rwlock_free(table_lock);
    return 0;
}
