/*
 * A semaphore: of many crawlers, so many at once; and one is killed inside. See
 * docs/guide/locks.md.
 */
#define _DEFAULT_SOURCE
#include <kin.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

enum { CRAWLERS = 20, AT_ONCE = 10 };

/* In memory that children share. */
static struct {
    _Atomic int inside;
    _Atomic int most;
    _Atomic int pages;
} * crawled;

static kin_semaphore *gate; /* what is open here is open in every child */

static int crawl(kin_call *call)
{
    for (int page = 0; page < 5; page++) {
        int r = kin_semaphore_acquire(gate, KIN_FOREVER);
        if (r < 0) {
            return kin_call_fail(call, r, "no permit");
        }
        int inside = atomic_fetch_add(&crawled->inside, 1) + 1;
        int most = atomic_load(&crawled->most);
        while (inside > most && !atomic_compare_exchange_weak(&crawled->most, &most, inside)) {
        }
        atomic_fetch_add(&crawled->pages, 1); /* here it would ask a server for a page */
        atomic_fetch_sub(&crawled->inside, 1);
        kin_semaphore_release(gate, 1);
    }
    return 0;
}
KIN_FUNCTION(crawl)

/* Is killed behind the gate. */
static int die_inside(kin_call *call)
{
    (void)call;
    kin_semaphore_acquire(gate, KIN_FOREVER);
    raise(SIGKILL);
    return 0;
}
KIN_FUNCTION(die_inside)

static void run(kin_function *function, int count)
{
    kin_process *children[CRAWLERS] = {NULL};
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
    crawled = mmap(NULL, sizeof *crawled, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                   0);
    if (crawled == MAP_FAILED ||
        kin_semaphore_create(AT_ONCE, KIN_OPTIONS(kin_semaphore_options, .is_bounded = true),
                             &gate) < 0) {
        return 1;
    }
    run(crawl, CRAWLERS);
    printf("%d pages, %s at once\n", crawled->pages,
           crawled->most <= AT_ONCE ? "never more than 10" : "more than 10");
    run(die_inside, 1);

    int said = 0;
    for (int i = 0; i < AT_ONCE; i++) {
        said += kin_semaphore_acquire(gate, KIN_FOREVER) == KIN_OWNER_DIED;
    }
    printf("all 10 permits are here, %d of them with KIN_OWNER_DIED\n", said);
    kin_semaphore_release(gate, AT_ONCE);
    printf("one more: %s\n", kin_code_name(kin_semaphore_release(gate, 1)));
    kin_semaphore_free(gate);
    return 0;
}
