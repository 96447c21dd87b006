/*
 * The barrier of src/sync, with deaths: parties that joined wait in it round after round, a killer
 * ends any of them, or a reaper, between any two steps; reapers repair. One may time out, another
 * may abort or reset. Deaths break it; the action and the shrinking are not modelled. The lock is
 * that of lock.pml in one step, the event count that of event_count.pml in few.
 *
 * Never: one passes a round that did not trip, or is told of a break in one that did; a round trips
 * with somebody in it who was dead before the last one came. And when all is quiet: somebody waits
 * (unless others were told to go by a reset, or left it early), a word is the dead's.
 *
 *     -DPARTIES=2 -DROUNDS=2 -DKILLS=1    the size
 *     -DTIMEOUT  the first party may give up
 *     -DRESET    somebody resets it once
 *     -DBOTH     the second reaper does not wait for the death of the first
 *
 *     -DCOUNT_DEAD    who comes last does not ask whether the others live          must fail
 *     -DNO_BREAK      the reaper clears the arrivals of the dead, no more          must fail
 *     -DPHASE_FIRST   breaking says so in the phase, then in the arrivals   must fail with RESET
 *     -DNO_MARK       breaking leaves the arrivals as they are         must fail with RESET
 *     -DONE_ROW       one comes in where another has not left the last round       must fail
 *     -DFREE_FIRST    the slot is free before the repair              must fail with KILLS=2
 *     -DNO_RAISE      a trip wakes nobody                                          must fail
 */
#ifndef PARTIES
#define PARTIES 2
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef KILLS
#define KILLS 1
#endif
#if KILLS > 1
#define REAPERS 2
#else
#define REAPERS 1
#endif
#define LAST (PARTIES + REAPERS)

#define AWAKE 0
#define ANNOUNCED 1
#define ASLEEP 2
#define GONE 3

#define TRIPPED 1
#define BROKEN 2

bool is_broken = false; /* the phase */
byte round = 0;
byte arrived_count = 0; /* a cache */
byte arrival_owner[2 * PARTIES]; /* the arrivals: two rows */
byte arrival_round[2 * PARTIES];
bool arrival_broken[2 * PARTIES];
byte holder = 0; /* of the lock */
bool is_died = false;
bool has_sleepers = false; /* of the event count; FLAG: who leaves says so */
bool flag = false;
byte rest[LAST + 1];

bool dead[LAST + 1];
byte reaped_by[LAST + 1];
bool is_reaped[LAST + 1];
byte outcome[8]; /* from here on unknown to the code */
bool was_dead[LAST + 1];
bool has_been_reset = false;

#ifdef ONE_ROW
#define ROW 0
#define IS_TAKEN(place) false
#else
#define IS_TAKEN(place) (arrival_owner[place] != 0)
#define ROW ((round % 2) * PARTIES)
#endif
#define IS_OF(place) (arrival_owner[place] != 0 && arrival_round[place] == round)

/* Takes the lock; mends what a dead holder left. */
inline lock()
{
    atomic {
        holder == 0 ->
        holder = self;
        old_round = round;
        old_broken = is_broken;
        at = 1;
        do
        :: at <= PARTIES -> was_dead[at] = dead[at]; at++
        :: else -> at = 0; break
        od;
        if
        :: is_died && !is_broken ->
            arrived_count = 0;
            do
            :: at < PARTIES && IS_OF(ROW + at) ->
                needs_break = needs_break || arrival_broken[ROW + at];
                arrived_count++;
                at++
            :: at < PARTIES && !IS_OF(ROW + at) -> at++
            :: else -> break
            od
        :: else
        fi;
        at = 0;
        is_died = false
    };
    if
    :: needs_break -> break_round(false)
    :: else
    fi
}

/* Tells all if the phase has changed. */
inline unlock()
{
    atomic {
        has_changed = (round != old_round || is_broken != old_broken);
        at = 1;
        do
        :: at <= PARTIES -> was_dead[at] = false; at++
        :: else -> at = 0; break
        od;
        old_round = 0;
        old_broken = false;
        holder = 0
    };
    if
    :: atomic { has_changed -> has_changed = false };
#ifndef NO_RAISE
        raise_all()
#endif
    :: else
    fi
}

inline raise_all()
{
    atomic {
        if
        :: has_sleepers ->
            has_sleepers = false;
            at = 1;
            do
            :: at <= PARTIES -> rest[at] = (rest[at] == GONE -> GONE : AWAKE); at++
            :: else -> at = 0; break
            od
        :: else
        fi
    }
}

