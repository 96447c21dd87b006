/*
 * A process: a child counts the words of a text and sends the number back through a queue; a
 * second one fails. See docs/guide/processes.md.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <kin.h>

static kin_queue *counts; /* what is open in the parent is open in its children */

/* Runs in a child. */
static int count_words(kin_call *call)
{
    kin_bytes text = kin_call_bytes(call);
    uint64_t words = 0;
    bool is_inside = false;
    for (size_t i = 0; i < text.size; i++) {
        bool is_letter = isalpha(((const unsigned char *)text.data)[i]) != 0;
        words += is_letter && !is_inside;
        is_inside = is_letter;
    }
    if (words == 0) {
        return kin_call_fail(call, -ENODATA, "there is no word in it");
    }
    return kin_queue_put_bytes(counts, &words, sizeof words, KIN_FOREVER);
}

static int run(const char *text)
{
    kin_process *process;
    int exit_code = 0;
    int code = kin_process_start_bytes(count_words, text, strlen(text), NULL, &process);
    if (code < 0) {
        return code;
    }
    code = kin_process_join(process, KIN_FOREVER);
    if (code == 0) {
        code = kin_process_exit_code(process, &exit_code);
    }
    printf("%s ended with %d\n", kin_process_name(process), exit_code);
    kin_process_free(process);
    return code;
}

int main(int argc, char **argv)
{
    int code = kin_init(&argc, &argv);
    if (code == 0) {
        code = kin_queue_create(NULL, &counts);
    }
    if (code == 0) {
        code = run("to be or not to be");
    }
    if (code == 0) {
        code = run("");
    }
    kin_message message;
    if (code == 0 && kin_queue_get_bytes(counts, KIN_NOW, &message) == 0) {
        uint64_t words;
        memcpy(&words, kin_message_bytes(&message).data, sizeof words);
        printf("%llu words\n", (unsigned long long)words);
        kin_message_free(&message);
    }
    kin_queue_free(counts);
    if (code < 0) {
        fprintf(stderr, "process: %s\n", kin_code_text(code));
    }
    return code < 0;
}
