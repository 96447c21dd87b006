#include "progress.h"

#include <kin.h>
#include <stdio.h>
#include <unistd.h>

enum { BAR_WIDTH = 40, INTERVAL_MS = 50 };

struct progress progress_start(const char *title, uint64_t total)
{
    struct progress progress = {
        .title = title, .total = total, .is_visible = isatty(STDERR_FILENO)};
    progress_add(&progress, 0);
    return progress;
}

static void draw_bar(const struct progress *progress)
{
    double share = (double)progress->done / (double)progress->total;
    char bar[BAR_WIDTH + 1] = {0};
    for (int i = 0; i < BAR_WIDTH; i++) {
        bar[i] = i < (int)(share * BAR_WIDTH) ? '#' : '.';
    }
    fprintf(stderr, "\r%-12s [%s] %3d %%", progress->title, bar, (int)(share * 100));
}

static void draw_number(const struct progress *progress)
{
    fprintf(stderr, "\r%-12s %.1f MiB", progress->title, (double)progress->done / (1 << 20));
}

void progress_add(struct progress *progress, uint64_t more)
{
    progress->done += more;
    if (!progress->is_visible || kin_now_ns() < progress->next_ns) {
        return;
    }
    progress->next_ns = kin_now_ns() + INTERVAL_MS * INT64_C(1000000);
    if (progress->total > 0) {
        draw_bar(progress);
    } else {
        draw_number(progress);
    }
}

void progress_end(const struct progress *progress)
{
    if (progress->is_visible) {
        fprintf(stderr, "\r\033[K");
    }
}
