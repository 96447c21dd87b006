/*
 * The condition of src/sync, with deaths: waiters wait once, notifiers notify one, a killer ends
 * any of them, or a reaper, between any two steps; reapers repair. The users' lock is one step to
 * acquire (lock.pml); a dead holder keeps it until it is reaped.
 *
 * A waiter's line is WAITING, then CALLED by who notifies, in the order of the tickets. A reaper
 * passes the call of a dead waiter on, and calls all before it takes the lock from a dead holder.
 *
 * Never: a call goes to one who waits although another came before; more return as notified than
 * were called (but one more for a reaper that dies between passing on and clearing; and after
 * the death of a holder all may); notify returns early although one waits. And when all is quiet:
 * one waits on although it waited before a notify that nobody has returned from, or when a holder
 * of the lock died; one who was called sleeps; the dead still have something.
 *
 *     -DWAITERS=2 -DNOTIFIERS=1 -DKILLS=1    the size
 *     -DTIMEOUT   the first waiter may give up
 *     -DBOTH      the second reaper does not wait for the death of the first
 *
 *     -DSTORE           giving up does not see that it was called           must fail with TIMEOUT
 *     -DNO_PASS_ON      the call of a dead waiter is dropped                must fail
 *     -DCLEAR_FIRST     it is dropped, then passed on                       must fail with KILLS=2
 *     -DFREE_FIRST      the lock is free before all are called              must fail with KILLS=2
 *     -DNO_CALL_ALL     it is free, and nobody is called                    must fail
 *     -DLEAVE_EARLY     who was called leaves the line before it has the lock    must fail
 *     -DNOTE_LATE       the holding is noted after the line was entered     must fail
 *     -DANY_ORDER       the first that is seen is called                    must fail
 *     -DTICKET_LATE     who waits takes its ticket when the lock is free    must fail
 *     -DNO_WAKE         nobody is woken after a death                       must fail
 */
#ifndef WAITERS
#define WAITERS 2
#endif
#ifndef NOTIFIERS
#define NOTIFIERS 1
#endif
#ifndef KILLS
#define KILLS 1
#endif
#if KILLS > 1
#define REAPERS 2
#else
#define REAPERS 1
#endif
#define MEMBERS (WAITERS + NOTIFIERS)
#define LAST (MEMBERS + REAPERS)

#define WAITING 1
#define CALLED 2
#define NONE 99

byte lock = 0; /* the users' */
byte tickets = 1;
byte quiet = 0;
byte line[MEMBERS + 1];
byte ticket[MEMBERS + 1];
bool holds[MEMBERS + 1];
bool asleep[MEMBERS + 1];

bool gone[LAST + 1];
bool dead[LAST + 1];
byte reaped_by[LAST + 1];
bool is_reaped[LAST + 1];
byte returned = 0; /* from here on unknown to the code */
byte notifies = 0;
byte owed[MEMBERS + 1]; /* how many must have returned if this one waits on in the end */
bool must_end[MEMBERS + 1];
bool is_free_for_all = false;

/* Calls the first in line of those who came before `bound`. */
inline call_one(has_lock)
{
    bound = tickets;
    if
    :: quiet == bound ->
        d_step {
            at = 1;
            do
            :: at <= WAITERS -> assert(line[at] != WAITING || ticket[at] >= bound || dead[at]); at++
            :: else -> at = 0; break
            od
        }
    :: else ->
        do
        ::
            atomic { at = 1; first = 0; has_seen = false };
            do
            :: atomic {
                at <= WAITERS ->
                if
                :: line[at] == WAITING ->
                    has_seen = true;
                    if
#ifdef ANY_ORDER
                    :: ticket[at] < bound -> first = at
#else
                    :: ticket[at] < bound && (first == 0 || ticket[at] < ticket[first]) ->
                        first = at
#endif
                    :: else
                    fi
                :: else
                fi;
                at++
               }
            :: atomic { at > WAITERS -> at = 0; break }
            od;
            if
            :: atomic { first != 0 && line[first] == WAITING ->
                line[first] = CALLED;
                do
                :: at <= WAITERS ->
                    assert(!(line[at] == WAITING && !dead[at] && ticket[at] < ticket[first]));
                    at++
                :: else -> at = 0; break
                od
               };
               atomic { asleep[first] = false; first = 0; break }
            :: first != 0 && line[first] != WAITING
            :: atomic {
                first == 0 ->
                if
                :: !has_seen -> quiet = bound
                :: else
                fi;
                break
               }
            fi
        od
    fi;
    atomic { bound = 0; has_seen = false; first = 0 }
}

proctype Waiter(byte self)
{
    {
        atomic { lock == 0 -> lock = self };
#ifndef NOTE_LATE
        holds[self] = true;
#endif
        ticket[self] = NONE;
        line[self] = WAITING;
#ifdef TICKET_LATE
        atomic { lock == self -> lock = 0 };
        atomic { ticket[self] = tickets; tickets++ };
#else
        atomic { ticket[self] = tickets; tickets++ };
#ifdef NOTE_LATE
        atomic { lock = 0 };
        holds[self] = true;
#else
        lock = 0;
#endif
#endif
        do
        :: line[self] != WAITING -> break
#ifdef TIMEOUT
        :: self == 1 ->
#ifdef STORE
            if
            :: line[self] == WAITING -> line[self] = 0; goto timed_out
#else
            if
            :: atomic { line[self] == WAITING -> line[self] = 0; goto timed_out }
#endif
            :: line[self] != WAITING
            fi
#endif
        :: atomic {
            line[self] == WAITING -> asleep[self] = true
           };
           !asleep[self]
        od;
#ifdef LEAVE_EARLY
        line[self] = 0;
#endif
        atomic { lock == 0 -> lock = self };
        atomic {
            line[self] = 0;
            returned++;
            assert(is_free_for_all || returned <= notifies + (KILLS > 1 -> 1 : 0))
        };
        goto back;
timed_out: atomic { lock == 0 -> lock = self };
        line[self] = 0;
back:   holds[self] = false;
        atomic { lock = 0; gone[self] = true }
    } unless {
        dead[self]
    }
}

