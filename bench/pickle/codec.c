#include "pickle/codec.h"

#include <string.h>

int main(int argc, char **argv)
{
    harness_open(argc, argv);
    uint64_t count = harness_number("count");
    const char *way = harness_word("way");
    void (*work)(void) = codec_measured.encode;
    if (strcmp(way, "decode") == 0) {
        work = codec_measured.decode;
    } else if (strcmp(way, "encode") != 0) {
        harness_die("no way '%s'", way);
    }
    codec_measured.open(harness_word("value"));
    for (uint64_t i = 0; i < count / 10 + 1; i++) {
        work();
    }
    harness_begin();
    for (uint64_t i = 0; i < count; i++) {
        work();
    }
    harness_end();
    harness_report((double)count / harness_seconds());
    return 0;
}
