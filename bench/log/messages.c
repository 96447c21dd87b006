#include "log/messages.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void run(const char *what, uint64_t count)
{
    if (strcmp(what, "finalizer") == 0) {
        for (uint64_t i = 0; i < count; i++) {
            messages_measured.finalize();
        }
    } else {
        for (uint64_t i = 0; i < count; i++) {
            messages_measured.write(i);
        }
    }
}

int main(int argc, char **argv)
{
    enum { WARM_UP_DIVISOR = 20 };
    harness_open(argc, argv);
    const char *what = harness_word("what");
    uint64_t count = harness_number("messages");
    int fd = open("/dev/null", O_WRONLY);
    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0) {
        harness_die("no /dev/null");
    }
    messages_measured.open(strcmp(what, "line") == 0);
    run(what, count / WARM_UP_DIVISOR + 1);
    int64_t begin = harness_now_ns();
    run(what, count);
    harness_report((double)(harness_now_ns() - begin) / (double)count);
    return 0;
}
