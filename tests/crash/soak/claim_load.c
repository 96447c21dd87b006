/*
 * Producers that write in place, with several reservations open, and put batches; consumers that
 * claim, and acknowledge or refuse.
 */
#define _GNU_SOURCE
#include "soak/journal.h"
#include "soak/load.h"
#include "soak/soak.h"

#include <errno.h>
#include <kin/claim.h>
#include <kin/reservation.h>
#include <unistd.h>

/* All producers together leave places free in the queue: nobody waits for his own reservations. */
enum { OPEN_MAX = 11, BATCH_MAX = 9, BATCH_BYTES = 400, REFUSE_EVERY = 8, ABANDON_EVERY = 4 };

struct producer {
    const struct load *load;
    int journal;
    uint32_t process;
    uint64_t sequence;
    uint64_t random;
};

static void note(const struct producer *producer, enum journal_kind kind, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        journal_write(producer->journal, kind, producer->process, producer->sequence + i);
    }
}

static void commit_all(struct producer *producer, kin_reservation *open, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (kin_queue_commit(producer->load->queue, &open[i]) != 0) {
            load_count_bad(producer->load);
            continue;
        }
        note(producer, JOURNAL_SENT, 1);
        producer->sequence++;
    }
}

static void reserve_some(struct producer *producer, uint32_t count)
{
    kin_reservation open[OPEN_MAX];
    kin_reservation given_up;
    kin_queue *queue = producer->load->queue;
    note(producer, JOURNAL_INTENT, count);
    for (uint32_t i = 0; i < count; i++) {
        struct load_head head = {.producer = producer->process, .sequence = producer->sequence + i};
        head.size = (uint32_t)load_choose_size(soak_random(&producer->random));
        if (kin_queue_reserve(queue, head.size, KIN_FOREVER, &open[i]) != 0) {
            load_count_bad(producer->load);
            return;
        }
        load_write(open[i].data, head, producer->random);
    }
    if (producer->random % ABANDON_EVERY == 0 &&
        kin_queue_reserve(queue, producer->random % 1000, KIN_NOW, &given_up) == 0 &&
        kin_queue_abandon(queue, &given_up) != 0) {
        load_count_bad(producer->load);
    }
    commit_all(producer, open, count);
}

static void put_some(struct producer *producer, uint32_t count)
{
    unsigned char bytes[BATCH_MAX][BATCH_BYTES];
    kin_bytes messages[BATCH_MAX];
    for (uint32_t i = 0; i < count; i++) {
        struct load_head head = {.producer = producer->process, .sequence = producer->sequence + i};
        uint64_t random = soak_random(&producer->random);
        head.size = (uint32_t)(sizeof head + random % (BATCH_BYTES - sizeof head));
        load_write(bytes[i], head, random);
        messages[i] = (kin_bytes){bytes[i], head.size};
    }
    note(producer, JOURNAL_INTENT, count);
    int r = kin_queue_put_many_bytes(producer->load->queue, messages, count, KIN_FOREVER);
    if (r != (int)count) {
        load_count_bad(producer->load);
    }
    note(producer, JOURNAL_SENT, r < 0 ? 0 : (uint32_t)r);
    producer->sequence += count;
}

void load_reserve(const struct load *load, uint32_t process)
{
    struct producer producer = {.load = load,
                                .journal = journal_open(load->folder, process),
                                .process = process,
                                .random = process * 0x9e3779b97f4a7c15u + 1};
    while (atomic_load(&load->board->is_ending) == 0) {
        uint64_t random = soak_random(&producer.random);
        if (random >> 20 & 1) {
            reserve_some(&producer, 1 + (uint32_t)(random >> 24) % OPEN_MAX);
        } else {
            put_some(&producer, 1 + (uint32_t)(random >> 24) % BATCH_MAX);
        }
        if ((random >> 44) % 8 == 0) {
            usleep((useconds_t)(random >> 48) % 300);
        }
    }
}

static void end_claim(const struct load *load, int journal, kin_claim *claim, bool is_refused)
{
    struct load_head head;
    if (!load_is_whole(claim->bytes, &head)) {
        load_count_bad(load);
        return;
    }
    journal_write(journal, claim->delivery == 1 ? JOURNAL_CLAIMED : JOURNAL_CLAIMED_AGAIN,
                  head.producer, head.sequence);
    if (is_refused) {
        if (kin_queue_refuse(load->queue, claim) != 0) {
            load_count_bad(load);
        }
        return;
    }
    journal_write(journal, JOURNAL_ENDING, head.producer, head.sequence);
    if (kin_queue_acknowledge(load->queue, claim) != 0) {
        load_count_bad(load);
    }
    journal_write(journal, JOURNAL_ENDED, head.producer, head.sequence);
    atomic_fetch_add(&load->board->received_count, 1);
}

void load_claim(const struct load *load, uint32_t process)
{
    int journal = journal_open(load->folder, process);
    uint64_t random = process * 0x9e3779b97f4a7c15u + 1;
    for (;;) {
        kin_claim claims[3];
        uint32_t wanted = 1 + (uint32_t)(soak_random(&random) >> 20) % 3;
        uint32_t count = 0;
        int r = kin_queue_claim(load->queue, KIN_FOREVER, &claims[0]);
        while (r == 0 && ++count < wanted) {
            r = kin_queue_claim(load->queue, KIN_NOW, &claims[count]);
        }
        for (uint32_t i = count; i-- > 0;) { /* the youngest first, for a change */
            end_claim(load, journal, &claims[i], (random >> (30 + i * 4)) % REFUSE_EVERY == 0);
        }
        if (count == 0 && r == -EPIPE) {
            return;
        }
        if (r < 0 && r != -EAGAIN && r != -EPIPE) {
            load_count_bad(load);
        }
    }
}
