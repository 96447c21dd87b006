#include "tally.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE_BYTES = 256 * 1024, LAST_WORD_BYTES = 4 * 1024, WORDS_AT_ONCE = 16 };

/* A range that is being read. */
struct stretch {
    uint64_t start;
    uint64_t end;
    uint64_t file_size;
    int fd;
    unsigned char *piece; /* PIECE_BYTES */
};

int tally_init(struct tally *tally)
{
    *tally = (struct tally){0};
    return word_table_init(&tally->table);
}

void tally_deinit(struct tally *tally)
{
    word_table_deinit(&tally->table);
    free(tally->failures);
    *tally = (struct tally){0};
}

static int note_failure(struct tally *tally, uint64_t file_index, int code)
{
    size_t count = tally->failure_count;
    struct read_failure *failures = realloc(tally->failures, (count + 1) * sizeof *failures);
    if (failures == NULL) {
        return -ENOMEM;
    }
    failures[count] = (struct read_failure){.file_index = file_index, .code = code};
    tally->failures = failures;
    tally->failure_count = count + 1;
    return 0;
}

/* Reads up to `size_max` bytes, at least 1. A file that ends too early has changed: -ESTALE. */
static ssize_t read_piece(const struct stretch *stretch, uint64_t position, uint64_t size_max)
{
    size_t size = size_max < PIECE_BYTES ? (size_t)size_max : PIECE_BYTES;
    ssize_t got = pread(stretch->fd, stretch->piece, size, (off_t)position);
    return got > 0 ? got : got == 0 ? -ESTALE : -errno;
}

/* Where the letters end that the text begins with. */
static size_t letters_at_start(const unsigned char *text, size_t size)
{
    size_t length = 0;
    while (length < size && is_letter(text[length])) {
        length++;
    }
    return length;
}

/* Feeds the range itself, but not the rest of a word that starts before it. */
static int feed_range(struct word_table *table, const struct stretch *stretch)
{
    bool skips_word = stretch->start > 0;
    uint64_t position = skips_word ? stretch->start - 1 : 0;
    while (position < stretch->end) {
        ssize_t size = read_piece(stretch, position, stretch->end - position);
        if (size < 0) {
            return (int)size;
        }
        size_t skipped = skips_word ? letters_at_start(stretch->piece, (size_t)size) : 0;
        skips_word = skips_word && skipped == (size_t)size;
        int code = word_table_feed(table, stretch->piece + skipped, (size_t)size - skipped);
        if (code < 0) {
            return code;
        }
        position += (uint64_t)size;
    }
    return 0;
}

/* Feeds the rest of the range's last word, which lies behind its end. */
static int feed_last_word(struct word_table *table, const struct stretch *stretch)
{
    uint64_t position = stretch->end;
    while (word_table_has_open_word(table) && position < stretch->file_size) {
        uint64_t left = stretch->file_size - position;
        ssize_t size = read_piece(stretch, position,
                                  left < LAST_WORD_BYTES ? left : LAST_WORD_BYTES);
        if (size < 0) {
            return (int)size;
        }
        size_t length = letters_at_start(stretch->piece, (size_t)size);
        int code = word_table_feed(table, stretch->piece, length);
        if (code < 0 || length < (size_t)size) {
            return code;
        }
        position += (uint64_t)size;
    }
    return 0;
}

static int count_range(struct word_table *table, const char *path, struct stretch *stretch)
{
    stretch->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (stretch->fd < 0) {
        return -errno;
    }
    int code = feed_range(table, stretch);
    if (code == 0) {
        code = feed_last_word(table, stretch);
    }
    close(stretch->fd);
    int end_code = word_table_end_text(table);
    return end_code < 0 ? end_code : code;
}

