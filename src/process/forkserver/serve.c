#include "process/forkserver/serve.h"

#include "family/call.h"
#include "process/forkserver/server.h"
#include "process/forkserver/wire.h"
#include "process/method.h"
#include "process/runtime.h"

#include <errno.h>
#include <kin/error.h>
#include <stdio.h>

/* Runs one function; what it returns does not matter. 0, or its code, which is printed. */
static int run(const kin_object *preload)
{
    const char *name = kin_object_text(kin_object_at(preload, 0));
    kin_function *function = kin__function_find(name);
    kin_call call = {.object = kin_object_ref(kin_object_at(preload, 1)), .attempt = 1};
    int r = function == NULL
                ? kin_call_fail(&call, KIN_EFUNCTION, "there is no function '%s' here", name)
                : kin__call_run(&call, function);
    if (r >= 0 && kin__start_has_threads()) {
        r = kin_call_fail(&call, -EBUSY, "%s has left a thread in the forkserver", name);
    }
    if (r < 0) {
        kin__process_print_failure(call.error);
    }
    kin__call_end(&call);
    return r < 0 ? r : 0;
}

static int run_all(const kin_object *preloads)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < kin_object_count(preloads); i++) {
        r = run(kin_object_at(preloads, i));
    }
    fflush(NULL); /* else each child writes it once more */
    return r;
}

int kin__forkserver_serve(kin_call *call)
{
    struct kin__server server;
    struct kin__os_fds fds = {0};
    struct kin__wire_record ready = {.kind = KIN__WIRE_READY};
    ready.code = run_all(kin_call_argument(call, 0));
    int r = kin__server_open(&server, kin_call_fd(call, 0));
    ready.code = ready.code == 0 ? r : ready.code;
    r = kin__wire_send(server.socket, &ready, NULL);
    if (r == 0 && ready.code == 0 && kin__server_run(&server, &fds)) {
        kin__start_from_package(fds.fds, fds.count);
    }
    kin__server_close(&server);
    return 0;
}

__attribute__((constructor)) static void register_function(void)
{
    kin__serve_entry.name = "kin.forkserver";
    kin__serve_entry.function = kin__forkserver_serve;
    kin_function_register(&kin__serve_entry);
}
