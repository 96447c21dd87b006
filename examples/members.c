/*
 * Who takes part in a family, and what each is doing. See docs/guide/processes.md.
 */
#include <kin.h>
#include <stdio.h>
#include <string.h>

enum { MEMBERS_MAX = 32 };

static kin_lock *lock;
static kin_queue *orders;

static int want_the_lock(kin_call *call)
{
    (void)call;
    int r = kin_lock_acquire(lock, KIN_FOREVER);
    return r < 0 ? r : kin_lock_release(lock);
}
KIN_FUNCTION(want_the_lock)

static int want_an_order(kin_call *call)
{
    (void)call;
    kin_object *order = NULL;
    int r = kin_queue_get(orders, KIN_FOREVER, &order);
    kin_object_free(order);
    return r;
}
KIN_FUNCTION(want_an_order)

/* The name of the process of a member. */
static const char *name_of(const kin_member *members, int count, uint32_t id)
{
    for (int i = 0; i < count; i++) {
        if (members[i].id == id) {
            return members[i].name;
        }
    }
    return "nobody";
}

/* Waits until so many threads are blocked. */
static void await_blocked(int wanted, kin_process *child)
{
    int blocked = 0;
    while (blocked != wanted) {
        kin_member members[MEMBERS_MAX];
        int count = kin_members(members, MEMBERS_MAX);
        blocked = 0;
        for (int i = 0; i < count && i < MEMBERS_MAX; i++) {
            blocked += !members[i].is_process && members[i].waits_for != NULL;
        }
        kin_process_join(child, kin_within_ms(1)); /* lets it come that far */
    }
}

/* One line for each thread. */
static void tell(FILE *stream)
{
    kin_member members[MEMBERS_MAX];
    int count = kin_members(members, MEMBERS_MAX);
    for (int i = 0; i < count && i < MEMBERS_MAX; i++) {
        const kin_member *member = &members[i];
        if (!member->is_process && member->waits_for != NULL) {
            fprintf(stream, "%-12s %s: waits for a %s, which %s has\n", member->name,
                    kin_state_name(member->state), member->waits_for,
                    name_of(members, count, member->holder));
        } else if (!member->is_process) {
            fprintf(stream, "%-12s %s, has %u\n", member->name, kin_state_name(member->state),
                    (unsigned)member->claim_count);
        }
    }
}

int main(int argc, char **argv)
{
    kin_process *children[2] = {NULL, NULL};
    kin_object *nothing = kin_object_none();
    kin_init(&argc, &argv);
    if (kin_lock_create(NULL, &lock) < 0 || kin_queue_create(NULL, &orders) < 0 ||
        kin_lock_acquire(lock, KIN_NOW) < 0 ||
        kin_process_start(want_the_lock, nothing, NULL, &children[0]) < 0) {
        return 1;
    }
    await_blocked(1, children[0]);
    if (kin_process_start(want_an_order, nothing, NULL, &children[1]) < 0) {
        return 1;
    }
    await_blocked(2, children[1]);
    tell(stdout);
    kin_lock_release(lock);
    kin_queue_put(orders, nothing, KIN_FOREVER);
    for (int i = 0; i < 2; i++) {
        kin_process_join(children[i], KIN_FOREVER);
        kin_process_free(children[i]);
    }
    kin_lock_free(lock);
    kin_queue_free(orders);
    return 0;
}
