/*
 * Objects in a queue: tasks that say where their answers are to go.
 */
#include <kin.h>
#include <stdio.h>
#include <string.h>

/* Counts the words of texts. A task: {"text": str, "answers": queue}. */
static int count_words(kin_call *call)
{
    kin_handle handle;
    kin_queue *tasks = NULL;
    if (kin_object_to_handle(kin_call_argument(call, 0), &handle) < 0 ||
        kin_queue_attach(handle, &tasks) < 0) {
        return kin_call_fail(call, -1, "there is no queue");
    }
    kin_object *task = NULL;
    while (kin_queue_get(tasks, KIN_FOREVER, &task) == 0) {
        const char *text = kin_object_text(kin_dict_get_text(task, "text"));
        kin_queue *answers = NULL;
        if (text != NULL &&
            kin_object_to_handle(kin_dict_get_text(task, "answers"), &handle) == 0 &&
            kin_queue_attach(handle, &answers) == 0) {
            int64_t words = 0;
            for (const char *at = text; *at != '\0'; at += strspn(at, " ")) {
                at += strcspn(at, " ");
                words++;
            }
            kin_object *answer = KIN_TUPLE(kin_object_from_text(text), kin_object_from_int(words));
            kin_queue_put(answers, answer, KIN_FOREVER);
            kin_object_free(answer);
            kin_queue_free(answers);
        }
        kin_object_free(task);
    }
    kin_queue_free(tasks);
    return 0;
}

static kin_object *handle_of(const kin_queue *queue)
{
    kin_object *object = NULL;
    kin_object_from_handle(kin_queue_handle(queue), &object);
    return object; /* NULL: every call that gets it says so */
}

int main(int argc, char **argv)
{
    kin_queue *tasks, *answers;
    kin_process *counter;
    if (kin_init(&argc, &argv) < 0 || kin_queue_create(NULL, &tasks) < 0 ||
        kin_queue_create(NULL, &answers) < 0) {
        return 1;
    }
    kin_object *argument = handle_of(tasks);
    if (kin_process_start(count_words, argument, NULL, &counter) < 0) {
        return 1;
    }
    kin_object_free(argument);

    static const char *const texts[] = {"to be or not to be", "that is the question"};
    for (int i = 0; i < 2; i++) {
        kin_object *task = kin_dict_create();
        kin_dict_set_text(task, "text", kin_object_from_text(texts[i]));
        kin_dict_set_text(task, "answers", handle_of(answers));
        if (kin_queue_put(tasks, task, KIN_FOREVER) < 0) {
            return 1;
        }
        kin_object_free(task);
    }
    kin_queue_close(tasks);
    for (int i = 0; i < 2; i++) {
        kin_object *answer;
        if (kin_queue_get(answers, KIN_FOREVER, &answer) == 0) {
            kin_object_print(answer, stdout);
            kin_object_free(answer);
        }
    }
    kin_process_join(counter, KIN_FOREVER);
    kin_process_free(counter);
    kin_queue_free(answers);
    kin_queue_free(tasks);
    return 0;
}