proctype Notifier(byte self)
{
    byte at = 0;
    byte first = 0;
    byte bound = 0;
    bool has_seen = false;
    {
        atomic { lock == 0 -> lock = self };
        atomic {
            notifies++;
            at = 1;
            do
            :: at <= WAITERS -> owed[at] = owed[at] + (line[at] == WAITING -> 1 : 0); at++
            :: else -> at = 0; break
            od
        };
        call_one(true);
        atomic { lock = 0; gone[self] = true }
    } unless {
        atomic { dead[self] -> at = 0; first = 0; bound = 0; has_seen = false }
    }
}

inline repair_condition()
{
    if
    :: whom <= WAITERS && holds[whom] ->
        if
        :: atomic { line[whom] == WAITING -> line[whom] = 0 }
        :: line[whom] == CALLED ->
#ifdef CLEAR_FIRST
            line[whom] = 0;
#endif
#ifndef NO_PASS_ON
            call_one(false);
#endif
            line[whom] = 0
        :: line[whom] == 0
        fi
    :: else
    fi
}

inline repair_lock()
{
    if
    :: whom <= MEMBERS && lock == whom ->
#ifdef FREE_FIRST
        lock = 0;
#endif
#ifndef NO_CALL_ALL
        at = 1;
        do
        :: at <= WAITERS ->
            if
            :: atomic { line[at] == WAITING -> line[at] = CALLED }; asleep[at] = false
            :: line[at] != WAITING
            fi;
            at++
        :: else -> at = 0; break
        od;
#endif
#ifndef FREE_FIRST
        lock = 0
#endif
    :: else
    fi
}

#ifdef BOTH
#define CAN_REAP true
#else
#define CAN_REAP (self == MEMBERS + 1 || dead[MEMBERS + 1])
#endif
#define IS_LEFT(member) (reaped_by[member] == 0 || dead[reaped_by[member]])
#define CLAIM(member) \
    atomic { CAN_REAP && dead[member] && !is_reaped[member] && IS_LEFT(member) -> \
             whom = member; reaped_by[member] = self }

proctype Reaper(byte self)
{
    byte whom = 0;
    byte at = 0;
    byte first = 0;
    byte bound = 0;
    bool has_seen = false;
    {
        skip;
claim:  if
        :: CLAIM(1)
        :: CLAIM(2)
        :: CLAIM(3)
#if MEMBERS + REAPERS > 4
        :: CLAIM(4)
#endif
#if MEMBERS + REAPERS > 5
        :: CLAIM(5)
#endif
        fi;
        if
        :: true -> repair_condition(); repair_lock()
        :: true -> repair_lock(); repair_condition()
        fi;
        atomic {
            at = 1;
            do
#ifndef NO_WAKE
            :: at <= WAITERS -> asleep[at] = false; at++
#endif
            :: else -> at = 0; break
            od;
            is_reaped[whom] = true;
            whom = 0;
            goto claim
        }
    } unless {
        atomic { dead[self] -> whom = 0; at = 0; first = 0; bound = 0; has_seen = false }
    }
}

#define KILL(member) \
    !dead[member] && !gone[member] -> \
    dead[member] = true; \
    asleep[member] = false; \
    if \
    :: lock == member -> \
        is_free_for_all = true; \
        at = 1; \
        do \
        :: at <= WAITERS -> must_end[at] = (line[at] == WAITING); at++ \
        :: else -> at = 0; break \
        od \
    :: else \
    fi

active proctype Killer()
{
    byte kills = 0;
    byte at = 0;
    do
    :: kills == KILLS -> break
    :: atomic {
        kills < KILLS ->
        kills++;
        if
        :: KILL(1)
        :: KILL(2)
#if MEMBERS > 2
        :: KILL(3)
#endif
#if MEMBERS > 3
        :: KILL(4)
#endif
#if KILLS > 1
        :: !dead[MEMBERS + 1] -> dead[MEMBERS + 1] = true /* the last reaper lives */
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
    assert(lock == 0);
    do
    :: at <= WAITERS ->
        assert(!(dead[at] && holds[at] && line[at] != 0));
        if
        :: !dead[at] && !gone[at] ->
            assert(line[at] == WAITING && asleep[at] && !must_end[at] && returned >= owed[at])
        :: dead[at] -> assert(line[at] == 0)
        :: else
        fi;
        at++
    :: else -> break
    od
}

init
{
    byte member = 1;
    atomic {
        do
        :: member <= WAITERS -> run Waiter(member); member++
        :: member > WAITERS && member <= MEMBERS -> run Notifier(member); member++
        :: member > MEMBERS && member <= LAST -> run Reaper(member); member++
        :: else -> break
        od
    }
}