/* Marks the arrivals of the round, then says so; or goes on to the next round. */
inline break_round(is_reset)
{
#ifdef PHASE_FIRST
    atomic {
        marked = round;
        outcome[round] = BROKEN;
        if
        :: is_reset -> round++; arrived_count = 0; is_broken = false
        :: else -> is_broken = true
        fi
    };
#else
#define marked round
#endif
#ifndef NO_MARK
    do
    :: atomic {
        at < 2 * PARTIES ->
        if
        :: arrival_owner[at] != 0 && arrival_round[at] == marked -> arrival_broken[at] = true
        :: else
        fi;
        at++
       }
    :: atomic { at == 2 * PARTIES -> at = 0; break }
    od;
#endif
    atomic {
#ifndef PHASE_FIRST
        outcome[round] = BROKEN;
        if
        :: is_reset -> round++; arrived_count = 0; is_broken = false
        :: else -> is_broken = true
        fi;
#endif
        needs_break = false
    }
}

/* Lets the round end if all have come. */
inline settle()
{
    if
    :: arrived_count == PARTIES && !is_broken ->
#ifndef COUNT_DEAD
        d_step {
            at = 0;
            do
            :: at < PARTIES -> needs_break = needs_break || dead[arrival_owner[ROW + at]]; at++
            :: else -> at = 0; break
            od
        };
#endif
        if
        :: needs_break -> break_round(false)
        :: else ->
            atomic {
                at = 0;
                do
                :: at < PARTIES -> assert(!was_dead[arrival_owner[ROW + at]]); at++
                :: else -> at = 0; break
                od;
                outcome[round] = TRIPPED;
                round++
            };
            arrived_count = 0
        fi
    :: else
    fi
}

proctype Party(byte self)
{
    byte waits = 0;
    byte at = 0;
    byte mine = 0; /* the round that it came in */
    byte old_round = 0;
#ifdef PHASE_FIRST
    byte marked = 0;
#endif
    bool old_broken = false;
    bool has_changed = false;
    bool needs_break = false;
    bool is_over = false;
    {
        do
        :: atomic { waits == ROUNDS -> rest[self] = GONE; goto gone }
        :: waits < ROUNDS ->
come_in:    lock();
            if
            :: is_broken -> unlock(); goto broken
            :: !is_broken && (arrived_count >= PARTIES || IS_TAKEN(ROW + arrived_count)) ->
                unlock(); /* no room */
                atomic {
                    if
                    :: rest[self] == ANNOUNCED -> rest[self] = ASLEEP
                    :: else
                    fi
                };
                atomic {
                    rest[self] != ASLEEP -> flag = true; has_sleepers = true; rest[self] = ANNOUNCED;
                    goto come_in
                }
            :: else
            fi;
            atomic {
                rest[self] = AWAKE;
                mine = round;
                arrival_round[ROW + arrived_count] = round;
                arrival_broken[ROW + arrived_count] = false;
                arrival_owner[ROW + arrived_count] = self
            };
            arrived_count++;
            settle();
            unlock();
            do
            :: atomic { round != mine || is_broken -> rest[self] = AWAKE; break }
            :: else ->
#ifdef TIMEOUT
                if
                :: self == 1 -> /* gives up */
                    lock();
                    is_over = (round != mine || is_broken);
                    if
                    :: !is_over -> break_round(false)
                    :: else
                    fi;
                    unlock();
                    is_over = false
                :: self != 1
                fi;
#endif
                atomic {
                    if
                    :: rest[self] == ANNOUNCED -> rest[self] = ASLEEP
                    :: else
                    fi
                };
                atomic {
                    rest[self] != ASLEEP -> has_sleepers = true; rest[self] = ANNOUNCED
                }
            od;
            atomic { /* leave */
                do
                :: at < 2 * PARTIES && arrival_owner[at] == self && arrival_round[at] == mine -> break
                :: at < 2 * PARTIES && !(arrival_owner[at] == self && arrival_round[at] == mine) ->
                    at++
                :: else -> break
                od;
                if
                :: at == 2 * PARTIES || arrival_broken[at] ->
                    assert(outcome[mine] == BROKEN);
                    needs_break = true
                :: else -> assert(outcome[mine] == TRIPPED)
                fi;
                if
                :: at < 2 * PARTIES ->
                    arrival_owner[at] = 0;
                    arrival_broken[at] = false;
                    arrival_round[at] = 0
                :: else
                fi;
                at = 0
            };
            if
            :: atomic { flag -> flag = false }; raise_all()
            :: else
            fi;
            atomic {
                if
                :: needs_break -> needs_break = false; goto broken
                :: else
                fi;
                mine = 0;
                waits++
            }
        od;
broken: atomic { rest[self] = GONE; mine = 0; waits = 0 };
gone:   skip
    } unless {
        atomic {
            dead[self] ->
            waits = 0;
            at = 0;
            mine = 0;
            old_round = 0;
            old_broken = false;
            has_changed = false;
            needs_break = false;
            is_over = false
        }
    }
}

