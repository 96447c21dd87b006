#define _GNU_SOURCE
#include "output.h"

enum { BLOCK_BYTES = 1 << 16 };

/* As write(2), for fopencookie. */
static ssize_t pass_on(void *cookie, const char *data, size_t size)
{
    struct output *output = cookie;
    if (size > output->left) {
        output->is_beyond = true;
        return 0;
    }
    output->left -= size;
    return fwrite(data, 1, size, stdout) == size ? (ssize_t)size : 0;
}

bool output_open(struct output *output, uint64_t bytes_max)
{
    *output = (struct output){.left = bytes_max};
    output->stream = fopencookie(output, "w", (cookie_io_functions_t){.write = pass_on});
    if (output->stream != NULL) {
        setvbuf(output->stream, NULL, _IOFBF, BLOCK_BYTES);
    }
    return output->stream != NULL;
}

bool output_close(struct output *output)
{
    bool is_written = !ferror(output->stream);
    is_written = fclose(output->stream) == 0 && is_written;
    return fflush(stdout) == 0 && !ferror(stdout) && is_written;
}
