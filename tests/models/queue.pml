/*
 * The slots of src/queue, with deaths: producers put, consumers get until all is quiet, a killer
 * ends any of them, or a reaper, between any two steps; two reapers repair.
 *
 * The locks are those of lock.pml and the event counts those of event_count.pml, so each is a few
 * steps here: a lock tells its next holder that the last one died, and what is slept on is
 * "announced" (a raise undoes it, as the count has moved) or "asleep". Slots are never used
 * twice, so their number is that of all messages.
 *
 * Never: a message that was committed is lost or taken twice; one is taken before its bytes are
 * written; a producer's message is taken before an earlier one of its, unless that came back;
 * more are in the queue than its bound and what came back. And when all is quiet: a consumer
 * sleeps beside a message, a producer beside space, a slot belongs to the dead, a count is wrong.
 *
 *     -DPRODUCERS=2 -DMESSAGES=2 -DCONSUMERS=2 -DCAPACITY=2 -DKILLS=1    the size
 *     -DSKIPPED_MAX=1    slots that are noted when they are passed
 *     -DBATCH=2  messages that are reserved at once, then committed in order
 *     -DSTALL     the first producer keeps what it has reserved, and lives
 *     -DBOTH      the second reaper does not wait for the death of the first
 *     -DREFUSE    one get is refused: the message comes back, at its old place; then the claim, which
 *                 has ended, is acknowledged
 *
 *     -DCOMMIT_FIRST    a slot is READY before its bytes are written                  must fail
 *     -DNO_LOOK_BACK    passed slots are not looked at again                          must fail
 *     -DLOOK_UP         they are looked at from the oldest to the newest    must fail with BATCH
 *     -DTRUST_TAIL      the tail is not rebuilt after a death                         must fail
 *     -DTRUST_HEAD      nor the head, its counts, and what was passed                 must fail
 *     -DNO_COUNT        an aborted slot is not counted as taken                       must fail
 *     -DNO_SUCCESSOR    what a killed reaper was at is left           must fail with KILLS=2
 *     -DFREE_FIRST      a reaper is done with the dead before it repairs  the same
 *     -DNO_REPAIR       the slots of the dead stay theirs                             must fail
 *     -DNO_REAPER_WAKE  nobody is woken after a death                                 must fail
 *     -DNO_MOVE_BACK    refusing leaves the head where it is            must fail with REFUSE
 *     -DNO_OVERFLOW     with SKIPPED_MAX noted, the next is waited for   must fail with STALL
 *     -DNO_CHECK        an acknowledgement does not look at the owner    must fail with REFUSE
 */
#ifndef PRODUCERS
#define PRODUCERS 2
#endif
#ifndef MESSAGES
#define MESSAGES 1
#endif
#ifndef CONSUMERS
#define CONSUMERS 2
#endif
#ifndef CAPACITY
#define CAPACITY 2
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef SKIPPED_MAX
#define SKIPPED_MAX 1
#endif
#ifndef BATCH
#define BATCH 1
#endif
#define SLOTS (PRODUCERS * MESSAGES)
#define FIRST_REAPER (PRODUCERS + CONSUMERS + 1)
#if KILLS > 1
#define MEMBERS (PRODUCERS + CONSUMERS + 2)
#else
#define MEMBERS (PRODUCERS + CONSUMERS + 1) /* one reaper: nobody kills it */
#endif

#define FREE 0
#define RESERVED 1
#define READY 2
#define LEASED 3
#define DONE 4
#define ABORTED 5

#define TAIL 0
#define HEAD 1

#define AWAKE 0
#define ANNOUNCED 1
#define ASLEEP 2
#define GONE 3

#define LAST_PRODUCER PRODUCERS
#define LAST_CONSUMER (PRODUCERS + CONSUMERS)

byte state[SLOTS]; /* the word: state and owner */
byte owner[SLOTS];
bool written[SLOTS];
byte tail = 0; /* under the tail lock */
byte taken_seen = 0;
byte head = 0; /* under the head lock */
byte taken = 0;
bool skipped[SLOTS];
byte skipped_count = 0;

