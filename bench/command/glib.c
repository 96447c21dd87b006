/* g_spawn_sync; GSubprocess, which feeds and gathers at once. */

#include "command/programs.h"

#include <gio/gio.h>

void programs_run(void)
{
    char *argv[] = {"/bin/true", NULL};
    int status = 1;
    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status, NULL) ||
        status != 0) {
        harness_die("g_spawn_sync: status %d", status);
    }
}

void programs_feed(const unsigned char *data, size_t size)
{
    GError *error = NULL;
    GBytes *answer = NULL;
    GBytes *input = g_bytes_new_static(data, size);
    GSubprocess *cat = g_subprocess_new(
        G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, "/bin/cat", NULL);
    if (cat == NULL || !g_subprocess_communicate(cat, input, NULL, &answer, NULL, &error)) {
        harness_die("GSubprocess: %s", error->message);
    }
    programs_check(g_bytes_get_data(answer, NULL), g_bytes_get_size(answer));
    g_bytes_unref(answer);
    g_bytes_unref(input);
    g_object_unref(cat);
}
