"""The defects that are put into kin, one at a time, and what finds each.

Each is a change of one source: `old` must stand in it exactly once. `found` names what must find
it: programs and their arguments, one of which must fail. `header`: the sources that are compiled
again because of it, where the change is in a header.
"""

# What finds a mutant: the program of a build, and its arguments.
def explore(scenario, schedules=60000):
    return ("explore", ["--first", "--schedules", str(schedules), scenario])


def unit(layer, test=""):
    return ("unit_" + layer, [test] if test else [])


MUTANTS = [
    # --- the internal lock ---
    dict(name="lock: a release wakes nobody", number=1, file="src/family/lock.c",
         change=[("    kin__os_futex_wake(&lock->word, 1);", "    (void)lock;")],
         found=[explore("internal lock, three")]),
    dict(name="lock: who has slept does not say that there are others", number=5,
         file="src/family/lock.c",
         change=[("keep = KIN__OS_FUTEX_WAITERS;", "keep = 0;")],
         found=[explore("internal lock, three")]),
    dict(name="lock: on record with the kernel after the acquire", number=3,
         file="src/family/lock.h", header=["tests/explore/lock_scenarios.c", "src/family/lock.c"],
         change=[("    kin__os_robust_begin(self->robust, &lock->word);\n", ""),
                 ("        return 0;\n    }\n    return kin__lock_acquire_slow(lock, self, word);",
                  "        kin__os_robust_begin(self->robust, &lock->word);\n        return 0;\n"
                  "    }\n    kin__os_robust_begin(self->robust, &lock->word);\n"
                  "    return kin__lock_acquire_slow(lock, self, word);")],
         found=[explore("internal lock, three")]),
    dict(name="lock: off the record before the release", number=4,
         file="src/family/lock.h", header=["tests/explore/lock_scenarios.c", "src/family/lock.c"],
         change=[("    uint32_t word = atomic_exchange(&lock->word, 0);",
                  "    kin__os_robust_end(self->robust);\n"
                  "    uint32_t word = atomic_exchange(&lock->word, 0);")],
         found=[explore("internal lock, three")]),
    dict(name="lock: the next holder is not told of the death", file="src/family/lock.c",
         change=[("return word & KIN__OS_FUTEX_DIED ? KIN_OWNER_DIED : 0;", "return 0;")],
         found=[explore("internal lock, three")]),

    # --- sleeping, and the reaper ---
    dict(name="reaper: does not wake all who sleep", number=2, file="src/family/death.c",
         change=[("    kin__sleep_wake_all();", "")],
         found=[explore("lock, three")]),
    dict(name="sleep: who was not asleep yet is not woken again", file="src/family/sleep.c",
         change=[("            has_late = true;\n", "            has_late = false;\n")],
         found=[explore("semaphore, one gives up")]),
    dict(name="sleep: one that others cannot wake is not nudged", file="src/family/sleep.c",
         change=[("            kin__count_raise_slow(&member->nudge, UINT32_MAX);\n", "")],
         found=[unit("family", "a_word_of_private_memory_can_be_slept_on")]),
    dict(name="sleep: a death since the look is not noticed", file="src/family/sleep.c",
         change=[("atomic_load(&kin__shared()->death_count) == deaths;", "deaths != NO_DEATH;")],
         found=[explore("semaphore, three"), explore("queue, two to one")]),
    dict(name="reaper: frees a slot before it repairs what that held", number=10,
         file="src/family/death.c",
         change=[("        repair_holdings(member, owner);\n"
                  "        if (kin__word_role(word) == KIN__MEMBER_PROCESS) {",
                  "        kin__member_free(owner);\n        repair_holdings(member, owner);\n"
                  "        if (kin__word_role(word) == KIN__MEMBER_PROCESS) {")],
         found=[explore("lock, three")]),
    dict(name="reaper: two of them reap the same process", number=18, file="src/family/death.c",
         change=[("        kin__member_state_of(by) != KIN__MEMBER_FREE && "
                  "!kin__death_is_certain(by, 1)) {", "        false) {")],
         found=[explore("large, reaper dies"), explore("reaper dies")]),
    dict(name="member: a slot's generation is not raised", number=12, file="src/family/member.c",
         change=[("kin__word_generation(word) % 0x3fff + 1;",
                  "kin__word_generation(word) == 0 ? 1 : kin__word_generation(word);")],
         found=[explore("member, threads")]),

    # --- the public locks ---
    dict(name="mutex: noted in the slot after the claim", number=11, file="src/sync/mutex.h",
         header=["src/sync/lock.c"],
         change=[("        kin__holding_add(self, index);\n", ""),
                 ("mutex_acquire_slow(mutex, index, self, timeout);\n        }\n",
                  "mutex_acquire_slow(mutex, index, self, timeout);\n        }\n"
                  "        kin__holding_add(self, index);\n")],
         found=[explore("lock, three")]),
    dict(name="mutex: a release wakes nobody", number=1, file="src/sync/mutex.c",
         change=[("        kin__os_futex_wake(&mutex->holder, 1);", "        (void)index;")],
         found=[explore("lock, three")]),
    dict(name="mutex: who has slept does not say that there are others", number=5,
         file="src/sync/mutex.c", change=[("            keep = WAITERS;", "            keep = 0;")],
         found=[explore("lock, three")]),
    dict(name="mutex: anybody may release it", number=13, file="src/sync/mutex.c",
         change=[("    return owner == self->owner ||", "    return owner != 0 ||")],
         found=[explore("lock, one gives up")]),
    dict(name="mutex: the death of a holder is not told", file="src/sync/mutex.c",
         change=[("        uint32_t freed = DIED | (is_fair", "        uint32_t freed = (is_fair")],
         found=[explore("lock, three")]),
    dict(name="fair lock: who gives up does not hand on", file="src/sync/mutex/fair.c",
         change=[("    if (r < 0 && (atomic_load(&claim->mutex->holder) & KIN__OWNER_MASK) == "
                  "KIN__MUTEX_RESERVED) {", "    if (r > KIN_OWNER_DIED) {")],
         found=[explore("fair lock, two wait")]),
    dict(name="fair lock: the first in line is not woken", file="src/sync/mutex/fair.c",
         change=[("        kin__count_raise(&first->nudge, 1);\n", "")],
         found=[explore("fair lock, three")]),

    # --- connection ---
    dict(name="connection: the handles of a dead one stay in the pipe",
         file="src/connection/objects/luggage.c",
         change=[("state_of(word) == IN_HAND && (uint32_t)word == dead", "dead == 0")],
         found=[("step", ["connection send object, with handles"])]),
    dict(name="connection: the handles of a dead one go, though its message is sent",
         file="src/connection/objects/luggage.c",
         change=[("make_word(IN_DOUBT, side_of(word), doubt + 1)", "0")],
         found=[("step", ["--points", "300", "connection send object, with a handle, and free"])]),
    dict(name="connection: handles are in nobody's hand while they are unpacked",
         file="src/connection/objects/object.c",
         change=[("    kin__luggage_take(calling, front, bytes, &intake->luggage);",
                  "    kin__luggage_take(calling, front, bytes, &intake->luggage);\n"
                  "    kin__luggage_let_go(&intake->luggage);")],
         found=[("step", ["connection receive object, with handles"])]),

    # --- event, semaphore ---
    dict(name="count: announced after the look", number=8, file="src/queue/head.c",
         change=[("        uint32_t key = kin__count_prepare(items);\n"
                  "        r = try_lease(get, ret_slots, count);\n",
                  "        r = try_lease(get, ret_slots, count);\n"
                  "        uint32_t key = kin__count_prepare(items);\n")],
         found=[explore("queue, one to one")]),
    dict(name="semaphore: who leaves passes nothing on", number=9, file="src/sync/semaphore.c",
         change=[("    if (kin__permits_left(shared) > 0) {\n"
                  "        kin__count_raise(&shared->count, 1);\n",
                  "    if (false) {\n"
                  "        kin__count_raise(&shared->count, 1);\n")],
         found=[explore("semaphore, plain")]),
    dict(name="semaphore: the permits of the dead do not come back", file="src/sync/semaphore.c",
         change=[("        atomic_compare_exchange_strong(&shared->permits[i], &owner, "
                  "KIN__PERMIT_DIED);",
                  "        (void)owner;")],
         found=[explore("semaphore")]),
    dict(name="fair semaphore: who leaves the line does not hand on",
         file="src/sync/semaphore/fair.c",
         change=[("    kin__semaphore_hand_on(shared, index);\n    return r;", "    return r;")],
         found=[explore("fair semaphore")]),
    dict(name="fair semaphore: draws its place before it names the semaphore",
         file="src/sync/semaphore/fair.c",
         change=[("    kin__wait_publish(self, edge_to(index) | KIN__WAIT_MAY_END);\n", ""),
                 ("    return place;", "    kin__wait_publish(self, edge_to(index) | "
                                      "KIN__WAIT_MAY_END);\n    return place;")],
         found=[explore("fair semaphore")]),
    dict(name="fair semaphore: who comes does not look at the line",
         file="src/sync/semaphore/fair.c",
         change=[("    if (quiet >= last) {", "    if (quiet <= last) {")],
         found=[explore("fair semaphore")]),
    dict(name="event: wakes one of those who wait", number=20, file="src/sync/event.c",
         change=[("kin__os_futex_wake(&shared->count, UINT32_MAX);",
                  "kin__os_futex_wake(&shared->count, 1);")],
         found=[explore("event, two wait")]),

    dict(name="condition: a notify that a dead one had is lost", number=17,
         file="src/sync/line.c", change=[("        kin__line_call(at, index, 1);\n", "")],
         found=[explore("condition")]),
    dict(name="condition: who waits gives the lock up, then stands in line", number=8,
         file="src/sync/condition.c",
         change=[("    kin__line_enter(visit->line, visit->index, visit->self);\n", ""),
                 ("        r = kin__line_wait(visit->index, visit->self, timeout);",
                  "        kin__line_enter(visit->line, visit->index, visit->self);\n"
                  "        r = kin__line_wait(visit->index, visit->self, timeout);")],
         found=[explore("condition, two wait, one notifies")]),
    dict(name="barrier: one that has died counts as come", number=16,
         file="src/sync/barrier/state.c",
         change=[("        if (is_dead(owner)) {", "        if (false) {")],
         found=[explore("barrier, three, twice")]),
    dict(name="barrier: the place of the dead stays taken", number=16,
         file="src/sync/barrier/state.c",
         change=[("        kin__barrier_remove(shared, dead);\n", "")],
         found=[explore("barrier")]),
    dict(name="rwlock: a reader looks at the gate, then enters", number=8,
         file="src/sync/rwlock.c",
         change=[("    set_read_count(use, read_count(use) + 1); /* who",
                  "    uint64_t gate = atomic_load(&use->shared->gate);\n"
                  "    set_read_count(use, read_count(use) + 1); /* who"),
                 ("_READ);\n    return atomic_load(&use->shared->gate);",
                  "_READ);\n    return gate;")],
         found=[explore("rwlock, one reads, one")]),
    dict(name="rwlock: a dead writer leaves the gate closed", file="src/sync/rwlock.c",
         change=[("    while (writer_of(gate) == dead) {", "    while (false) {")],
         found=[explore("rwlock, two read")]),
    dict(name="rwlock: the last reader does not tell the writer", file="src/sync/rwlock.c",
         change=[("    if (writer_of(atomic_load(&use->shared->gate)) != 0) {\n"
                  "        kin__count_raise(&use->shared->drained, 1);", "    if (false) {")],
         found=[explore("rwlock, two read")]),

    # --- queue ---
    dict(name="queue: commit before the bytes", number=6, file="src/queue/tail.c",
         change=[("        kin__small_copy(slot->small, bytes, size);\n", ""),
                 ("    kin__lock_release(&queue->tail_lock, put->self);\n    if (is_possible) {\n",
                  "    kin__lock_release(&queue->tail_lock, put->self);\n    if (is_possible) {\n"
                  "        kin__small_copy(kin__segment_slot(segment, ticket)->small, bytes,"
                  " size);\n")],
         found=[explore("queue, one to one")]),
    dict(name="queue: producers with different sizes, one is woken", number=20,
         file="src/queue/layout.h", header=["src/queue/tail.c", "src/queue/head.c"],
         change=[("    return queue->message_bytes_max != 0 ? UINT32_MAX : slots;",
                  "    (void)queue;\n    return slots;")],
         found=[explore("queue, bytes")]),
    dict(name="queue: who leaves passes nothing on", number=9, file="src/queue/head.c",
         change=[("    kin__count_pass(items);\n"
                  "    if (may_have_items(get->queue) || atomic_load(&get->queue->closing)) {",
                  "    if (false) {")],
         found=[explore("queue")]),
    dict(name="queue: what was being written by the dead is not counted", number=19,
         file="src/queue/head.c",
         change=[("    atomic_store(&queue->taken, atomic_load(&queue->taken) + 1);\n", "")],
         found=[explore("reservations"), explore("queue")]),
    dict(name="queue: recovery trusts the tail", number=14, file="src/queue/recover.c",
         change=[("    atomic_store(&queue->tail, ticket);\n}", "}")],
         found=[explore("queue, two to one"), explore("queue, full")]),
    dict(name="queue: recovery trusts the head", number=14, file="src/queue/recover.c",
         change=[("        block = release_slots(queue, index, dead);\n"
                  "        kin__queue_rebuild_head(queue, index);\n",
                  "        block = release_slots(queue, index, dead);\n")],
         found=[explore("queue, one to two")]),
    dict(name="queue: what the dead had in hand is dropped", file="src/queue/recover.c",
         change=[("kin__slot_next(slot, SLOT_READY, returns_of(queue, slot)));",
                  "kin__slot_next(slot, SLOT_DONE, 0));")],
         found=[explore("queue, one to two")]),
    dict(name="claims: acknowledged twice", number=13, file="src/queue/claim.c",
         change=[("                  atomic_load(&slot->state) == claim->word;",
                  "                  claim->word != 0;")],
         found=[explore("claims"), unit("queue")]),

    dict(name="queue: commit without a release", number=7, file="src/queue/tail.c",
         change=[("        atomic_store_explicit(&slot->state, "
                  "kin__slot_word(ticket, SLOT_READY, 0),\n"
                  "                              memory_order_release);",
                  "        atomic_store_explicit(&slot->state, "
                  "kin__slot_word(ticket, SLOT_READY, 0),\n"
                  "                              memory_order_relaxed);")],
         found=[explore("queue, one to one")]),

    # --- condition ---
    dict(name="condition: the call of a dead waiter is not passed on", file="src/sync/line.c",
         change=[("        kin__line_call(at, index, 1);\n", "        (void)at;\n")],
         found=[unit("sync", "the_notify_of_one_who_dies")]),
    dict(name="condition: a holder's death calls nobody", file="src/sync/mutex.c",
         change=[("        kin__line_call_orphans(index);", "        (void)index;")],
         found=[unit("sync", "all_who_wait_are_told")]),
    dict(name="condition: who gives up does not see that it was called", file="src/sync/line.c",
         change=[("    return r < 0 && atomic_compare_exchange_strong(word, &waiting, 0) ? r : 0;",
                  "    if (r < 0) {\n        atomic_store(word, 0);\n    }\n    return r;")],
         found=[explore("condition, one gives up and takes nothing")]),
    dict(name="condition: out of the line before the lock is held again",
         file="src/sync/condition.c",
         change=[("        int back =",
                  "        kin__line_end(visit->index, visit->self);\n        int back =")],
         found=[("step", ["condition, wait, two behind, lock held"])]),
    dict(name="condition: who is called is not woken",
         file="src/sync/line.c",
         change=[("    if (atomic_load(&member->sleeping_on) != 0) {", "    if (0) {")],
         found=[unit("sync", "notify_wakes_one_process")]),
    dict(name="condition: nobody waits, says who has seen some", file="src/sync/line.c",
         change=[("        if (front.is_line_empty) {", "        if (called != 0) {")],
         found=[unit("sync", "those_who_wait_are_notified")]),

    # --- keepers ---
    dict(name="keeper: a life word has an id before it is listed", file="src/os/linux/futex.c",
         change=[("    node->next = &robust.head->list;\n",
                  "    atomic_store(word, (uint32_t)syscall(SYS_gettid) | KIN__OS_FUTEX_WAITERS);\n"
                  "    node->next = &robust.head->list;\n")],
         found=[explore("children, two")]),
    dict(name="keeper: the first thread lets go before the keeper has the word",
         file="src/family/keeper.c",
         change=[("    int r = kin__keeper_runs() ? 0 : start();\n",
                  "    kin__life_drop();\n    int r = kin__keeper_runs() ? 0 : start();\n")],
         found=[explore("children, one that needs a keeper")]),
    dict(name="keeper: one that ends is not pending between the zero and the wake",
         file="src/family/keeper.c",
         change=[("    kin__os_robust_begin(robust, &member->life);\n", "")],
         found=[explore("children, the parent leaves")]),
    dict(name="keeper: does not look after a child was started", file="src/family/member/child.c",
         change=[("    kin__keeper_expect();\n", "")],
         found=[explore("children, two")]),
    dict(name="life: its end is not pending when the watcher is woken",
         file="src/family/keeper/life.c",
         change=[("    if (is_watched) { /* it", "    kin__os_robust_end(robust);\n"
                  "    if (is_watched) { /* it")],
         found=[explore("children, one that uses a lock")]),
    dict(name="life: its end is not pending from before the zero", file="src/family/keeper/life.c",
         change=[("    kin__os_robust_begin(robust, &member->life);\n", "")],
         found=[explore("children, two")]),
    dict(name="member: a slot that is being freed forgets its parent", file="src/family/member.c",
         change=[("    member->taken_ns = 0;\n", "    member->taken_ns = 0;\n"
                  "    member->parent = 0;\n")],
         found=[explore("children, two")]),
    dict(name="member: who claims a slot does not wake the watcher of the one before",
         file="src/family/member.c",
         change=[("    if (watcher != 0 && watcher != kin__family.owner) {", "    if (false) {")],
         found=[explore("children, one in another's place", 200000)]),

    # --- heap and directory ---
    dict(name="heap: a chunk is claimed without a compare", file="src/family/heap/chunk.c",
         change=[("            !atomic_compare_exchange_strong(&kin__chunk_at(i)->word, &word, "
                  "claimed)) {\n            break;\n        }\n        if (word",
                  "            (atomic_store(&kin__chunk_at(i)->word, claimed), false)) {\n"
                  "            break;\n        }\n        if (word")],
         found=[explore("heap, extents")]),
    dict(name="heap: an extent is free after its chunks", file="src/family/heap.c",
         change=[("    atomic_store(&chunk->header.owner, 0);\n"
                  "    kin__chunk_release(first, count);",
                  "    kin__chunk_release(first, count);\n"
                  "    atomic_store(&chunk->header.owner, 0);")],
         found=[explore("heap, extents")]),
    dict(name="directory: recovery forgets what it was at before it is done", number=15,
         file="src/family/directory.c",
         change=[("    rebuild_entry(shared->directory_current);\n",
                  "    uint32_t current = shared->directory_current;\n"
                  "    shared->directory_current = 0;\n    rebuild_entry(current);\n")],
         found=[explore("object, reaper dies"), explore("object")]),
    dict(name="directory: recovery does not count again", file="src/family/directory.c",
         change=[("    entry->references = recount.references;\n", "")],
         found=[explore("object")]),
    dict(name="directory: recovery does not finish a replaced handle",
         file="src/family/directory.c",
         change=[("        write_handle(kin__at(shared->directory_place), "
                  "shared->directory_handle);", "        (void)shared;")],
         found=[unit("family", "a_handle_that_the_dead_was_replacing")]),
    dict(name="directory: an entry loses its freer before it is free",
         file="src/family/directory.c",
         change=[("    atomic_store(&entry->state, KIN__ENTRY_FREE);\n"
                  "    atomic_store(&entry->freer, 0);",
                  "    atomic_store(&entry->freer, 0);\n"
                  "    atomic_store(&entry->state, KIN__ENTRY_FREE);")],
         found=[explore("object, reaper dies")]),
]
