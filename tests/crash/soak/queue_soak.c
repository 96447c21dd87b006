#define _GNU_SOURCE
#include "soak/soak.h"

#include "soak/ledger.h"

#include <kin/call.h>
#include <kin/process.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PRODUCERS = 3,
    CONSUMERS = 3,
    WORKERS = PRODUCERS + CONSUMERS,
    ITEMS_MAX = 48,
    STALL_SECONDS = 10,
    END_MS = 20000,
    PAUSE_US_MAX = 12000, /* between two kills */
};

/* What a child is told. */
struct task {
    uint32_t process;
    uint32_t place;
    bool is_producer;
};

struct run {
    struct load load;
    kin_process *workers[WORKERS];
    struct ledger ledger;
    uint32_t process_count;
    uint32_t process_max;
    uint32_t kill_count;
    uint32_t trouble_count;
    uint64_t random;
    char folder[64];
    bool is_claiming; /* reservations, batches and claims, in a joinable queue */
};

static struct run *run; /* the children find the objects that they inherit here */

static int work(kin_call *call)
{
    struct task task;
    memcpy(&task, kin_call_bytes(call).data, sizeof task);
    if (run->is_claiming) {
        (task.is_producer ? load_reserve : load_claim)(&run->load, task.process);
    } else if (task.is_producer) {
        load_produce(&run->load, task.process);
    } else {
        load_consume(&run->load, task.process, task.place);
    }
    return 0;
}
KIN_FUNCTION(work)

static void start_worker(uint32_t place)
{
    struct task task = {
        .process = run->process_count++, .place = place, .is_producer = place < PRODUCERS};
    kin_process_options options = {
        .size = sizeof options, .is_daemon = true, .allow_threads = true};
    memset(&run->load.board->hands[place], 0, sizeof run->load.board->hands[place]);
    int r = kin_process_start_bytes(work, &task, sizeof task, &options, &run->workers[place]);
    if (r < 0) {
        printf("  no process: %d\n", r);
        run->trouble_count++;
    }
}

static void kill_worker(uint32_t place)
{
    kin_process_kill(run->workers[place]);
    run->kill_count++;
}

static void replace_worker(uint32_t place)
{
    int code = 0;
    int r = kin_process_join(run->workers[place], kin_within_ms(END_MS));
    if (r != 0 || kin_process_exit_code(run->workers[place], &code) != 0 || code != -SIGKILL) {
        printf("  worker %u: join %d, ended with %d\n", place, r, code);
        run->trouble_count++;
    }
    run->workers[place] = kin_process_free(run->workers[place]);
    if (place >= PRODUCERS) {
        ledger_note_hand(&run->ledger, &run->load.board->hands[place]);
    }
    start_worker(place);
}

/* One or two at a time, so that also those die who are repairing. */
static void kill_some(void)
{
    uint32_t first = (uint32_t)(soak_random(&run->random) % WORKERS);
    uint32_t second = (uint32_t)(soak_random(&run->random) % WORKERS);
    bool is_double = soak_random(&run->random) % 4 == 0 && first != second;
    kill_worker(first);
    if (is_double) {
        kill_worker(second);
        replace_worker(second);
    }
    replace_worker(first);
}

/* False: nothing is taken any more. */
static bool check_progress(uint64_t *count, double *since)
{
    uint64_t now_count = atomic_load(&run->load.board->received_count);
    if (now_count != *count) {
        *count = now_count;
        *since = soak_now();
    }
    return soak_now() - *since < STALL_SECONDS;
}

static void play(const struct soak_options *options)
{
    double start = soak_now();
    double since = start;
    uint64_t count = 0;
    for (uint32_t place = 0; place < WORKERS; place++) {
        start_worker(place);
    }
    while ((soak_now() - start < options->seconds || run->kill_count < options->kills) &&
           run->process_count + 2 < run->process_max && run->trouble_count == 0) {
        usleep((useconds_t)(soak_random(&run->random) % PAUSE_US_MAX));
        kill_some();
        if (!check_progress(&count, &since)) {
            printf("  hang: no message was taken for %d s\n", STALL_SECONDS);
            run->trouble_count++;
        }
    }
}

static void join_worker(uint32_t place)
{
    int code = -1;
    int r = kin_process_join(run->workers[place], kin_within_ms(END_MS));
    if (r == 0) {
        r = kin_process_exit_code(run->workers[place], &code);
    }
    if (r != 0 || code != 0) {
        printf("  hang: worker %u does not end: %d, %d\n", place, r, code);
        run->trouble_count++;
        kin_process_kill(run->workers[place]);
        kin_process_join(run->workers[place], kin_within_ms(END_MS));
    }
    run->workers[place] = kin_process_free(run->workers[place]);
}

