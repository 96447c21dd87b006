/*
 * Work that is not lost: a letter stays in the queue until it is acknowledged. One worker is killed
 * with a letter in hand, and one letter cannot be delivered at all. See docs/guide/queues.md.
 */
#include <kin.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static kin_queue *letters;

static int die_with_a_letter(kin_call *call)
{
    kin_claim claim;
    (void)call;
    kin_queue_claim(letters, KIN_FOREVER, &claim);
    return raise(SIGKILL);
}
KIN_FUNCTION(die_with_a_letter)

/* Tries each letter until it is acknowledged or given up. */
static int deliver(kin_call *call)
{
    kin_claim claim;
    (void)call;
    while (kin_queue_claim(letters, KIN_FOREVER, &claim) == 0) { /* -EPIPE: all are done with */
        const char *address = claim.bytes.data;
        bool is_known = strcmp(address, "nobody") != 0;
        printf("%s, delivery %u: %s\n", address, claim.delivery, is_known ? "done" : "refused");
        if (is_known) {
            kin_queue_acknowledge(letters, &claim);
        } else {
            kin_queue_refuse(letters, &claim); /* it comes again, before all others */
        }
    }
    return 0;
}
KIN_FUNCTION(deliver)

static void run(kin_function *function)
{
    kin_process *worker = NULL;
    fflush(stdout);
    if (kin_process_start_bytes(function, NULL, 0, NULL, &worker) == 0) {
        kin_process_join(worker, KIN_FOREVER);
    }
    kin_process_free(worker);
}

int main(int argc, char **argv)
{
    static const char *const addresses[] = {"ada", "nobody", "grace"};
    kin_init(&argc, &argv);
    /* What was claimed twice without success is a dead letter. */
    if (kin_queue_create(KIN_OPTIONS(kin_queue_options, .delivery_count_max = 2), &letters) < 0) {
        return 1;
    }
    for (int i = 0; i < 3; i++) {
        kin_queue_put_bytes(letters, addresses[i], strlen(addresses[i]) + 1, KIN_FOREVER);
    }
    kin_queue_close(letters);
    run(die_with_a_letter);
    run(deliver);

    kin_claim claim;
    while (kin_queue_claim_dead_letter(letters, &claim) == 0) {
        printf("%s: given up after %u deliveries\n", (const char *)claim.bytes.data,
               claim.delivery - 1);
        kin_queue_acknowledge(letters, &claim);
    }
    kin_queue_free(letters);
    return 0;
}
