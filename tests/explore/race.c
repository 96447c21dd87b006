#include "explore/race.h"

#include "explore/machine.h"
#include "explore/region.h"

#include <string.h>

#define CELLS ((size_t)1 << 17) /* a power of two; more than words that one run touches */
#define PAIRS 1024u

struct clocks {
    uint32_t at[MACHINE_THREADS_MAX];
};

/* What is known of a word in this run. */
struct cell {
    uintptr_t word;
    uint32_t run;
    uint32_t writer;
    uint32_t write_clock; /* 0: never written */
    const void *write_place;
    struct clocks reads;
    const void *read_places[MACHINE_THREADS_MAX];
    struct clocks released; /* what who acquires here has seen */
};

bool race_is_on;
bool (*race_on_find)(const void *first, const void *second);

static struct cell cells[CELLS];
static uint32_t run;
static struct clocks threads[MACHINE_THREADS_MAX];
static struct clocks fences;
static struct {
    const void *first;
    const void *second;
} pairs[PAIRS]; /* that need not be told again */
static uint32_t pair_count;

/* As the compiler numbers them. */
enum order { RELAXED, CONSUME, ACQUIRE, RELEASE, ACQUIRE_RELEASE, TOTAL };

static bool does_acquire(int order)
{
    return order != RELAXED && order != RELEASE;
}

static bool does_release(int order)
{
    return order >= RELEASE;
}

static struct cell *cell_of(uintptr_t word)
{
    size_t place = (word * 0x9E3779B97F4A7C15u) >> 47;
    for (;;) {
        struct cell *cell = &cells[place % CELLS];
        if (cell->run != run) {
            memset(cell, 0, sizeof *cell);
            cell->run = run;
            cell->word = word;
        }
        if (cell->word == word) {
            return cell;
        }
        place++;
    }
}

static uintptr_t word_of(const volatile void *address)
{
    return (uintptr_t)address / sizeof(uint32_t);
}

static struct clocks *self_clocks(void)
{
    return &threads[machine->current];
}

static void join(struct clocks *to, const struct clocks *from)
{
    for (uint32_t i = 0; i < MACHINE_THREADS_MAX; i++) {
        to->at[i] = from->at[i] > to->at[i] ? from->at[i] : to->at[i];
    }
}

static void tick(uint32_t thread)
{
    threads[thread].at[thread]++;
}

void race_begin(void)
{
    run++;
    memset(&fences, 0, sizeof fences);
    memset(threads, 0, sizeof threads);
    for (uint32_t i = 0; i < MACHINE_THREADS_MAX; i++) {
        threads[i].at[i] = 1;
    }
}

static bool is_watched(void)
{
    return race_is_on && machine->is_exploring && machine->current != MACHINE_NOBODY;
}

/* --- plain accesses --- */

static void report(const void *first, const void *second)
{
    for (uint32_t i = 0; i < pair_count; i++) {
        if (pairs[i].first == first && pairs[i].second == second) {
            return;
        }
    }
    if (race_on_find(first, second) && pair_count < PAIRS) {
        pairs[pair_count].first = first;
        pairs[pair_count++].second = second;
    }
}

static void check_write(const struct cell *cell, const void *place)
{
    bool is_ordered = cell->write_clock == 0 || cell->writer == machine->current ||
                      cell->write_clock <= self_clocks()->at[cell->writer];
    if (!is_ordered) {
        report(cell->write_place, place);
    }
}

static void read_word(uintptr_t word, const void *place)
{
    struct cell *cell = cell_of(word);
    check_write(cell, place);
    cell->reads.at[machine->current] = self_clocks()->at[machine->current];
    cell->read_places[machine->current] = place;
}

static void write_word(uintptr_t word, const void *place)
{
    struct cell *cell = cell_of(word);
    check_write(cell, place);
    for (uint32_t i = 0; i < MACHINE_THREADS_MAX; i++) {
        if (i != machine->current && cell->reads.at[i] > self_clocks()->at[i]) {
            report(cell->read_places[i], place);
        }
    }
    cell->writer = machine->current;
    cell->write_clock = self_clocks()->at[machine->current];
    cell->write_place = place;
}

static void access_range(const volatile void *address, size_t size, const void *place,
                         void (*access)(uintptr_t word, const void *place))
{
    if (!is_watched() || !region_is_shared(address) || size == 0) {
        return;
    }
    uintptr_t last = word_of((const volatile unsigned char *)address + size - 1);
    for (uintptr_t word = word_of(address); word <= last; word++) {
        access(word, place);
    }
}

void race_read(const volatile void *address, size_t size, const void *place)
{
    access_range(address, size, place, read_word);
}

void race_write(const volatile void *address, size_t size, const void *place)
{
    access_range(address, size, place, write_word);
}

/* --- what orders them --- */

static void acquire(const struct cell *cell, int order)
{
    if (does_acquire(order)) {
        join(self_clocks(), &cell->released);
    }
}

void race_load(const volatile void *address, int order)
{
    if (is_watched() && region_is_shared(address)) {
        acquire(cell_of(word_of(address)), order);
    }
}

/* A store that does not release hides what the word had released before. */
void race_store(const volatile void *address, int order)
{
    if (!is_watched() || !region_is_shared(address)) {
        return;
    }
    struct cell *cell = cell_of(word_of(address));
    memset(&cell->released, 0, sizeof cell->released);
    if (does_release(order)) {
        cell->released = *self_clocks();
        tick(machine->current);
    }
}

void race_update(const volatile void *address, int order)
{
    if (!is_watched() || !region_is_shared(address)) {
        return;
    }
    struct cell *cell = cell_of(word_of(address));
    acquire(cell, order);
    if (does_release(order)) {
        join(&cell->released, self_clocks());
        tick(machine->current);
    }
}

void race_fence(int order)
{
    if (is_watched() && order == TOTAL) {
        join(self_clocks(), &fences);
        join(&fences, self_clocks());
        tick(machine->current);
    }
}

void race_release(const volatile void *key)
{
    if (is_watched()) {
        join(&cell_of((uintptr_t)key)->released, self_clocks());
        tick(machine->current);
    }
}

void race_acquire(const volatile void *key)
{
    if (is_watched()) {
        join(self_clocks(), &cell_of((uintptr_t)key)->released);
    }
}

void race_join(uint32_t thread)
{
    if (is_watched()) {
        join(self_clocks(), &threads[thread]);
        tick(thread);
    }
}

void race_release_of(uint32_t thread, const volatile void *address)
{
    if (race_is_on && machine->is_exploring) {
        join(&cell_of(word_of(address))->released, &threads[thread]);
        tick(thread);
    }
}
