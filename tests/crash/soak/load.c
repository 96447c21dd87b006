#define _GNU_SOURCE
#include "soak/load.h"

#include "soak/journal.h"
#include "soak/soak.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/event.h>
#include <string.h>
#include <unistd.h>

enum { SIZE_MAX_SMALL = 100, SIZE_MAX_MIDDLE = 4000, SIZE_MAX_LARGE = 100000, SLOW_US = 200 };

static uint64_t hash_of(const unsigned char *bytes, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    }
    return hash;
}

void load_count_bad(const struct load *load)
{
    atomic_fetch_add(&load->board->bad_count, 1);
}

/* Changes two words that must stay alike, behind the lock. */
static void use_lock(const struct load *load, bool is_slow)
{
    volatile uint64_t *pair = load->board->pair;
    int r = kin_lock_acquire(load->lock, KIN_FOREVER);
    if (r == KIN_OWNER_DIED) {
        atomic_fetch_add(&load->board->died_count, 1);
        pair[1] = pair[0];
        r = kin_lock_mark_consistent(load->lock);
    }
    if (r != 0) {
        load_count_bad(load);
        return;
    }
    if (pair[0] != pair[1]) {
        atomic_fetch_add(&load->board->torn_count, 1);
    }
    pair[0]++;
    if (is_slow) {
        usleep(SLOW_US);
    }
    pair[1]++;
    if (kin_lock_release(load->lock) != 0) {
        load_count_bad(load);
    }
}

/* Makes an object, opens it again and lets go of it. */
static void use_objects(const struct load *load)
{
    kin_event *event = NULL;
    kin_event *again = NULL;
    if (kin_event_create(NULL, &event) != 0 ||
        kin_event_attach(kin_event_handle(event), &again) != 0 || kin_event_set(event) != 0 ||
        kin_event_wait(again, KIN_NOW) != 0) {
        load_count_bad(load);
    }
    kin_event_free(event);
    kin_event_free(again);
}

size_t load_choose_size(uint64_t random)
{
    size_t most = random % 64 == 0  ? SIZE_MAX_LARGE
                  : random % 4 == 0 ? SIZE_MAX_MIDDLE
                                    : SIZE_MAX_SMALL;
    return sizeof(struct load_head) + (size_t)(random >> 16) % most;
}

void load_write(void *message, struct load_head head, uint64_t random)
{
    unsigned char *bytes = (unsigned char *)message + sizeof head;
    size_t size = head.size - sizeof head;
    memset(bytes, (int)(random & 0xff), size);
    memcpy(bytes, &random, size < 8 ? size : 8);
    head.hash = hash_of(bytes, size);
    memcpy(message, &head, sizeof head);
}

bool load_is_whole(kin_bytes bytes, struct load_head *ret_head)
{
    if (bytes.size < sizeof *ret_head) {
        return false;
    }
    memcpy(ret_head, bytes.data, sizeof *ret_head);
    const unsigned char *behind = (const unsigned char *)bytes.data + sizeof *ret_head;
    return ret_head->size == bytes.size &&
           ret_head->hash == hash_of(behind, bytes.size - sizeof *ret_head);
}

static void put_one(const struct load *load, int journal, uint32_t process, uint64_t sequence,
                    uint64_t random)
{
    static unsigned char message[sizeof(struct load_head) + SIZE_MAX_LARGE];
    size_t size = load_choose_size(random);
    struct load_head head = {.producer = process, .size = (uint32_t)size, .sequence = sequence};
    load_write(message, head, random);
    journal_write(journal, JOURNAL_INTENT, process, sequence);
    int r = kin_queue_put_bytes(load->queue, message, size, KIN_FOREVER);
    if (r == 0) {
        journal_write(journal, JOURNAL_SENT, process, sequence);
    } else {
        load_count_bad(load);
    }
}

void load_produce(const struct load *load, uint32_t process)
{
    uint64_t random = process * 0x9e3779b97f4a7c15u + 1;
    int journal = journal_open(load->folder, process);
    for (uint64_t sequence = 0; atomic_load(&load->board->is_ending) == 0; sequence++) {
        soak_random(&random);
        put_one(load, journal, process, sequence, random);
        if (random >> 40 & 1) {
            use_lock(load, (random >> 50) % 16 == 0);
        }
        if ((random >> 41) % 8 == 0) {
            use_objects(load);
        }
        if ((random >> 44) % 8 == 0) {
            usleep((useconds_t)(random >> 48) % 300);
        }
    }
}

static void check_message(const struct load *load, int journal, const kin_message *message)
{
    struct load_head head;
    if (load_is_whole(kin_message_bytes(message), &head)) {
        journal_write(journal, JOURNAL_RECEIVED, head.producer, head.sequence);
    } else {
        load_count_bad(load);
    }
}

void load_consume(const struct load *load, uint32_t process, uint32_t place)
{
    struct load_hand *hand = &load->board->hands[place];
    int journal = journal_open(load->folder, process);
    for (uint64_t round = 0;; round++) {
        hand->message.size = 0;
        atomic_store(&hand->is_getting, 1);
        int r = kin_queue_get_bytes(load->queue, KIN_FOREVER, &hand->message);
        if (r == 0) {
            check_message(load, journal, &hand->message);
        }
        atomic_store(&hand->is_getting, 0);
        if (r == -EPIPE) {
            break;
        }
        if (r < 0) {
            load_count_bad(load);
        }
        kin_message_free(&hand->message);
        atomic_fetch_add(&load->board->received_count, 1);
        if (round % 4 == 0) {
            use_lock(load, round % 64 == 0);
        }
    }
}
