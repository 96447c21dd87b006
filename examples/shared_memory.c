/*
 * A block of memory that another process finds by its name, and that is gone with its last user.
 * See docs/guide/shared.md.
 */
#include <kin.h>
#include <stdio.h>
#include <string.h>

static kin_event *drawn; /* what is open here is open in every child */
static kin_event *seen;

enum { WIDTH = 24, HEIGHT = 5 };

/* Makes the picture, and ends: whoever has it open keeps it. */
static int draw(kin_call *call)
{
    kin_shared_memory *memory = NULL;
    int r = kin_shared_memory_create("picture", WIDTH * HEIGHT, NULL, &memory);
    if (r < 0) {
        return kin_call_fail(call, r, "no picture");
    }
    char *pixels = kin_shared_memory_data(memory); /* all zero */
    for (int i = 0; i < WIDTH; i++) {
        pixels[(i * i / 29 % HEIGHT) * WIDTH + i] = '*';
    }
    kin_event_set(drawn);
    kin_event_wait(seen, KIN_FOREVER);
    kin_shared_memory_free(memory);
    return 0;
}
KIN_FUNCTION(draw)

int main(int argc, char **argv)
{
    kin_process *painter = NULL;
    kin_shared_memory *memory = NULL;
    kin_init(&argc, &argv);
    if (kin_event_create(NULL, &drawn) < 0 || kin_event_create(NULL, &seen) < 0 ||
        kin_process_start_bytes(draw, NULL, 0, NULL, &painter) < 0) {
        return 1;
    }
    kin_event_wait(drawn, KIN_FOREVER);
    int r = kin_shared_memory_open("picture", &memory);
    if (r < 0) {
        return 1;
    }
    kin_shared_memory *other = NULL;
    printf("%s\n", kin_code_name(kin_shared_memory_create("picture", 10, NULL, &other)));
    kin_event_set(seen);
    kin_process_join(painter, KIN_FOREVER);
    kin_process_free(painter);

    const char *pixels = kin_shared_memory_data(memory);
    for (int i = 0; i < HEIGHT; i++) {
        for (int j = 0; j < WIDTH; j++) {
            putchar(pixels[i * WIDTH + j] == 0 ? '.' : pixels[i * WIDTH + j]);
        }
        putchar('\n');
    }
    kin_shared_memory_free(memory); /* the last one */
    printf("%s\n", kin_code_name(kin_shared_memory_open("picture", &memory)));
    kin_event_free(drawn);
    kin_event_free(seen);
    return 0;
}
