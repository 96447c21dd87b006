/*
 * Programs in a row: the three words that occur most often. The bytes go from program to program,
 * this one only gives the first and takes the last. See docs/guide/commands.md.
 */
#include <kin.h>
#include <stdio.h>
#include <string.h>

static const char text[] = "the cat and the dog and the bird and a cat saw the moon\n";

static int count_words(void)
{
    const kin_command_options from_text = {.size = sizeof from_text,
                                           .input = {text, sizeof text - 1}};
    const kin_command_options to_memory = {.size = sizeof to_memory,
                                           .stdout_to = {.kind = KIN_STREAM_CAPTURE}};
    const kin_pipeline_part parts[] = {{KIN_ARGV("tr", "-s", " ", "\n"), &from_text},
                                       {KIN_ARGV("sort"), NULL},
                                       {KIN_ARGV("uniq", "-c"), NULL},
                                       {KIN_ARGV("sort", "-k1,1nr", "-k2"), NULL},
                                       {KIN_ARGV("head", "-n", "3"), &to_memory}};
    kin_pipeline *pipeline;
    int code = kin_pipeline_run(parts, 5, KIN_OPTIONS(kin_pipeline_options, .checks = true),
                                kin_within_ms(10000), &pipeline);
    if (code == 0) {
        printf("%s", (const char *)kin_command_output(kin_pipeline_command(pipeline, 4)).data);
    } else {
        kin_error *error = kin_pipeline_error(pipeline);
        kin_error_print(error, stderr);
        kin_error_free(error);
    }
    kin_pipeline_free(pipeline);
    return code;
}

/* A writer that would never end does, when its reader has enough. */
static void stop_early(void)
{
    const kin_command_options to_memory = {.size = sizeof to_memory,
                                           .stdout_to = {.kind = KIN_STREAM_CAPTURE}};
    const kin_pipeline_part parts[] = {{KIN_ARGV("yes", "again"), NULL},
                                       {KIN_ARGV("head", "-n", "2"), &to_memory}};
    kin_pipeline *pipeline;
    int status = 0;
    int code = kin_pipeline_run(parts, 2, NULL, KIN_FOREVER, &pipeline);
    if (code == 0 && kin_pipeline_exit_code(pipeline, &status) == 0) {
        printf("%s", (const char *)kin_command_output(kin_pipeline_command(pipeline, 1)).data);
        kin_command_poll(kin_pipeline_command(pipeline, 0), &code);
        printf("the pipeline ended with %d, its first program with %d\n", status, code);
    }
    kin_pipeline_free(pipeline);
}

int main(void)
{
    int code = count_words();
    stop_early();
    return code == 0 ? 0 : 1;
}
