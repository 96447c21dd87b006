/*
 * Objects that can be run: a process that runs one is given it as its argument, and a function of
 * kin's own that any start method finds by its name.
 */
#include "process/runtime.h"

#include <kin/class.h>
#include <kin/process.h>

#include <errno.h>

static int run(kin_call *call)
{
    return kin_object_run(kin_call_object(call), call);
}

__attribute__((constructor)) static void register_run(void)
{
    kin__run_entry.name = "kin.run";
    kin__run_entry.function = run;
    kin_function_register(&kin__run_entry);
}

int kin_process_create_object(const kin_object *instance, const kin_process_options *options,
                              kin_process **ret_process)
{
    const kin_class *class_ = kin_instance_class(instance);
    if (instance != NULL && (class_ == NULL || class_->run == NULL)) {
        return -EINVAL;
    }
    return kin_process_create(run, instance, options, ret_process);
}
