/* Two laps: a short one that nobody measures, and the measured one. Each process stands on a CPU of
 * its own. What was added must be there in the end. */

#include "shared/counting.h"

#include <string.h>

#define WARM_UP_COUNT 1000

static counting_work *work;
static uint64_t count;

static void take_part(unsigned index)
{
    harness_pin(index);
    harness_meet();
    work(WARM_UP_COUNT);
    harness_meet();
    harness_begin();
    work(count);
    harness_end();
}

int main(int argc, char **argv)
{
    harness_open(argc, argv);
    const char *how = harness_word("how");
    uint64_t process_count = harness_number("processes");
    count = harness_number("count");
    work = strcmp(how, "get") == 0      ? counting_measured.get
           : strcmp(how, "locked") == 0 ? counting_measured.locked
           : strcmp(how, "add") == 0    ? counting_measured.add
                                        : NULL;
    if (work == NULL) {
        harness_die("%s: no such way", how);
    }
    counting_measured.open();
    harness_run(counting_measured.starter, (unsigned)process_count, take_part);
    uint64_t expected = work == counting_measured.get ? 0 : process_count * (WARM_UP_COUNT + count);
    if (counting_measured.total() != expected) {
        harness_die("some were lost");
    }
    harness_report((double)(process_count * count) / harness_seconds());
    return 0;
}
