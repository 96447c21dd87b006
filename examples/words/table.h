/*
 * The word table: how often each word was seen. A word is a maximal run of ASCII letters, in
 * lower case.
 *
 * Text is fed in pieces of any size. The letters of a word are appended, in lower case, to one
 * long array as they come; when the word ends, it is looked up, and if the table has it already,
 * its letters are dropped from the array again. So a new word is never copied, and a word may
 * span pieces.
 *
 * Words stand in the order in which they were first seen, so the common ones, which are seen
 * early, share a few cache lines. The slots are an open-addressed hash table of their numbers, at
 * most half full.
 */
#ifndef WORDS_TABLE_H
#define WORDS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct word {
    uint64_t hash;
    uint64_t count;
    size_t place; /* of its first letter in `letters` */
    size_t length;
};

struct word_slot {
    uint32_t hash_part; /* the lower half of the hash */
    uint32_t number;    /* of the word, from 1; 0: a free slot */
};

struct word_table {
    struct word *words;
    size_t word_count; /* distinct words */
    uint64_t total_count;

    struct word_slot *slots;
    unsigned slot_count_bits; /* there are 1 << slot_count_bits, twice as many as words fit in */

    char *letters;
    size_t letters_size; /* letters of words in the table; those of an open word follow */
    size_t letters_capacity;
    size_t open_length; /* letters of the word whose end has not been seen yet */
    uint64_t open_hash;
};

/* Returns 0 or -ENOMEM, as all functions here that return int. */
int word_table_init(struct word_table *table);
void word_table_deinit(struct word_table *table);

/* Counts the words of a piece of text; one at its end may go on in the next piece. */
int word_table_feed(struct word_table *table, const unsigned char *text, size_t size);

/* Says that the text has ended, and with it the word that is open. */
int word_table_end_text(struct word_table *table);

bool word_table_has_open_word(const struct word_table *table);

/* Adds `count` to a word of another table, whose hash is known already. No word may be open. */
int word_table_add(struct word_table *table, uint64_t hash, const char *letters, size_t length,
                   uint64_t count);

/*
 * Says that a word with this hash is added soon. A large table is not in the processor's cache:
 * this way several parts of it can be on their way at the same time.
 */
void word_table_expect(const struct word_table *table, uint64_t hash);

/* The word as it stands in the table, or NULL: not there. */
const struct word *word_table_find(const struct word_table *table, uint64_t hash,
                                   const char *letters, size_t length);

static inline const char *word_letters(const struct word_table *table, const struct word *word)
{
    return table->letters + word->place;
}

/* Whether a byte is an ASCII letter. */
static inline bool is_letter(unsigned char byte)
{
    return (unsigned char)((byte | 0x20) - 'a') < 26;
}

#endif