/* All that is in the queue is taken out by the consumers before they end. */
static void end(void)
{
    atomic_store(&run->load.board->is_ending, 1);
    for (uint32_t place = 0; place < PRODUCERS; place++) {
        join_worker(place);
    }
    kin_queue_close(run->load.queue);
    for (uint32_t place = PRODUCERS; place < WORKERS; place++) {
        join_worker(place);
    }
    if (run->is_claiming) {
        int r = kin_queue_join(run->load.queue, kin_within_ms(END_MS));
        if (r != 0) {
            printf("  join: %d\n", r);
            run->trouble_count++;
        }
    }
    if (kin_queue_item_count(run->load.queue) != 0) {
        printf("  %lu messages are left\n", (unsigned long)kin_queue_item_count(run->load.queue));
        run->trouble_count++;
    }
}

static bool report(double seconds)
{
    const struct ledger *ledger = &run->ledger;
    const struct load_board *board = run->load.board;
    uint64_t bad = ledger->lost + ledger->invented + ledger->doubled +
                   atomic_load(&board->bad_count) + atomic_load(&board->torn_count);
    bool is_order_kept = ledger->reordered <= run->kill_count; /* those that were given back */
    printf("soak of the queue: %u kills in %.0f s, %lu messages sent, %lu taken, "
           "%lu taken along by the dead, %lu of puts cut short\n",
           run->kill_count, seconds, (unsigned long)ledger->sent, (unsigned long)ledger->received,
           (unsigned long)ledger->taken_along, (unsigned long)ledger->cut_short);
    printf("  %lu lost, %lu invented, %lu doubled, %lu with wrong bytes or codes, "
           "%lu given back late; lock: %lu holders died, %lu torn\n",
           (unsigned long)ledger->lost, (unsigned long)ledger->invented,
           (unsigned long)ledger->doubled, (unsigned long)atomic_load(&board->bad_count),
           (unsigned long)ledger->reordered, (unsigned long)atomic_load(&board->died_count),
           (unsigned long)atomic_load(&board->torn_count));
    return bad == 0 && is_order_kept && run->trouble_count == 0 && ledger->sent > 0;
}

static bool report_claims(double seconds)
{
    const struct ledger *ledger = &run->ledger;
    uint64_t bad = ledger->lost + ledger->invented + ledger->doubled +
                   atomic_load(&run->load.board->bad_count);
    printf("soak of claims: %u kills in %.0f s, %lu messages sent, %lu acknowledged, "
           "%lu acknowledgements and %lu puts cut short, %lu claims not the first\n",
           run->kill_count, seconds, (unsigned long)ledger->sent, (unsigned long)ledger->received,
           (unsigned long)ledger->taken_along, (unsigned long)ledger->cut_short,
           (unsigned long)ledger->claimed_again);
    printf("  %lu lost, %lu invented, %lu doubled, %lu with wrong bytes or codes\n",
           (unsigned long)ledger->lost, (unsigned long)ledger->invented,
           (unsigned long)ledger->doubled, (unsigned long)atomic_load(&run->load.board->bad_count));
    return bad == 0 && run->trouble_count == 0 && ledger->sent > 0 && ledger->received > 0;
}

static void remove_folder(void)
{
    for (uint32_t process = 0; process < run->process_count; process++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%u", run->folder, process);
        unlink(path);
    }
    rmdir(run->folder);
}

static bool set_up(const struct soak_options *options)
{
    kin_queue_options limits = {
        .size = sizeof limits, .item_count_max = ITEMS_MAX, .is_joinable = run->is_claiming};
    run->random = options->seed * 2 + 1;
    run->process_max = 1000 + options->kills * 2 + options->seconds * 400;
    ledger_init(&run->ledger, run->process_max);
    snprintf(run->folder, sizeof run->folder, "/tmp/kin-soak-XXXXXX");
    run->load.folder = mkdtemp(run->folder);
    run->load.board = mmap(NULL, sizeof *run->load.board, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return run->load.folder != NULL && run->load.board != MAP_FAILED && kin_init(NULL, NULL) == 0 &&
           kin_queue_create(&limits, &run->load.queue) == 0 &&
           kin_lock_create(NULL, &run->load.lock) == 0;
}

static bool soak(const struct soak_options *options, bool is_claiming)
{
    static struct run the_run;
    double start = soak_now();
    the_run = (struct run){.is_claiming = is_claiming};
    run = &the_run;
    if (!set_up(options)) {
        printf("  the soak of the queue could not be set up\n");
        return false;
    }
    play(options);
    end();
    ledger_close(&run->ledger, run->folder, run->process_count);
    double seconds = soak_now() - start;
    bool is_good = is_claiming ? report_claims(seconds) : report(seconds);
    kin_queue_free(run->load.queue);
    kin_lock_free(run->load.lock);
    is_good = soak_check_family(2) == 0 && is_good;
    kin_fini();
    remove_folder();
    ledger_deinit(&run->ledger);
    munmap(run->load.board, sizeof *run->load.board);
    return is_good;
}

bool soak_queue(const struct soak_options *options)
{
    return soak(options, false);
}

bool soak_claims(const struct soak_options *options)
{
    return soak(options, true);
}