byte holder[2]; /* of the locks */
bool is_died[2];
bool has_sleepers[2]; /* of the event counts: space goes with TAIL, items with HEAD */
byte rest[MEMBERS + 1];

bool dead[MEMBERS + 1];
byte reaped_by[MEMBERS + 1];
bool is_reaped[MEMBERS + 1];

byte producer_of[SLOTS]; /* from here on: what is claimed above, unknown to the code */
bool committed[SLOTS];
bool delivered[SLOTS];
bool came_back[SLOTS];
byte in_queue = 0; /* RESERVED or READY */
byte comings_back = 0;
bool can_refuse = true;

/* Part of an atomic step. */
#define ACQUIRE(which) \
    holder[which] == 0 -> holder[which] = self; was_died = is_died[which]; is_died[which] = false

#define RELEASE(which) holder[which] = 0; was_died = false

/* Undoes what was announced on an event count: the kernel refuses to put them to sleep. */
inline undo(first, last)
{
    rest[first] = (rest[first] == ANNOUNCED -> AWAKE : rest[first]);
    rest[last] = (rest[last] == ANNOUNCED -> AWAKE : rest[last])
}

/* kin__count_raise(.., 1): the compare-and-swap, then the wake */
inline raise(which, first, last)
{
    if
    :: !has_sleepers[which]
    :: atomic { has_sleepers[which] -> has_sleepers[which] = false; undo(first, last) };
        atomic {
            if
            :: rest[first] == ASLEEP -> rest[first] = AWAKE
            :: rest[last] == ASLEEP -> rest[last] = AWAKE
            :: rest[first] != ASLEEP && rest[last] != ASLEEP
            fi
        }
    fi
}

#define RAISE_SPACE raise(TAIL, 1, LAST_PRODUCER)
#define RAISE_ITEMS raise(HEAD, LAST_PRODUCER + 1, LAST_CONSUMER)

/* Part of an atomic step: nothing there, so sleep if announced, else announce and look again. */
#define REST(which, look) \
    if \
    :: has_waited && rest[self] == ANNOUNCED -> rest[self] = ASLEEP \
    :: else -> ANNOUNCE(which); goto look \
    fi
#define ANNOUNCE(which) has_waited = true; has_sleepers[which] = true; rest[self] = ANNOUNCED

inline rebuild_tail()
{
#ifdef TRUST_TAIL
    skip
#else
    d_step {
        tail = 0;
        do
        :: tail < SLOTS && state[tail] != FREE -> tail++
        :: else -> break
        od
    }
#endif
}

inline rebuild_head()
{
#ifdef TRUST_HEAD
    skip
#else
    d_step {
        skipped_count = 0;
        at = 0;
        do
        :: at < SLOTS -> skipped[at] = false; at++
        :: else -> break
        od;
        at = 0;
        count = 0;
        found = SLOTS
    };
    do
    :: atomic {
        at < SLOTS && state[at] != FREE ->
        if
        :: state[at] == RESERVED && found == SLOTS && skipped_count < SKIPPED_MAX ->
            skipped[at] = true;
            skipped_count++
        :: else ->
            if
            :: state[at] == READY || state[at] == RESERVED ->
                found = (found == SLOTS -> at : found)
#ifdef NO_COUNT
            :: state[at] == ABORTED -> state[at] = DONE
#else
            :: state[at] == ABORTED -> state[at] = DONE; count++
#endif
            :: else -> count++
            fi
        fi;
        at++
       }
    :: atomic {
        at == SLOTS || state[at] == FREE ->
        head = (found == SLOTS -> at : found);
        taken = count;
        at = 0;
        count = 0;
        found = SLOTS;
        break
       }
    od
#endif
}

inline commit()
{
    committed[mine] = true;
    owner[mine] = 0;
    state[mine] = READY
}

