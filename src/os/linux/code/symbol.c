#define _GNU_SOURCE
#include "os/symbol.h"
#include "os/linux/runtime.h"

#include <dlfcn.h>
#include <elf.h>
#include <inttypes.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unwind.h>

#ifdef KIN_BACKTRACE
#include <backtrace.h>
#endif

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

#ifdef KIN_BACKTRACE

struct place {
    char *text;
    size_t size;
    bool is_known;
};

/* The first that is told is the innermost: of inlined functions, the one that the line is in. */
static int tell_place(void *user, uintptr_t address, const char *file, int line,
                      const char *function)
{
    struct place *place = user;
    (void)address;
    if (file == NULL || function == NULL) {
        return 0;
    }
    snprintf(place->text, place->size, "%s (%s:%d)", function, base_name(file), line);
    place->is_known = true;
    return 1;
}

static void ignore_error(void *user, const char *message, int number)
{
    (void)user;
    (void)message;
    (void)number;
}

/* libbacktrace reads the program's file once, and has no way to give that back. Two threads may do
 * so at the same time: then one reading is lost. */
static bool format_by_debugging_information(uint64_t address, char *text, size_t size)
{
    struct place place = {.text = text, .size = size};
    struct backtrace_state *state = atomic_load(&kin__os.symbols);
    if (state == NULL) {
        state = backtrace_create_state(NULL, 1, ignore_error, NULL);
        atomic_store(&kin__os.symbols, state);
    }
    if (state != NULL) {
        backtrace_pcinfo(state, (uintptr_t)address, tell_place, ignore_error, &place);
    }
    return place.is_known;
}

#else

static bool format_by_debugging_information(uint64_t address, char *text, size_t size)
{
    (void)address;
    (void)text;
    (void)size;
    return false;
}

#endif

void kin__os_symbol_format(uint64_t address, char *text, size_t size)
{
    Dl_info found = {0};
    void *place = (void *)(uintptr_t)address;
    if (address == 0 || dladdr(place, &found) == 0 || found.dli_fname == NULL) {
        snprintf(text, size, "%#" PRIx64, address);
    } else if (format_by_debugging_information(address, text, size)) {
        return;
    } else if (found.dli_sname == NULL) {
        snprintf(text, size, "%s+%#" PRIx64, base_name(found.dli_fname),
                 address - (uint64_t)(uintptr_t)found.dli_fbase);
    } else {
        snprintf(text, size, "%s+%#" PRIx64 " (%s)", found.dli_sname,
                 address - (uint64_t)(uintptr_t)found.dli_saddr, base_name(found.dli_fname));
    }
}

/* --- who called whom --- */

struct trace {
    uint64_t from;
    uint64_t until;
    uint64_t *addresses;
    uint32_t count;
    uint32_t capacity;
    bool has_begun;
};

/* What the unwinder calls the canonical frame address of a function here is that of the one it has
 * called: the end of its own frame. That of the last one lies inside the frame `until`. */
static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *user)
{
    struct trace *trace = user;
    int is_before = 0;
    uint64_t address = _Unwind_GetIPInfo(context, &is_before);
    if (address == 0 || trace->count == trace->capacity || _Unwind_GetCFA(context) > trace->until) {
        return _URC_END_OF_STACK;
    }
    trace->has_begun |= address == trace->from;
    if (trace->has_begun) {
        trace->addresses[trace->count++] = is_before ? address : address - 1;
    }
    return _URC_NO_REASON;
}

uint32_t kin__os_symbol_trace(const void *from, const void *until, uint64_t *addresses,
                              uint32_t capacity)
{
    struct trace trace = {.from = (uintptr_t)from,
                          .until = (uintptr_t)until,
                          .addresses = addresses,
                          .capacity = capacity};
    _Unwind_Backtrace(step, &trace);
    bool is_whole = trace.count > 0 && trace.count < capacity; /* then the last is `until`'s */
    return trace.count - is_whole;
}

struct build {
    uintptr_t place;
    uint64_t hash;
};

/* What the linker has written into a file to tell it from all others, as a number. */
static uint64_t hash_notes(const unsigned char *at, size_t size)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        memcpy(&note, at, sizeof note);
        size_t name = sizeof note;
        size_t value = name + ((note.n_namesz + 3u) & ~3u);
        size_t end = value + ((note.n_descsz + 3u) & ~3u);
        if (end > size) {
            break;
        }
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            memcmp(at + name, "GNU", 4) == 0) {
            uint64_t hash = 14695981039346656037u;
            for (size_t i = 0; i < note.n_descsz; i++) {
                hash = (hash ^ at[value + i]) * 1099511628211u;
            }
            return hash;
        }
        at += end;
        size -= end;
    }
    return 0;
}

uint64_t kin__os_build_at(const void *header, uint64_t base)
{
    ElfW(Ehdr) file;
    uint64_t hash = 0;
    memcpy(&file, header, sizeof file);
    bool is_one = memcmp(file.e_ident, ELFMAG, SELFMAG) == 0 &&
                  file.e_phentsize == sizeof(ElfW(Phdr));
    for (size_t i = 0; is_one && hash == 0 && i < file.e_phnum; i++) {
        ElfW(Phdr) part;
        memcpy(&part, (const unsigned char *)header + file.e_phoff + i * sizeof part, sizeof part);
        if (part.p_type == PT_NOTE) {
            hash = hash_notes((const unsigned char *)(uintptr_t)(base + part.p_vaddr),
                              part.p_memsz);
        }
    }
    return hash;
}

static int look_at_object(struct dl_phdr_info *object, size_t size, void *user)
{
    struct build *build = user;
    uint64_t hash = 0;
    bool is_it = false;
    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        uintptr_t at = object->dlpi_addr + part->p_vaddr;
        is_it |= part->p_type == PT_LOAD && build->place - at < part->p_memsz;
        if (part->p_type == PT_NOTE && hash == 0) {
            hash = hash_notes((const unsigned char *)at, part->p_memsz);
        }
    }
    bool is_program = object->dlpi_name == NULL || object->dlpi_name[0] == '\0';
    build->hash = is_it && !is_program ? hash : 0;
    return is_it;
}

uint64_t kin__os_build_of(const void *place)
{
    struct build build = {.place = (uintptr_t)place};
    dl_iterate_phdr(look_at_object, &build);
    return build.hash;
}
