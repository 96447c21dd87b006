/*
 * Objects through a pipe: a child asks questions, each with the queue in which it wants the
 * answer. See docs/guide/connections.md.
 */
#include <errno.h>
#include <kin.h>
#include <stdio.h>

static kin_connection *parent_end;
static kin_connection *child_end;

/* {'what': what, 'of': number, 'answer to': a queue}; NULL: no memory. */
static kin_object *make_question(const char *what, int64_t number, kin_queue *answers)
{
    kin_object *answer_to;
    if (kin_object_from_handle(kin_queue_handle(answers), &answer_to) < 0) {
        return NULL;
    }
    kin_object *question = kin_dict_create();
    kin_dict_set_text(question, "what", kin_object_from_text(what));
    kin_dict_set_text(question, "of", kin_object_from_int(number));
    kin_dict_set_text(question, "answer to", answer_to);
    return question;
}

/* Runs in a child. */
static int ask(kin_call *call)
{
    (void)call;
    kin_queue *answers;
    kin_object *answer;
    int code = kin_queue_create(NULL, &answers);
    if (code < 0) {
        return code;
    }
    kin_object *question = make_question("square", 111111111, answers);
    code = kin_connection_send(child_end, question, KIN_FOREVER);
    kin_object_free(question);
    if (code == 0) {
        code = kin_queue_get(answers, KIN_FOREVER, &answer);
    }
    if (code == 0) {
        kin_object_print(answer, stdout);
        kin_object_free(answer);
    }
    kin_queue_free(answers);
    return code;
}
KIN_FUNCTION(ask)

static int answer(const kin_object *question)
{
    kin_handle handle;
    kin_queue *answers;
    int64_t number;
    if (kin_object_to_int(kin_dict_get_text(question, "of"), &number) < 0 ||
        kin_object_to_handle(kin_dict_get_text(question, "answer to"), &handle) < 0) {
        return -EINVAL;
    }
    int code = kin_queue_attach(handle, &answers);
    if (code == 0) {
        kin_object *square = KIN_TUPLE(kin_object_ref(kin_dict_get_text(question, "what")),
                                       kin_object_from_int(number * number));
        code = kin_queue_put(answers, square, KIN_FOREVER);
        kin_object_free(square);
        kin_queue_free(answers);
    }
    return code;
}

int main(int argc, char **argv)
{
    kin_process *child;
    kin_object *question;
    int code = kin_init(&argc, &argv);
    if (code == 0) {
        code = kin_pipe_create(true, &parent_end, &child_end);
    }
    if (code == 0) {
        code = kin_process_start_bytes(ask, NULL, 0, NULL, &child);
    }
    if (code < 0) {
        fprintf(stderr, "pipe_objects: %s\n", kin_code_text(code));
        return 1;
    }
    child_end = kin_connection_free(child_end); /* so that the child's end is the only one */
    while ((code = kin_connection_receive(parent_end, KIN_FOREVER, &question)) == 0) {
        code = answer(question);
        kin_object_free(question);
    }
    printf("%s\n", code == -EPIPE ? "no more questions" : kin_code_text(code));
    kin_process_join(child, KIN_FOREVER);
    kin_process_free(child);
    kin_connection_free(parent_end);
    return code != -EPIPE;
}
