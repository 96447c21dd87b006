/*
 * A cancel token: one request to stop ends the waits of several processes. See
 * docs/guide/family.md.
 */
#include <errno.h>
#include <kin.h>
#include <stdio.h>

static kin_cancel *stop; /* what is open here is open in every child */
static kin_event *rain;

/* Waits for something that does not come, until it is told to stop. */
static int wait_for_rain(kin_call *call)
{
    int r = kin_event_wait(rain, kin_by(INT64_MAX, stop));
    return r == -ECANCELED ? 3 : kin_call_fail(call, -EIO, "it rained: %s", kin_code_name(r));
}
KIN_FUNCTION(wait_for_rain)

int main(int argc, char **argv)
{
    kin_init(&argc, &argv);
    if (kin_cancel_create(&stop) < 0 || kin_event_create(NULL, &rain) < 0) {
        return 1;
    }
    kin_process *farmers[3] = {NULL};
    for (int i = 0; i < 3; i++) {
        if (kin_process_start_bytes(wait_for_rain, NULL, 0, NULL, &farmers[i]) < 0) {
            return 1;
        }
    }
    kin_cancel_request(stop);
    int home = 0;
    for (int i = 0; i < 3; i++) {
        int exit_code = 0;
        kin_process_join(farmers[i], KIN_FOREVER);
        kin_process_exit_code(farmers[i], &exit_code);
        home += exit_code == 3;
        kin_process_free(farmers[i]);
    }
    printf("%d of 3 gave up waiting\n", home);

    /* A token stays fired: a wait that begins later is over before it began. */
    printf("later: %s\n", kin_code_name(kin_event_wait(rain, kin_by(INT64_MAX, stop))));
    kin_event_free(rain);

    /* Any process can open what it has the handle of, and no handle ever means something else. */
    kin_handle handle = kin_cancel_handle(stop);
    kin_cancel *again = NULL;
    printf("attach: %d\n", kin_cancel_attach(handle, &again));
    kin_cancel_free(again);
    kin_cancel_free(stop);
    printf("attach, when nobody has it open: %s\n",
           kin_code_name(kin_cancel_attach(handle, &again)));
    return 0;
}