proctype Producer(byte self)
{
    byte sent = 0;
    byte mine = 0;
    byte left = 0;
    bool was_died = false;
    bool has_waited = false;
    {
        do
        :: sent < MESSAGES ->
reserve:    atomic {
                ACQUIRE(TAIL);
                if
                :: was_died -> rebuild_tail()
                :: else
                fi;
                if
                :: tail - taken_seen + BATCH > CAPACITY -> taken_seen = taken
                :: else
                fi;
                if
                :: tail - taken_seen + BATCH > CAPACITY -> RELEASE(TAIL); goto is_full
                :: else -> mine = tail
                fi
            };
            do
            :: left < BATCH ->
                atomic {
                    assert(tail < SLOTS && state[tail] == FREE);
                    producer_of[tail] = self;
                    owner[tail] = self;
                    state[tail] = RESERVED;
                    in_queue++;
                    assert(in_queue <= CAPACITY + comings_back)
                };
                atomic { tail++; left++ }
            :: atomic { left == BATCH -> RELEASE(TAIL); break }
            od;
            if
            :: has_waited ->
                atomic { has_sleepers[TAIL] = true; rest[self] = AWAKE; has_waited = false };
                RAISE_SPACE
            :: else
            fi;
#ifdef STALL
            self != 1;
#endif
            do
            :: left > 0 ->
#ifdef COMMIT_FIRST
                atomic { commit() };
                written[mine] = true;
#else
                atomic { written[mine] = true; commit() };
#endif
                RAISE_ITEMS;
                atomic { left--; mine++; sent++ }
            :: atomic { left == 0 -> mine = 0; break }
            od
        :: atomic { sent == MESSAGES -> rest[self] = GONE; goto gone }
        od;
is_full: atomic { REST(TAIL, reserve) };
        atomic { rest[self] != ASLEEP -> ANNOUNCE(TAIL); goto reserve };
gone:   skip
    } unless {
        atomic { /* a corpse is like any other: fewer states */
            dead[self] ->
            sent = 0;
            mine = 0;
            left = 0;
            was_died = false;
            has_waited = false
        }
    }
}

/* The oldest of the slots that were passed and are READY by now. Forgets what came to nothing. */
inline look_back()
{
#ifdef LOOK_UP
    at = 0;
    do
    :: atomic {
        at < SLOTS ->
        if
        :: (skipped[at] || (at >= head && at < limit)) && state[at] == READY ->
            found = at;
            break
        :: else -> at++
        fi
       }
    :: else -> break
    od;
#else
    at = SLOTS;
    do
    :: atomic {
        at > 0 ->
        at--;
        if
        :: (skipped[at] || (at >= head && at < limit)) && state[at] == READY -> found = at
        :: skipped[at] && state[at] != RESERVED && state[at] != READY ->
            if
            :: state[at] == ABORTED -> state[at] = DONE; taken++
            :: else
            fi;
            skipped[at] = false;
            skipped_count--
        :: else
        fi
       }
    :: else -> break
    od;
#endif
    at = 0
}

/* From the head on to the first slot that is READY: found; or FREE. The head stays at the first
 * one that could not be noted. */
inline look_ahead()
{
    at = head;
    do
    :: atomic {
        if
        :: at == SLOTS || state[at] == FREE -> break
        :: else
        fi;
        if
        :: state[at] == READY -> found = at; break
        :: state[at] == RESERVED && !skipped[at] && (skipped_count == SKIPPED_MAX || at != head) ->
#ifdef NO_OVERFLOW
            break
#else
            at++
#endif
        :: else ->
            if
            :: state[at] == RESERVED && !skipped[at] -> skipped[at] = true; skipped_count++
#ifdef NO_COUNT
            :: state[at] == ABORTED -> state[at] = DONE
#else
            :: state[at] == ABORTED -> state[at] = DONE; taken++
#endif
            :: else
            fi;
            head = (at == head -> head + 1 : head);
            at++
        fi
       }
    od;
    atomic { limit = at; at = 0 }
}

/* The consumer's last word on a message: it has it. */
inline finish()
{
    assert(written[mine] && !delivered[mine]);
    delivered[mine] = true;
    owner[mine] = 0;
    state[mine] = DONE
}

#define IS_MINE (state[mine] == LEASED && owner[mine] == self)