#ifdef BOTH
#define CAN_REAP true
#else
#define CAN_REAP (self == PARTIES + 1 || dead[PARTIES + 1])
#endif
#define IS_LEFT(member) (reaped_by[member] == 0 || dead[reaped_by[member]])
#define CLAIM(member) \
    atomic { CAN_REAP && dead[member] && !is_reaped[member] && IS_LEFT(member) -> \
             whom = member; reaped_by[member] = self }

proctype Reaper(byte self)
{
    byte whom = 0;
    byte at = 0;
    byte old_round = 0;
#ifdef PHASE_FIRST
    byte marked = 0;
#endif
    bool old_broken = false;
    bool has_changed = false;
    bool needs_break = false;
    {
        skip;
claim:  if
        :: CLAIM(1)
        :: CLAIM(2)
        :: CLAIM(3)
#if PARTIES + REAPERS > 3
        :: CLAIM(4)
#endif
        fi;
#ifdef FREE_FIRST
        is_reaped[whom] = true;
#endif
        if
        :: whom <= PARTIES ->
            lock();
#ifdef NO_BREAK
            if
            :: false -> break_round(false)
#else
            if
            :: !is_broken -> break_round(false)
#endif
            :: else
            fi;
            do
            :: atomic {
                at < 2 * PARTIES ->
                if
                :: arrival_owner[at] == whom ->
                    arrival_owner[at] = 0;
                    arrival_broken[at] = false;
                    arrival_round[at] = 0
                :: else
                fi;
                at++
               }
            :: atomic { at == 2 * PARTIES -> at = 0; break }
            od;
            unlock()
        :: else
        fi;
        atomic {
            at = 1;
            do
            :: at <= PARTIES -> rest[at] = (rest[at] == GONE -> GONE : AWAKE); at++
            :: else -> at = 0; break
            od;
            is_reaped[whom] = true;
            whom = 0;
            goto claim
        }
    } unless {
        atomic {
            dead[self] ->
            whom = 0;
            at = 0;
            old_round = 0;
            old_broken = false;
            has_changed = false;
            needs_break = false
        }
    }
}

#ifdef RESET
active proctype Resetter()
{
    byte self = LAST + 1;
    byte at = 0;
    byte old_round = 0;
#ifdef PHASE_FIRST
    byte marked = 0;
#endif
    bool old_broken = false;
    bool has_changed = false;
    bool needs_break = false;
    if
    :: skip
    :: lock();
        if
        :: is_broken || arrived_count > 0 -> has_been_reset = true; break_round(true)
        :: else
        fi;
        unlock()
    fi
}
#endif

#define KILL(member) \
    !dead[member] && rest[member] != GONE -> \
    dead[member] = true; \
    rest[member] = GONE; \
    if \
    :: holder == member -> holder = 0; is_died = true \
    :: else \
    fi

active proctype Killer()
{
    byte kills = 0;
    do
    :: kills == KILLS -> break
    :: atomic {
        kills < KILLS ->
        kills++;
        if
        :: KILL(1)
        :: KILL(2)
#if PARTIES > 2
        :: KILL(3)
#endif
#if KILLS > 1
        :: KILL(PARTIES + 1) /* the last reaper lives */
#endif
        :: kills = KILLS /* no more */
        fi
       }
    od
}

active proctype Quiet()
{
    byte at = 1;
end:
    timeout ->
    do
    :: at <= PARTIES -> assert(has_been_reset || rest[at] != ASLEEP); at++
    :: else -> break
    od;
    at = 0;
    do
    :: at < 2 * PARTIES -> assert(!dead[arrival_owner[at]]); at++
    :: else -> break
    od
}

init
{
    byte member = 1;
    atomic {
        do
        :: member <= PARTIES -> run Party(member); member++
        :: member > PARTIES && member <= LAST -> run Reaper(member); member++
        :: else -> break
        od
    }
}