static int count_ranges(struct tally *tally, struct record_reader *reader, unsigned char *piece)
{
    while (reader->next < reader->end) {
        struct stretch stretch = {.piece = piece};
        uint64_t file_index = record_get_number(reader);
        stretch.start = record_get_number(reader);
        stretch.end = record_get_number(reader);
        stretch.file_size = record_get_number(reader);
        kin_bytes path = record_get_bytes(reader);
        if (reader->failed || memchr(path.data, 0, path.size) == NULL) {
            return -EBADMSG;
        }
        int code = count_range(&tally->table, path.data, &stretch);
        if (code == 0) {
            tally->byte_count += stretch.end - stretch.start;
        } else if (code != -ENOMEM) {
            code = note_failure(tally, file_index, code);
        }
        if (code < 0) {
            return code;
        }
    }
    return 0;
}

int tally_count(struct tally *tally, kin_bytes task)
{
    unsigned char *piece = malloc(PIECE_BYTES);
    if (piece == NULL) {
        return -ENOMEM;
    }
    struct record_reader reader = record_reader_of(task);
    int code = count_ranges(tally, &reader, piece);
    free(piece);
    return code;
}

void tally_write(const struct tally *tally, struct record_writer *writer)
{
    record_put_number(writer, tally->byte_count);
    record_put_number(writer, tally->failure_count);
    for (size_t i = 0; i < tally->failure_count; i++) {
        record_put_number(writer, tally->failures[i].file_index);
        record_put_number(writer, (uint64_t)-tally->failures[i].code);
    }
    const struct word_table *table = &tally->table;
    record_put_number(writer, table->word_count);
    for (size_t i = 0; i < table->word_count; i++) {
        const struct word *word = &table->words[i];
        record_put_bytes(writer, &word->hash, sizeof word->hash);
        record_put_bytes(writer, word_letters(table, word), word->length);
        record_put_number(writer, word->count);
    }
}

static int merge_failures(struct tally *tally, struct record_reader *reader)
{
    uint64_t count = record_get_number(reader);
    for (uint64_t i = 0; i < count && !reader->failed; i++) {
        uint64_t file_index = record_get_number(reader);
        int code = note_failure(tally, file_index, -(int)record_get_number(reader));
        if (code < 0) {
            return code;
        }
    }
    return 0;
}

/* A word of another table, as it stands in a record. */
struct foreign_word {
    uint64_t hash;
    kin_bytes letters;
    uint64_t count;
};

static int read_word(struct record_reader *reader, struct foreign_word *ret_word)
{
    kin_bytes hash = record_get_bytes(reader);
    kin_bytes letters = record_get_bytes(reader);
    uint64_t count = record_get_number(reader);
    if (reader->failed || hash.size != sizeof ret_word->hash || letters.size == 0 || count == 0) {
        return -EBADMSG;
    }
    memcpy(&ret_word->hash, hash.data, sizeof ret_word->hash);
    ret_word->letters = letters;
    ret_word->count = count;
    return 0;
}

/* Merges up to WORDS_AT_ONCE words. */
static int merge_some(struct word_table *table, struct record_reader *reader, size_t count)
{
    struct foreign_word words[WORDS_AT_ONCE];
    for (size_t i = 0; i < count; i++) {
        int code = read_word(reader, &words[i]);
        if (code < 0) {
            return code;
        }
        word_table_expect(table, words[i].hash);
    }
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++) {
        const struct foreign_word *word = &words[i];
        code = word_table_add(table, word->hash, word->letters.data, word->letters.size,
                              word->count);
    }
    return code;
}

static int merge_words(struct word_table *table, struct record_reader *reader)
{
    uint64_t left = record_get_number(reader);
    int code = 0;
    while (left > 0 && code == 0) {
        size_t count = left < WORDS_AT_ONCE ? (size_t)left : WORDS_AT_ONCE;
        code = merge_some(table, reader, count);
        left -= count;
    }
    return code;
}

int tally_merge(struct tally *tally, kin_bytes record)
{
    struct record_reader reader = record_reader_of(record);
    tally->byte_count += record_get_number(&reader);
    int code = merge_failures(tally, &reader);
    if (code == 0) {
        code = merge_words(&tally->table, &reader);
    }
    return code == 0 && reader.failed ? -EBADMSG : code;
}