proctype Consumer(byte self)
{
    byte mine = SLOTS;
    byte at = 0;
    byte limit = 0;
    byte found = SLOTS;
    byte count = 0;
    bool was_died = false;
    bool has_waited = false;
    {
        skip;
get:    atomic {
            ACQUIRE(HEAD);
            if
            :: was_died
            :: !was_died && skipped_count > 0 -> goto back
            :: !was_died && skipped_count == 0 -> goto ahead
            fi
        };
        rebuild_head();
        if
        :: skipped_count > 0 ->
back:       look_back()
        :: else
        fi;
        if
        :: found == SLOTS ->
ahead:      look_ahead();
#ifndef NO_LOOK_BACK
            if
            :: found != SLOTS && (skipped_count > 0 || limit > head) -> look_back()
            :: else
            fi
#endif
        :: else
        fi;
        if
        :: atomic { found == SLOTS -> limit = 0; RELEASE(HEAD); goto is_empty }
        :: atomic { /* lease */
            found != SLOTS ->
            mine = found;
            assert(state[mine] == READY);
            owner[mine] = self;
            state[mine] = LEASED;
            in_queue--;
            at = 0;
            do
            :: at < mine ->
                assert(producer_of[at] != producer_of[mine] || state[at] != READY || came_back[at]);
                at++
            :: else -> break
            od;
            at = 0;
            limit = 0;
            found = SLOTS
           };
           atomic {
            taken++;
            if
            :: skipped[mine] -> skipped[mine] = false; skipped_count--
            :: else
            fi;
            head = (mine == head -> head + 1 : head);
            RELEASE(HEAD)
           }
        fi;
        if
        :: atomic {
            has_waited ->
            has_waited = false;
            rest[self] = AWAKE;
#ifndef NO_PASS
            has_sleepers[HEAD] = true
           };
           if
           :: tail != taken -> RAISE_ITEMS
           :: else
           fi
#else
           }
#endif
        :: else
        fi;
        RAISE_SPACE;
#ifdef REFUSE
        if
        :: atomic { can_refuse -> can_refuse = false };
            atomic { ACQUIRE(HEAD) };
            if
            :: was_died -> rebuild_head()
            :: else
            fi;
            atomic {
                assert(IS_MINE);
                came_back[mine] = true;
                comings_back++;
                in_queue++;
                owner[mine] = 0;
                state[mine] = READY
            };
            atomic {
                taken--;
#ifndef NO_MOVE_BACK
                head = (mine < head -> mine : head);
#endif
                RELEASE(HEAD)
            };
            RAISE_ITEMS;
            atomic { /* the claim that has ended is acknowledged too */
#ifdef NO_CHECK
                finish();
#else
                assert(!IS_MINE);
#endif
                mine = SLOTS
            };
            goto get
        :: skip
        fi;
#endif
        atomic {
            assert(IS_MINE);
            finish();
            mine = SLOTS;
            goto get
        };
is_empty: atomic { REST(HEAD, get) };
        atomic { rest[self] != ASLEEP -> ANNOUNCE(HEAD); goto get }
    } unless {
        atomic {
            dead[self] ->
            at = 0;
            limit = 0;
            found = 0;
            count = 0;
            was_died = false;
            has_waited = false;
            mine = 0
        }
    }
}

/* Gives back what the dead had claimed. */
inline repair(whom)
{
    atomic {
        ACQUIRE(TAIL);
        if
        :: was_died -> rebuild_tail()
        :: else
        fi;
        RELEASE(TAIL)
    };
    atomic { ACQUIRE(HEAD) };
#ifndef NO_REPAIR
    do
    :: atomic {
        if
        :: at == SLOTS -> at = 0; break
        :: else
        fi;
        if
        :: owner[at] == whom && state[at] == RESERVED ->
            state[at] = ABORTED;
            owner[at] = 0;
            in_queue--
        :: owner[at] == whom && state[at] == LEASED ->
            state[at] = READY;
            owner[at] = 0;
            came_back[at] = true;
            comings_back++;
            in_queue++
        :: else
        fi;
        at++
       }
    od;
#endif
    rebuild_head();
    atomic { RELEASE(HEAD) }
}

inline wake_all()
{
#ifdef NO_REAPER_WAKE
    skip
#else
    d_step {
        at = 1;
        do
        :: at <= LAST_CONSUMER -> rest[at] = (rest[at] == GONE -> GONE : AWAKE); at++
        :: else -> break
        od;
        at = 0
    }
#endif
}

