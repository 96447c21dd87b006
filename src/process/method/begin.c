/* The beginning of a child that kin has started. */
#include "family/family.h"
#include "os/process.h"
#include "process/method.h"
#include "process/method/package.h"
#include "process/runtime.h"

#include <kin/error.h>
#include <stdio.h>

_Noreturn void kin__start_refuse(int code, const char *name)
{
    kin_error *error = code == KIN_EFUNCTION
                           ? KIN_ERROR(code, "%s: this program has no function of this name", name)
                           : KIN_ERROR(code, "what a child was started with cannot be read");
    kin_error_print(error, stderr);
    kin_error_free(error);
    kin__process_exit(1);
}

void kin__start_check_parent(void)
{
    if (kin__os_parent_id() != kin__family.member->parent_pid) {
        kin__process_exit(1);
    }
}

_Noreturn void kin__start_from_package(const int *fds, uint32_t fd_count)
{
    struct kin__process_plan plan = {0};
    struct kin__record *record = NULL;
    const char *name = "";
    int r = kin__package_open(fds, fd_count, &record, &plan, &name);
    kin__children.record = record;
    if (r < 0) {
        kin__start_refuse(r, name);
    }
    kin__log_level_inherit(atomic_load(&kin__record_shared(record)->log_level));
    kin__children_empty_input(kin__os_input_is_used());
    kin__children_close_null(); /* it was not given to it */
    KIN__LOG(KIN_LOG_INFO, "child process calling self.run()");
    kin__process_run(&plan);
}
