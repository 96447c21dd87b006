#include "family/life/interrupt.h"

#include "family/keeper.h"
#include "family/runtime.h"
#include "family/sleep.h"
#include "os/process.h"
#include "os/thread.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/interrupt.h>

/* From here on nothing more is to be hoped for from the keeper. */
#define COUNT_TO_DIE_AT_ONCE 4u

/* On any thread, at any instruction. What wakes the keeper is a compare-and-swap and a system call.
 * In a process that this one has forked plainly, it is as if there was no handler. One that runs
 * when the process has left the family is too late: the signal is for whoever handles it now. */
static void on_interrupt(int number)
{
    struct kin__interrupts *interrupts = &kin__interrupts;
    uint32_t self = kin__os_process_id();
    atomic_fetch_add(&interrupts->inside, 1);
    uint32_t pid = atomic_load(&interrupts->pid);
    if (pid == 0) {
        kin__os_signal(self, number);
    } else if (pid != self || atomic_fetch_add(&interrupts->count, 1) + 1 >= COUNT_TO_DIE_AT_ONCE) {
        kin__os_interrupt_die();
    } else {
        kin__count_raise_slow(interrupts->command, 1);
    }
    atomic_fetch_sub(&interrupts->inside, 1);
}

static void tell_layers(uint32_t step)
{
    for (int i = KIN__LAYER_COUNT; i-- > 0;) {
        if (kin__layers[i] != NULL && kin__layers[i]->interrupted != NULL) {
            kin__layers[i]->interrupted(step);
        }
    }
}

void kin__interrupt_act(void)
{
    struct kin__interrupts *interrupts = &kin__interrupts;
    while (interrupts->step < KIN__INTERRUPT_STEPS &&
           interrupts->step < atomic_load(&interrupts->count)) {
        interrupts->step++;
        if (interrupts->step == 1) {
            mtx_lock(&kin__family.errand_lock); /* the token may be about to be freed */
            kin_cancel_request(interrupts->cancel);
            mtx_unlock(&kin__family.errand_lock);
        }
        tell_layers(interrupts->step);
        if (interrupts->step == KIN__INTERRUPT_STEPS) {
            kin__os_interrupt_die();
        }
    }
}

void kin__interrupt_leave_to_others(void)
{
    if (atomic_load(&kin__shared()->interrupt_handler) != 0) {
        kin__os_interrupt_ignore();
    }
    kin__interrupts = (struct kin__interrupts){0};
}

void kin__interrupt_end(void)
{
    struct kin__interrupts *interrupts = &kin__interrupts;
    if (atomic_load(&interrupts->pid) != kin__family.pid) {
        return;
    }
    if (interrupts->is_handled) {
        kin__os_interrupt_restore(&interrupts->before);
    }
    atomic_store(&interrupts->pid, 0); /* before the look: a handler is seen, or sees this */
    while (atomic_load(&interrupts->inside) != 0) {
        kin__os_thread_yield();
    }
    mtx_lock(&kin__family.errand_lock);
    kin_cancel *cancel = interrupts->cancel;
    interrupts->cancel = NULL;
    interrupts->command = NULL;
    interrupts->is_handled = false;
    interrupts->step = 0;
    atomic_store(&interrupts->count, 0);
    mtx_unlock(&kin__family.errand_lock);
    kin_cancel_free(cancel);
    uint32_t self = kin__family.owner;
    atomic_compare_exchange_strong(&kin__shared()->interrupt_handler, &self, 0);
}

int kin_interrupt_handle(kin_cancel **ret_cancel)
{
    struct kin__thread *self = NULL;
    struct kin__interrupts *interrupts = &kin__interrupts;
    kin_cancel *cancel = NULL;
    int r = kin__self_find(&self);
    if (r == 0) {
        r = kin__keeper_need();
    }
    if (r == 0) {
        r = kin_cancel_create(&cancel);
    }
    if (r < 0) {
        return r;
    }
    uint32_t before = atomic_load(&kin__shared()->interrupt_handler);
    bool is_taken = before != 0 && kin__member_state_of(before) != KIN__MEMBER_FREE;
    if (is_taken || !atomic_compare_exchange_strong(&kin__shared()->interrupt_handler, &before,
                                                    kin__family.owner)) {
        kin_cancel_free(cancel);
        return -EALREADY;
    }
    interrupts->cancel = cancel;
    interrupts->command = &kin__family.member->command;
    atomic_store(&interrupts->pid, kin__family.pid); /* now a handler may use the others */
    interrupts->is_handled = kin__os_interrupt_handle(on_interrupt, &interrupts->before);
    if (ret_cancel != NULL) {
        *ret_cancel = cancel;
    }
    return 0;
}

uint32_t kin_interrupt_count(void)
{
    return atomic_load(&kin__interrupts.count);
}
