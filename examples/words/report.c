#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { COMMONEST_COUNT = 20 };

/* Whether word `a` stands before word `b`: more often, or as often and first in byte order. */
static bool stands_before(const struct word_table *table, const struct word *a,
                          const struct word *b)
{
    if (a->count != b->count) {
        return a->count > b->count;
    }
    size_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(word_letters(table, a), word_letters(table, b), shorter);
    return order != 0 ? order < 0 : a->length < b->length;
}

/* Puts a word where it belongs among the commonest so far, if it does. Returns how many. */
static size_t insert(const struct word_table *table, const struct word **commonest, size_t count,
                     const struct word *word)
{
    size_t place = count;
    while (place > 0 && stands_before(table, word, commonest[place - 1])) {
        place--;
    }
    if (place == COMMONEST_COUNT) {
        return count;
    }
    size_t kept = count < COMMONEST_COUNT ? count : COMMONEST_COUNT - 1;
    memmove(&commonest[place + 1], &commonest[place], (kept - place) * sizeof *commonest);
    commonest[place] = word;
    return kept + 1;
}

static void print_commonest(const struct word_table *table)
{
    const struct word *commonest[COMMONEST_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < table->word_count; i++) {
        count = insert(table, commonest, count, &table->words[i]);
    }
    for (size_t i = 0; i < count; i++) {
        printf("%10" PRIu64 " ", commonest[i]->count);
        fwrite(word_letters(table, commonest[i]), 1, commonest[i]->length, stdout);
        putchar('\n');
    }
}

static void print_left_out(const char *title, const struct left_out *group)
{
    printf("%-16s %12" PRIu64 "\n", title, group->count);
    for (size_t i = 0; i < group->count && i < NAMED_FILES_MAX; i++) {
        printf("    %s\n", group->names[i]);
    }
    if (group->count > NAMED_FILES_MAX) {
        printf("    and %" PRIu64 " more\n", group->count - NAMED_FILES_MAX);
    }
}

static uint64_t count_failed(const struct file_list *files)
{
    uint64_t count = 0;
    for (size_t i = 0; i < files->count; i++) {
        count += files->files[i].failure != 0;
    }
    return count;
}

void report_words(const struct tally *tally, const struct file_list *files)
{
    print_commonest(&tally->table);
    printf("\n%-16s %12" PRIu64 "\n", "files", files->count - count_failed(files));
    printf("%-16s %12" PRIu64 "\n", "bytes", tally->byte_count);
    printf("%-16s %12" PRIu64 "\n", "words", tally->table.total_count);
    printf("%-16s %12zu\n", "distinct words", tally->table.word_count);
    printf("%-16s %12" PRIu64 "   (not followed)\n", "symbolic links", files->link_count);
    print_left_out("binary files", &files->binary);
    print_left_out("unreadable files", &files->unreadable);
}

static double seconds(int64_t duration_ns)
{
    return (double)duration_ns / 1e9;
}

void report_runs(const struct run *alone, const struct run *pool)
{
    char title[32];
    snprintf(title, sizeof title, "pool of %" PRIu32, pool->worker_count);
    printf("\n%-16s %12.3f s\n", "one process", seconds(alone->duration_ns));
    printf("%-16s %12.3f s   (%.2f times as fast)\n", title, seconds(pool->duration_ns),
           (double)alone->duration_ns / (double)pool->duration_ns);

    printf("\nworker  tasks         bytes    busy  restarts\n");
    for (uint32_t i = 0; i < pool->worker_count; i++) {
        const struct worker_report *worker = &pool->workers[i];
        printf("%6" PRIu32 " %6" PRIu64 " %13" PRIu64 "  %4.0f %% %9" PRIu32 "\n", i,
               worker->task_count, worker->byte_count,
               100 * (double)worker->busy_ns / (double)pool->duration_ns, worker->restart_count);
    }
    putchar('\n');
}

void report_kills(const struct run *pool, uint64_t kill_count)
{
    if (kill_count > 0) {
        printf("%" PRIu64 " workers killed, %" PRIu64 " tasks retried\n", pool->killed_count,
               pool->retried_count);
    }
    if (pool->killed_count < kill_count) {
        printf("not %" PRIu64 ", because the tasks were over too soon\n", kill_count);
    }
}

/* A word of `table` that `other` has not, or not as often; NULL: none. */
static const struct word *find_difference(const struct word_table *table,
                                          const struct word_table *other)
{
    for (size_t i = 0; i < table->word_count; i++) {
        const struct word *word = &table->words[i];
        const struct word *same = word_table_find(other, word->hash, word_letters(table, word),
                                                  word->length);
        if (same == NULL || same->count != word->count) {
            return word;
        }
    }
    return NULL;
}

/* Says how often `word`, of either table, occurs in both. */
static void print_difference(const struct word_table *table, const struct word *word,
                             const struct word_table *other, const char *places)
{
    const char *letters = word_letters(table, word);
    const struct word *same = word_table_find(other, word->hash, letters, word->length);
    printf("the word \"");
    fwrite(letters, 1, word->length, stdout);
    printf("\" occurs %" PRIu64 " and %" PRIu64 " times %s\n", word->count,
           same == NULL ? 0 : same->count, places);
}

static void explain_difference(const struct run *alone, const struct run *pool,
                               const struct file_list *files)
{
    const struct word_table *alone_table = &alone->tally.table;
    const struct word_table *pool_table = &pool->tally.table;
    const struct word *word = find_difference(alone_table, pool_table);
    if (word != NULL) {
        print_difference(alone_table, word, pool_table, "in one process and in the pool");
    } else if ((word = find_difference(pool_table, alone_table)) != NULL) {
        print_difference(pool_table, word, alone_table, "in the pool and in one process");
    }
    const struct text_file *changed = file_list_find_changed(files);
    if (changed != NULL) {
        printf("%s has changed since it was found\n", changed->path);
    }
}

bool report_comparison(const struct run *alone, const struct run *pool,
                       const struct file_list *files)
{
    bool is_identical = alone->tally.byte_count == pool->tally.byte_count &&
                        alone->tally.table.word_count == pool->tally.table.word_count &&
                        find_difference(&alone->tally.table, &pool->tally.table) == NULL;
    printf("identical to one process: %s\n", is_identical ? "yes" : "no");
    if (!is_identical) {
        explain_difference(alone, pool, files);
    }
    return is_identical;
}
