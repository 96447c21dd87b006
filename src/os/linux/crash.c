#define _GNU_SOURCE
#include "os/crash.h"
#include "os/linux/runtime.h"

#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

static const struct {
    int number;
    const char *name;
} signals[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGILL, "SIGILL"}, {SIGFPE, "SIGFPE"},
    {SIGABRT, "SIGABRT"}, {SIGTRAP, "SIGTRAP"}, {SIGSYS, "SIGSYS"},
};

enum { SIGNAL_COUNT = sizeof signals / sizeof signals[0] };

/* --- in the handler: nothing here allocates or takes a lock --- */

/* The module that an address lies in. */
static bool find_module(uint64_t address, uint64_t *ret_base, const char **ret_name)
{
#ifdef DLFO_STRUCT_HAS_EH_DBASE /* glibc 2.35: without a lock */
    struct dl_find_object found;
    if (_dl_find_object((void *)(uintptr_t)address, &found) != 0) {
        return false;
    }
    *ret_base = found.dlfo_link_map->l_addr;
    *ret_name = found.dlfo_link_map->l_name;
#else /* takes the linker's lock: may hang where the crash came from in there */
    Dl_info found;
    struct link_map *map = NULL;
    if (dladdr1((void *)(uintptr_t)address, &found, (void **)&map, RTLD_DL_LINKMAP) == 0) {
        return false;
    }
    *ret_base = map->l_addr;
    *ret_name = map->l_name;
#endif
    return true;
}

/* The number of a module in the record; a new one, if it is not there yet. */
static uint32_t note_module(struct kin__os_crash *crash, const char *name)
{
    uint32_t count = crash->module_count;
    for (uint32_t i = 0; i < count; i++) {
        if (strncmp(crash->modules[i], name, KIN__OS_CRASH_MODULE_BYTES - 1) == 0) {
            return i;
        }
    }
    if (count < KIN__OS_CRASH_MODULES) {
        memccpy(crash->modules[count], name, 0, KIN__OS_CRASH_MODULE_BYTES - 1);
        crash->module_count = count + 1;
    }
    return count;
}

struct walk {
    struct kin__os_crash *crash;
    uint64_t fault; /* where the signal came; frames before it are the handler's */
    bool has_begun;
};

static void note_frame(struct kin__os_crash *crash, uint64_t address)
{
    uint32_t count = atomic_load(&crash->frame_count);
    uint64_t base = 0;
    const char *name = NULL;
    if (count < KIN__OS_CRASH_FRAMES) {
        struct kin__os_crash_frame *frame = &crash->frames[count];
        bool is_known = find_module(address, &base, &name);
        frame->module = is_known ? note_module(crash, name) : KIN__OS_CRASH_MODULES;
        frame->offset = frame->module < KIN__OS_CRASH_MODULES ? address - base : address;
        atomic_store(&crash->frame_count, count + 1);
    }
}

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *user)
{
    struct walk *walk = user;
    int is_before = 0;
    uint64_t address = _Unwind_GetIPInfo(context, &is_before);
    walk->has_begun |= address == walk->fault;
    if (walk->has_begun && address != 0) {
        note_frame(walk->crash, is_before ? address : address - 1);
    }
    return address == 0 ? _URC_END_OF_STACK : _URC_NO_REASON;
}

/* Where the signal came, and who had called that if it is the first instruction there. */
struct origin {
    uint64_t at;
    const uint64_t *caller; /* where it stands; it may not be readable */
};

static struct origin origin_of(const void *context)
{
    const ucontext_t *machine = context;
#if defined(__x86_64__)
    const greg_t *registers = machine->uc_mcontext.gregs;
    return (struct origin){.at = (uint64_t)registers[REG_RIP],
                           .caller = (const uint64_t *)(uintptr_t)registers[REG_RSP]};
#elif defined(__aarch64__)
    return (struct origin){.at = machine->uc_mcontext.pc,
                           .caller = (const uint64_t *)&machine->uc_mcontext.regs[30]};
#else
    (void)machine;
    return (struct origin){0};
#endif
}

/* The unwinder reads code where it is told that code is: what is none must not get there. */
static void note_frames(struct kin__os_crash *crash, const void *context)
{
    struct origin origin = origin_of(context);
    struct walk walk = {.crash = crash, .fault = origin.at, .has_begun = origin.at == 0};
    uint64_t base = 0;
    const char *name = NULL;
    if (origin.caller == NULL || find_module(origin.at, &base, &name)) {
        _Unwind_Backtrace(step, &walk);
    } else {
        note_frame(crash, origin.at);
        note_frame(crash, *origin.caller - 1);
    }
}

