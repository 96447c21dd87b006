/*
 * An event: many processes wait for one. See docs/guide/locks.md.
 */
#include <kin.h>
#include <stdio.h>

static kin_event *doors; /* what is open here is open in every child */

static int visit(kin_call *call)
{
    int r = kin_event_wait(doors, kin_within_ms(60000));
    return r < 0 ? kin_call_fail(call, r, "the doors stayed shut") : 0;
}
KIN_FUNCTION(visit)

int main(int argc, char **argv)
{
    kin_init(&argc, &argv);
    if (kin_event_create(NULL, &doors) < 0) {
        return 1;
    }
    kin_process *visitors[3] = {NULL};
    for (int i = 0; i < 3; i++) {
        if (kin_process_start_bytes(visit, NULL, 0, NULL, &visitors[i]) < 0) {
            return 1;
        }
    }
    printf("before: %s\n", kin_code_name(kin_event_wait(doors, kin_within_ms(10))));

    kin_event_set(doors);
    int inside = 0;
    for (int i = 0; i < 3; i++) {
        int exit_code = 1;
        kin_process_join(visitors[i], KIN_FOREVER);
        kin_process_exit_code(visitors[i], &exit_code);
        inside += exit_code == 0;
        kin_process_free(visitors[i]);
    }
    printf("%d visitors are inside\n", inside);

    kin_event_clear(doors);
    printf("after: %s\n", kin_event_is_set(doors) ? "open" : "shut");
    kin_event_free(doors);
    return 0;
}