/* Moves a member to REAPING, in the reaper's name; also what a dead reaper has left. */
#ifdef BOTH
#define CAN_REAP true
#else
#define CAN_REAP (self == FIRST_REAPER || dead[FIRST_REAPER])
#endif
#ifdef NO_SUCCESSOR
#define IS_LEFT(member) false
#else
#define IS_LEFT(member) dead[reaped_by[member]]
#endif
#define CLAIM(member) \
    atomic { \
        CAN_REAP && dead[member] && !is_reaped[member] && (reaped_by[member] == 0 || IS_LEFT(member)) -> \
        whom = member; \
        reaped_by[member] = self \
    }

proctype Reaper(byte self)
{
    byte whom = 0;
    byte at = 0;
    byte found = SLOTS;
    byte count = 0;
    bool was_died = false;
    {
        skip;
claim:  if
        :: CLAIM(1)
        :: CLAIM(2)
        :: CLAIM(3)
#if MEMBERS > 4
        :: CLAIM(4)
#endif
#if MEMBERS > 5
        :: CLAIM(5)
#endif
        fi;
#ifdef FREE_FIRST
        is_reaped[whom] = true;
#endif
        repair(whom);
        atomic { wake_all(); is_reaped[whom] = true; whom = 0; goto claim }
    } unless {
        atomic { dead[self] -> at = 0; found = 0; count = 0; was_died = false }
    }
}

/* Also what the kernel does with the locks of the dead. */
#define KILL(member, before) \
    !dead[member] && dead[before] && rest[member] != GONE -> \
    dead[member] = true; \
    rest[member] = GONE; \
    if \
    :: holder[TAIL] == member -> holder[TAIL] = 0; is_died[TAIL] = true \
    :: holder[HEAD] == member -> holder[HEAD] = 0; is_died[HEAD] = true \
    :: else \
    fi

/* Members of a kind are alike, so the second is killed only beside the first; one reaper lives. */
active proctype Killer()
{
    byte kills = 0;
    do
    :: kills == KILLS -> break
    :: atomic {
        kills < KILLS ->
        dead[0] = true;
        kills++;
        if
        :: KILL(1, 0)
#if PRODUCERS > 1 && defined(STALL)
        :: KILL(2, 0)
#elif PRODUCERS > 1
        :: KILL(2, 1)
#endif
        :: KILL(LAST_PRODUCER + 1, 0)
#if CONSUMERS > 1
        :: KILL(LAST_CONSUMER, LAST_PRODUCER + 1)
#endif
#if KILLS > 1
        :: KILL(FIRST_REAPER, 0)
#endif
        :: kills = KILLS /* no more */
        fi
       }
    od
}

active proctype Quiet()
{
    byte at = 0;
    byte count = 0;
    byte who = LAST_PRODUCER + 1;
    bool has_consumer = false;
end:
    timeout ->
    do
    :: who <= LAST_CONSUMER -> has_consumer = has_consumer || !dead[who]; who++
    :: else -> break
    od;
    do
    :: at < SLOTS && state[at] != FREE ->
        count = count + (state[at] == READY || state[at] == RESERVED -> 1 : 0);
        assert(!(state[at] == READY && has_consumer));
        assert(state[at] != ABORTED && state[at] != LEASED);
        assert(!(state[at] == RESERVED && dead[owner[at]]));
        assert(state[at] != DONE || committed[at] == delivered[at]);
        at++
    :: else -> break
    od;
    assert(tail == at && taken + count == tail && in_queue == count);
    assert(skipped_count == 0 || count > 0);
    who = 1;
    do
    :: who <= LAST_PRODUCER ->
        assert(!(rest[who] == ASLEEP && count + BATCH <= CAPACITY));
        who++
    :: else -> break
    od
}

init
{
    byte member = 1;
    atomic {
        do
        :: member <= LAST_PRODUCER -> run Producer(member); member++
        :: member > LAST_PRODUCER && member <= LAST_CONSUMER -> run Consumer(member); member++
        :: member > LAST_CONSUMER && member <= MEMBERS -> run Reaper(member); member++
        :: else -> break
        od
    }
}
