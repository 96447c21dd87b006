/* kin_command. The program is no member of a family, so there is none. */

#include "command/programs.h"
#include "harness_kin.h"

#include <kin.h>

void programs_run(void)
{
    kin_command *command = NULL;
    harness_must(kin_command_run(KIN_ARGV("/bin/true"),
                                 KIN_OPTIONS(kin_command_options, .checks = true), KIN_FOREVER,
                                 &command),
                 "kin_command_run");
    kin_command_free(command);
}

void programs_feed(const unsigned char *data, size_t size)
{
    kin_command *command = NULL;
    harness_must(
        kin_command_run(KIN_ARGV("/bin/cat"),
                        KIN_OPTIONS(kin_command_options, .checks = true, .input = {data, size},
                                    .stdout_to = {.kind = KIN_STREAM_CAPTURE}),
                        KIN_FOREVER, &command),
        "kin_command_run");
    kin_bytes output = kin_command_output(command);
    programs_check(output.data, output.size);
    kin_command_free(command);
}
