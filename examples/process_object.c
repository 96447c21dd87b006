/*
 * An object that runs: a sum, which is made first and started later, as a process and here; and a
 * child that does not end by itself, which is stopped step by step. See docs/guide/processes.md.
 */
#include <stdio.h>

#include <kin.h>

/* What a sum does when it runs, wherever that is: the exit code is what it adds up to. */
static int add_up(kin_object *sum, kin_call *call)
{
    kin_object *numbers = kin_instance_state(sum);
    int64_t total = 0, number = 0;
    for (size_t i = 0; i < kin_object_count(numbers); i++) {
        int code = kin_object_to_int(kin_object_at(numbers, i), &number);
        if (code < 0) {
            return kin_call_fail(call, code, "number %zu is none", i);
        }
        total += number;
    }
    return (int)total;
}

static kin_class sum_class = {.module = "example", .name = "Sum", .run = add_up};
KIN_CLASS(sum_class)

/* Runs in a child. */
static int wait_for_parent(kin_call *call)
{
    (void)call;
    return kin_process_join(kin_process_parent(), KIN_FOREVER);
}
KIN_FUNCTION(wait_for_parent)

static int run_sum(kin_object *sum)
{
    int exit_code = 0;
    kin_process *process = NULL;
    int code = kin_process_create_object(sum, NULL, &process);
    if (code < 0) {
        return code;
    }
    printf("%s is %s\n", kin_process_name(process), kin_state_name(kin_process_state(process)));
    code = kin_process_launch(process);
    if (code == 0) {
        code = kin_process_join(process, KIN_FOREVER);
    }
    if (code == 0) {
        code = kin_process_exit_code(process, &exit_code);
    }
    printf("%s ended with %d, here the sum is %d\n", kin_process_name(process), exit_code,
           kin_object_run(sum, NULL));
    kin_process_free(process);
    return code;
}

static int stop_child(void)
{
    int exit_code = 0;
    kin_process *process = NULL, *children[4];
    kin_object *nothing = kin_tuple_from(NULL, 0);
    int code = kin_process_start(wait_for_parent, nothing, NULL, &process);
    kin_object_free(nothing);
    if (code < 0) {
        return code;
    }
    int count = kin_process_children(children, 4);
    for (int i = 0; i < count; i++) {
        printf("%s runs\n", kin_process_name(children[i]));
        kin_process_free(children[i]);
    }
    kin_stop stop = {.wait_ms = 10, .terminate_ms = 1000, .kill_ms = KIN_STOP_FOREVER};
    code = kin_process_stop(process, &stop, KIN_FOREVER);
    if (code == 0) {
        code = kin_process_exit_code(process, &exit_code);
    }
    printf("%s ended with %d\n", kin_process_name(process), exit_code);
    kin_process_free(process);
    return code;
}

int main(int argc, char **argv)
{
    kin_object *sum = NULL;
    int code = kin_init(&argc, &argv);
    if (code == 0) {
        code = kin_instance_create(&sum_class, kin_tuple_from(NULL, 0), &sum);
    }
    if (code == 0) {
        kin_instance_set_state(sum, KIN_LIST(kin_object_from_int(3), kin_object_from_int(4)));
        code = run_sum(sum);
    }
    if (code == 0) {
        code = stop_child();
    }
    kin_object_free(sum);
    if (code < 0) {
        fprintf(stderr, "process_object: %s\n", kin_code_text(code));
    }
    return code < 0;
}
