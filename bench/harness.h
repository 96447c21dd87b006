/**
 * What all programs of the benches share: arguments, a clock, and processes that start
 * together. One program is one subject; it does one case, once, prints one number and ends.
 * bench/run starts the programs in turn and does the statistics.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HARNESS_PROCESS_COUNT_MAX 16

/** Keeps the arguments, each of the form --name=value. The first statement of main. */
void harness_open(int argc, char **argv);

/** The argument `name`, a number > 0. Ends the program if there is none. */
uint64_t harness_number(const char *name);

/** The same, but `otherwise` if there is none. */
uint64_t harness_number_or(const char *name, uint64_t otherwise);

/** The argument `name`, a word. Ends the program if there is none. */
const char *harness_word(const char *name);

/** The clock of all measurements: the same in every process, in ns. */
int64_t harness_now_ns(void);

/** Memory, all zero, that this process and those it starts from now on share. */
void *harness_share(size_t bytes);

/** Prints the one number that this program is for. */
void harness_report(double value);

/** Says on stderr what is wrong, and ends the program with all its processes. */
#ifdef __cplusplus
[[noreturn]]
#else
_Noreturn
#endif
void harness_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** What one of the processes does; `index` counts them from 0. */
typedef void harness_body(unsigned index);

/**
 * How processes are started, killed and waited for. Each calls harness_body_run(index) and exits
 * with 0; one that was killed must have died of that. A bench of kin starts them with kin
 * (harness_kin.h); harness_forks is a plain fork.
 */
typedef struct harness_starter {
    void (*start)(unsigned index);
    void (*kill)(unsigned index); /* SIGKILL; does not wait */
    void (*join)(unsigned index);
} harness_starter;

extern const harness_starter harness_forks;

/** What the processes do that a starter is told to start. Those that one program has at a time are
 * at most HARNESS_PROCESS_COUNT_MAX. */
void harness_prepare(unsigned count, harness_body *body);

/** Runs `count` processes that do `body`; returns when all have ended. */
void harness_run(const harness_starter *starter, unsigned count, harness_body *body);

/** What a started process has to call. */
void harness_body_run(unsigned index);

/** Keeps the calling process, and those it starts from now on, on one CPU: the one of this number,
 * from 0, among those that the program may use. Ends the program if there are not so many. */
void harness_pin(unsigned number);

/** Waits until all processes of this run have come here. Does not sleep in the kernel, which
 * would make the first messages wait for a wake-up. */
void harness_meet(void);

/** Marks the begin of what is measured; of several processes the first counts. */
void harness_begin(void);

/** Marks the end of what is measured; of several processes the last counts. */
void harness_end(void);

/** Seconds from the first harness_begin to the last harness_end, once all have ended. */
double harness_seconds(void);

#ifdef __cplusplus
}
#endif

#endif
