#define _GNU_SOURCE
#include "os/crash.h"
#include "os/linux/runtime.h"
#include "os/symbol.h"

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

enum { SIGNAL_COUNT = sizeof signals / sizeof signals[0], PATH_BYTES = 4096 };

/* --- in the handler: nothing here allocates or takes a lock --- */

/* A file of code in memory. */
struct module {
    const void *header; /* where its first byte lies */
    uint64_t base;      /* what its own addresses are away from those in memory */
    const char *name;
};

/* The module that an address lies in. */
static bool find_module(uint64_t address, struct module *ret_module)
{
#ifdef DLFO_STRUCT_HAS_EH_DBASE /* glibc 2.35: without a lock */
    struct dl_find_object found;
    if (_dl_find_object((void *)(uintptr_t)address, &found) != 0) {
        return false;
    }
    *ret_module = (struct module){found.dlfo_map_start, found.dlfo_link_map->l_addr,
                                  found.dlfo_link_map->l_name};
#else /* takes the linker's lock: may hang where the crash came from in there */
    Dl_info found;
    struct link_map *map = NULL;
    if (dladdr1((void *)(uintptr_t)address, &found, (void **)&map, RTLD_DL_LINKMAP) == 0) {
        return false;
    }
    *ret_module = (struct module){found.dli_fbase, map->l_addr, map->l_name};
#endif
    return true;
}

/* Writes what the file of this process's program is called; "" if that cannot be read. */
static void name_program(char *name, size_t size)
{
    char path[PATH_BYTES];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    const char *slash = strrchr(path, '/');
    memccpy(name, slash == NULL ? path : slash + 1, 0, size - 1);
    name[size - 1] = '\0';
}

/* The number of a module in the record; a new one, if it is not there yet. */
static uint32_t note_module(struct kin__os_crash *crash, const struct module *module)
{
    uint32_t count = crash->module_count;
    for (uint32_t i = 0; i < count; i++) {
        if (strncmp(crash->modules[i], module->name, KIN__OS_CRASH_MODULE_BYTES - 1) == 0) {
            return i;
        }
    }
    if (count < KIN__OS_CRASH_MODULES) {
        memccpy(crash->modules[count], module->name, 0, KIN__OS_CRASH_MODULE_BYTES - 1);
        crash->builds[count] = kin__os_build_at(module->header, module->base);
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
    struct module module = {0};
    if (count < KIN__OS_CRASH_FRAMES) {
        struct kin__os_crash_frame *frame = &crash->frames[count];
        bool is_known = find_module(address, &module);
        frame->module = is_known ? note_module(crash, &module) : KIN__OS_CRASH_MODULES;
        frame->offset = frame->module < KIN__OS_CRASH_MODULES ? address - module.base : address;
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
    struct module module;
    if (origin.caller == NULL || find_module(origin.at, &module)) {
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
    name_program(crash->program, sizeof crash->program);
    atomic_store(&crash->state, KIN__OS_CRASH_TOLD);
    note_frames(crash, context);
}

/* Whether the signal comes again when the handler returns: from an instruction that is run again.
 * After a breakpoint or a forbidden system call the next one would be run.
 *
 * BUS_MCEERR_AO says that memory has gone bad which nobody has read yet: only to those that want to
 * know early (PR_MCE_KILL_EARLY, vm.memory_failure_early_kill). It ends one without a handler of
 * its own, and so it does here, since nothing is to change but what is known afterwards; yet it
 * comes from no instruction, and not again. */
static bool comes_again(const siginfo_t *cause)
{
    bool is_fault = cause->si_signo == SIGSEGV || cause->si_signo == SIGBUS ||
                    cause->si_signo == SIGILL || cause->si_signo == SIGFPE;
    bool is_advice = cause->si_signo == SIGBUS && cause->si_code == BUS_MCEERR_AO;
    return is_fault && cause->si_code > 0 && !is_advice;
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
    if (sigaltstack(&own, &now) == 0 && !(now.ss_flags & SS_DISABLE)) {
        sigaltstack(&now, NULL); /* the program's own */
    }
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        struct sigaction before;
        if (sigaction(signals[i].number, &action, &before) == 0 && before.sa_handler != SIG_DFL) {
            sigaction(signals[i].number, &before, NULL);
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
    ret_crash->program[KIN__OS_CRASH_PROGRAM_BYTES - 1] = '\0';
    return true;
}

struct search {
    const char *name;
    uint64_t build;
    uint64_t base;
    bool is_program; /* its program's file is called as this one's */
    bool is_found;
};

static uint64_t build_of(const struct dl_phdr_info *module)
{
    for (int i = 0; i < module->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &module->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && part->p_offset == 0) {
            const void *header = (const void *)(uintptr_t)(module->dlpi_addr + part->p_vaddr);
            return kin__os_build_at(header, module->dlpi_addr);
        }
    }
    return 0;
}

/* Code without a build is taken for the same where all that is known of it is. */
static int compare_module(struct dl_phdr_info *module, size_t size, void *user)
{
    struct search *search = user;
    (void)size;
    if (strncmp(module->dlpi_name, search->name, KIN__OS_CRASH_MODULE_BYTES - 1) != 0) {
        return 0;
    }
    uint64_t build = build_of(module);
    search->base = module->dlpi_addr;
    search->is_found = build == search->build &&
                       (build != 0 || search->is_program || search->name[0] != '\0');
    return 1;
}

uint64_t kin__os_crash_address(const struct kin__os_crash *crash, uint32_t frame)
{
    const struct kin__os_crash_frame *at = &crash->frames[frame];
    if (at->module >= KIN__OS_CRASH_MODULES) {
        return 0;
    }
    char program[KIN__OS_CRASH_PROGRAM_BYTES];
    name_program(program, sizeof program);
    struct search search = {.name = crash->modules[at->module],
                            .build = crash->builds[at->module],
                            .is_program = strcmp(program, crash->program) == 0};
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
