/*
 * The processes around one: a child that has a child of its own, and what each knows of the others.
 * See docs/guide/processes.md.
 */
#include <kin.h>
#include <stdio.h>

/* Runs in a child: argument 0 says how many generations are to come. */
static int tell(kin_call *call)
{
    int64_t generations = kin_call_int(call, 0);
    kin_process *self = kin_process_current(), *parent = kin_process_parent(), *child = NULL;
    printf("%s, place %s, child of %s\n", kin_process_name(self), kin_process_identity(self),
           kin_process_name(parent));
    if (generations == 0) {
        return 0;
    }
    kin_object *left = kin_object_from_int(generations - 1);
    int code = kin_process_start(tell, left, NULL, &child);
    kin_object_free(left);
    if (code == 0) {
        code = kin_process_join(child, KIN_FOREVER);
    }
    kin_process_free(child);
    return code;
}
KIN_FUNCTION(tell)

/* Waits for all children, also those that this part of the program has not started. */
static int join_all(void)
{
    kin_process *children[8];
    int count = kin_process_children(children, 8);
    for (int i = 0; i < count && i < 8; i++) {
        kin_process_join(children[i], KIN_FOREVER);
        kin_process_free(children[i]);
    }
    return count;
}

int main(int argc, char **argv)
{
    kin_process *process;
    if (kin_init(&argc, &argv) != 0) {
        return 1;
    }
    kin_object *generations = kin_object_from_int(2);
    int code = kin_process_start(tell, generations,
                                 KIN_OPTIONS(kin_process_options, .name = "eldest"), &process);
    kin_object_free(generations);
    if (code == 0) {
        kin_process_free(process);
        while (join_all() > 0) {
        }
    }
    printf("%s has no parent: %s\n", kin_process_name(kin_process_current()),
           kin_process_parent() == NULL ? "true" : "false");
    return code == 0 ? 0 : 1;
}
