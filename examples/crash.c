/*
 * A child that crashes, and where. See docs/guide/processes.md.
 */
#include <kin.h>
#include <stdio.h>
#include <string.h>

struct header {
    int version;
};

/* There is none: nobody has made sure of that. */
static struct header *find_header(const char *file)
{
    return strlen(file) > 100 ? (struct header *)(void *)(size_t)file : NULL;
}

static int read_version(kin_call *call)
{
    const volatile struct header *header = find_header(kin_call_text(call, 0));
    return header->version;
}
KIN_FUNCTION(read_version)

/* Writes the first lines of a text: the way further out is kin's. */
static void print_lines(const char *text, int count)
{
    for (; count > 0 && *text != '\0'; count--) {
        int length = (int)strcspn(text, "\n");
        printf("%.*s\n", length, text);
        text += length + 1;
    }
}

int main(int argc, char **argv)
{
    char text[4096];
    int exit_code = 0;
    kin_process *child = NULL;
    kin_object *file = kin_object_from_text("data.bin");
    kin_init(&argc, &argv);
    /* Without this, what follows is printed to stderr by kin_process_join. */
    const kin_process_options *options = KIN_OPTIONS(kin_process_options, .crash_is_quiet = true);
    if (kin_process_start(read_version, file, options, &child) < 0) {
        return 1;
    }
    kin_process_join(child, KIN_FOREVER);
    if (kin_process_crash_format(child, text, sizeof text) > 0) {
        print_lines(text, 2);
    }
    kin_process_exit_code(child, &exit_code);
    printf("exit code %d\n", exit_code);
    kin_process_free(child);
    kin_object_free(file);
    return 0;
}
