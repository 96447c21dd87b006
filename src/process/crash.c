#include "process/crash.h"

#include "base/allocate.h"
#include "os/crash.h"
#include "os/symbol.h"
#include "process/record.h"
#include "process/runtime.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static_assert(KIN_CRASH_FRAMES_MAX == KIN__OS_CRASH_FRAMES, "all fit");

void kin__crash_watch(void)
{
    struct process_shared *shared = kin__record_shared(kin__children.record);
    kin__os_crash_watch(shared == NULL ? NULL : &shared->crash);
}

void kin__crash_forget(void)
{
    kin__os_crash_watch(NULL);
}

static int read_crash(kin_process *process, struct kin__os_crash *ret_crash)
{
    mtx_lock(&kin__children.lock);
    int r = kin__process_look_locked(process);
    const struct process_shared *shared = r == 0 ? kin__record_shared(process->record) : NULL;
    if (r == 0 && (shared == NULL || !kin__os_crash_read(&shared->crash, ret_crash))) {
        r = -ENODATA;
    }
    mtx_unlock(&kin__children.lock);
    return r;
}

int kin_process_crash(kin_process *process, kin_crash *ret_crash)
{
    struct kin__os_crash crash;
    int r = process == NULL || ret_crash == NULL ? -EINVAL : read_crash(process, &crash);
    if (r < 0) {
        return r;
    }
    *ret_crash = (kin_crash){.signal = crash.signal,
                             .thread = (int32_t)crash.tid,
                             .address = crash.address,
                             .frame_count = crash.frame_count};
    for (uint32_t i = 0; i < crash.frame_count; i++) {
        ret_crash->frames[i] = kin__os_crash_address(&crash, i);
    }
    return 0;
}

/* --- as text --- */

struct text {
    char *at;
    size_t size;
    size_t used; /* what the whole takes, whether there was room or not */
};

KIN_PRINTF(2, 3) static void add(struct text *text, const char *format, ...)
{
    va_list arguments;
    size_t left = text->used < text->size ? text->size - text->used : 0;
    va_start(arguments, format);
    int length = vsnprintf(left > 0 ? text->at + text->used : NULL, left, format, arguments);
    va_end(arguments);
    text->used += length > 0 ? (size_t)length : 0;
}

static void add_frame(struct text *text, const struct kin__os_crash *crash, uint32_t index)
{
    char place[256];
    const struct kin__os_crash_frame *frame = &crash->frames[index];
    uint64_t address = kin__os_crash_address(crash, index);
    if (address != 0) {
        kin__os_symbol_format(address, place, sizeof place);
        add(text, "    %s\n", place);
    } else if (frame->module < KIN__OS_CRASH_MODULES) {
        const char *module = crash->modules[frame->module];
        module = module[0] == '\0' ? crash->program : module;
        add(text, "    %s+%#" PRIx64 "\n", module[0] == '\0' ? "the program" : module,
            frame->offset);
    } else {
        add(text, "    %#" PRIx64 "\n", frame->offset);
    }
}

static void format(const kin_process *process, const struct kin__os_crash *crash, struct text *text)
{
    char signal[32];
    kin__os_crash_signal_name(crash->signal, signal, sizeof signal);
    add(text, "%s: %s", process->name, signal);
    if (crash->code > 0) {
        add(text, " at address 0x%" PRIx64, crash->address);
    }
    add(text, ", thread %" PRIu32 "\n", crash->tid);
    for (uint32_t i = 0; i < crash->frame_count; i++) {
        add_frame(text, crash, i);
    }
}

int kin_process_crash_format(kin_process *process, char *text, size_t size)
{
    struct kin__os_crash crash;
    struct text out = {.at = text, .size = size};
    int r = process == NULL || (text == NULL && size != 0) ? -EINVAL : read_crash(process, &crash);
    if (r < 0) {
        return r;
    }
    format(process, &crash, &out);
    return (int)out.used;
}

void kin__crash_tell(kin_process *process)
{
    struct kin__os_crash crash;
    enum { TEXT_BYTES = 16384 };
    mtx_lock(&kin__children.lock);
    bool is_told = process->is_told;
    process->is_told = true;
    mtx_unlock(&kin__children.lock);
    if (is_told || read_crash(process, &crash) < 0) {
        return;
    }
    char *text = kin__allocate(TEXT_BYTES);
    if (text != NULL) { /* in one write: the lines of several do not mix */
        struct text out = {.at = text, .size = TEXT_BYTES};
        format(process, &crash, &out);
        fputs(text, stderr);
        kin__release(text);
    }
}