static void record(struct kin__os_crash *crash, const siginfo_t *cause, const void *context)
{
    uint32_t none = KIN__OS_CRASH_NONE;
    if (crash == NULL ||
        !atomic_compare_exchange_strong(&crash->state, &none, KIN__OS_CRASH_BEGUN)) {
        return;
    }
    crash->signal = cause->si_signo;
    crash->code = cause->si_code;
    crash->address = cause->si_code > 0 ? (uint64_t)(uintptr_t)cause->si_addr : 0;
    crash->tid = (uint32_t)syscall(SYS_gettid);
    atomic_store(&crash->state, KIN__OS_CRASH_TOLD);
    note_frames(crash, context);
}

/* Whether the signal comes again when the handler returns: from an instruction that is run again.
 * After a breakpoint or a forbidden system call the next one would be run. */
static bool comes_again(const siginfo_t *cause)
{
    bool is_fault = cause->si_signo == SIGSEGV || cause->si_signo == SIGBUS ||
                    cause->si_signo == SIGILL || cause->si_signo == SIGFPE;
    return is_fault && cause->si_code > 0;
}

/* By now the signal has its default action again. What does not come again has to be sent. */
static void on_crash(int number, siginfo_t *cause, void *context)
{
    bool is_own = getpid() == kin__os.crash_pid; /* and not that of a process which forked this */
    record(is_own ? atomic_load(&kin__os.crash) : NULL, cause, context);
    if (!comes_again(cause)) {
        raise(number);
    }
}

/* --- */

void kin__os_crash_watch(struct kin__os_crash *place)
{
    struct sigaction action = {
        .sa_sigaction = on_crash,
        .sa_flags = (int)(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER)};
    stack_t own = {.ss_sp = kin__os.crash_stack, .ss_size = sizeof kin__os.crash_stack};
    stack_t now;
    kin__os.crash_pid = getpid();
    atomic_store(&kin__os.crash, place);
    if (place == NULL) {
        return;
    }
    if (sigaltstack(NULL, &now) == 0 && now.ss_flags & SS_DISABLE) {
        sigaltstack(&own, NULL);
    }
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        struct sigaction before;
        if (sigaction(signals[i].number, NULL, &before) == 0 && before.sa_handler == SIG_DFL) {
            sigaction(signals[i].number, &action, NULL);
        }
    }
}

/* --- reading --- */

bool kin__os_crash_read(const struct kin__os_crash *place, struct kin__os_crash *ret_crash)
{
    if (atomic_load(&place->state) != KIN__OS_CRASH_TOLD) {
        return false;
    }
    memcpy(ret_crash, place, sizeof *ret_crash);
    if (ret_crash->frame_count > KIN__OS_CRASH_FRAMES) {
        atomic_store(&ret_crash->frame_count, KIN__OS_CRASH_FRAMES);
    }
    for (uint32_t i = 0; i < KIN__OS_CRASH_MODULES; i++) {
        ret_crash->modules[i][KIN__OS_CRASH_MODULE_BYTES - 1] = '\0';
    }
    return true;
}

struct search {
    const char *name;
    uint64_t base;
    bool is_found;
};

static int compare_module(struct dl_phdr_info *module, size_t size, void *user)
{
    struct search *search = user;
    (void)size;
    if (strncmp(module->dlpi_name, search->name, KIN__OS_CRASH_MODULE_BYTES - 1) != 0) {
        return 0;
    }
    search->base = module->dlpi_addr;
    search->is_found = true;
    return 1;
}

uint64_t kin__os_crash_address(const struct kin__os_crash *crash, uint32_t frame)
{
    const struct kin__os_crash_frame *at = &crash->frames[frame];
    if (at->module >= KIN__OS_CRASH_MODULES) {
        return 0;
    }
    struct search search = {.name = crash->modules[at->module]};
    dl_iterate_phdr(compare_module, &search);
    return search.is_found ? search.base + at->offset : 0;
}

void kin__os_crash_signal_name(int number, char *text, size_t size)
{
    snprintf(text, size, "signal %d", number);
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        if (signals[i].number == number) {
            snprintf(text, size, "%s", signals[i].name);
        }
    }
}
