/*
 * The hash of a word is its letters as the digits of a number in base 31, times a constant that
 * spreads it over the upper bits, of which the slot is made. Of the words of one length up to 12
 * letters, no two share a hash, as the number does not overflow: only longer ones, which are
 * rare, have to be compared letter by letter.
 */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t hash_spread = 0x9e3779b97f4a7c15;

enum { UNIQUE_LENGTH_MAX = 12, SLOT_COUNT_BITS_MIN = 12, LETTERS_MIN = 1 << 16 };

static int reserve_letters(struct word_table *table, size_t more)
{
    size_t needed = table->letters_size + table->open_length + more;
    if (needed <= table->letters_capacity) {
        return 0;
    }
    size_t capacity = needed < LETTERS_MIN ? LETTERS_MIN : needed * 2;
    char *letters = realloc(table->letters, capacity);
    if (letters == NULL) {
        return -ENOMEM;
    }
    table->letters = letters;
    table->letters_capacity = capacity;
    return 0;
}

static size_t slot_count(const struct word_table *table)
{
    return (size_t)1 << table->slot_count_bits;
}

static size_t first_slot(const struct word_table *table, uint64_t hash)
{
    return (size_t)(hash >> (64 - table->slot_count_bits));
}

static size_t next_slot(const struct word_table *table, size_t slot)
{
    return (slot + 1) & (slot_count(table) - 1);
}

static bool is_word(const struct word_table *table, const struct word *word, uint64_t hash,
                    const char *letters, size_t length)
{
    return word->hash == hash && word->length == length &&
           (length <= UNIQUE_LENGTH_MAX || memcmp(word_letters(table, word), letters, length) == 0);
}

/* The slot of the word, or the free slot where it belongs. */
static struct word_slot *find_slot(const struct word_table *table, uint64_t hash,
                                   const char *letters, size_t length)
{
    for (size_t i = first_slot(table, hash);; i = next_slot(table, i)) {
        struct word_slot *slot = &table->slots[i];
        if (slot->number == 0 ||
            (slot->hash_part == (uint32_t)hash &&
             is_word(table, &table->words[slot->number - 1], hash, letters, length))) {
            return slot;
        }
    }
}

static void enter_in_slots(struct word_table *table, size_t index)
{
    uint64_t hash = table->words[index].hash;
    size_t i = first_slot(table, hash);
    while (table->slots[i].number != 0) {
        i = next_slot(table, i);
    }
    table->slots[i] = (struct word_slot){.hash_part = (uint32_t)hash,
                                         .number = (uint32_t)index + 1};
}

/* Gives the table so many slots, and room for half as many words. */
static int resize(struct word_table *table, unsigned slot_count_bits)
{
    size_t count = (size_t)1 << slot_count_bits;
    struct word_slot *slots = calloc(count, sizeof *slots);
    struct word *words = realloc(table->words, count / 2 * sizeof *words);
    if (words != NULL) {
        table->words = words;
    }
    if (slots == NULL || words == NULL || count > UINT32_MAX) {
        free(slots);
        return -ENOMEM;
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count_bits = slot_count_bits;
    for (size_t i = 0; i < table->word_count; i++) {
        enter_in_slots(table, i);
    }
    return 0;
}

int word_table_init(struct word_table *table)
{
    *table = (struct word_table){0};
    return resize(table, SLOT_COUNT_BITS_MIN);
}

void word_table_deinit(struct word_table *table)
{
    free(table->words);
    free(table->slots);
    free(table->letters);
    *table = (struct word_table){0};
}

/* Enters the open word as a new one: its letters stay where they are. */
static int enter_word(struct word_table *table, struct word_slot *slot, uint64_t count)
{
    table->words[table->word_count++] = (struct word){
        .hash = table->open_hash,
        .count = count,
        .place = table->letters_size,
        .length = table->open_length,
    };
    table->letters_size += table->open_length;
    *slot = (struct word_slot){
        .hash_part = (uint32_t)table->open_hash,
        .number = (uint32_t)table->word_count,
    };
    bool is_full = table->word_count * 2 == slot_count(table);
    return is_full ? resize(table, table->slot_count_bits + 1) : 0;
}

static int end_word(struct word_table *table, uint64_t count)
{
    const char *letters = table->letters + table->letters_size;
    struct word_slot *slot = find_slot(table, table->open_hash, letters, table->open_length);
    int code = 0;
    if (slot->number == 0) {
        code = enter_word(table, slot, count);
    } else {
        table->words[slot->number - 1].count += count;
    }
    table->total_count += count;
    table->open_length = 0;
    table->open_hash = 0;
    return code;
}

static int end_text_word(struct word_table *table)
{
    table->open_hash *= hash_spread;
    return end_word(table, 1);
}

int word_table_feed(struct word_table *table, const unsigned char *text, size_t size)
{
    int code = reserve_letters(table, size);
    const unsigned char *end = text + size;
    while (code == 0 && text < end) {
        char *open_word = table->letters + table->letters_size;
        size_t length = table->open_length;
        uint64_t hash = table->open_hash;
        for (; text < end && is_letter(*text); text++) {
            unsigned char letter = *text | 0x20;
            open_word[length++] = (char)letter;
            hash = hash * 31 + letter;
        }
        table->open_length = length;
        table->open_hash = hash;
        if (text < end && length > 0) {
            code = end_text_word(table);
        }
        while (text < end && !is_letter(*text)) {
            text++;
        }
    }
    return code;
}

int word_table_end_text(struct word_table *table)
{
    return table->open_length > 0 ? end_text_word(table) : 0;
}

bool word_table_has_open_word(const struct word_table *table)
{
    return table->open_length > 0;
}

int word_table_add(struct word_table *table, uint64_t hash, const char *letters, size_t length,
                   uint64_t count)
{
    int code = reserve_letters(table, length);
    if (code < 0) {
        return code;
    }
    memcpy(table->letters + table->letters_size, letters, length);
    table->open_length = length;
    table->open_hash = hash;
    return end_word(table, count);
}

void word_table_expect(const struct word_table *table, uint64_t hash)
{
    __builtin_prefetch(&table->slots[first_slot(table, hash)]);
}

const struct word *word_table_find(const struct word_table *table, uint64_t hash,
                                   const char *letters, size_t length)
{
    const struct word_slot *slot = find_slot(table, hash, letters, length);
    return slot->number == 0 ? NULL : &table->words[slot->number - 1];
}
