/*
 * Noticing deaths and reaping, as in src/family/keeper.c and death.c: a process with a keeper sleeps
 * on the life words of those it watches, and on that of the one before it in the ring; a killer ends
 * processes between any two steps. The first has a keeper from the start; with KEEPERLESS the others
 * begin without one, and start it at any time, or never. The first is the parent of the others. The kernel
 * wakes one who sleeps on a word that it releases. A look that would be repeated after some
 * milliseconds is repeated here when there is something to do, and never else. One object is
 * held by a process to begin with; slots are not used again.
 *
 * Never: two that live reap one slot; a slot is free before what it held is repaired and all are
 * told. And when all is quiet: somebody lives and has a keeper, and a slot of the dead is not free.
 *
 *     -DPROCESSES=3 -DKILLS=2 -DHOLDER=2    the size, and who holds the object
 *     -DKEEPERLESS                          only the first has a keeper from the start
 *
 *     -DNO_RING       nobody sleeps on the one before it                          must fail
 *     -DNO_SUCCESSOR  a slot that a dead reaper has claimed stays its             must fail
 *     -DFREE_FIRST    the slot is free before the repair                          must fail
 *     -DNO_REPAIR     what it held is not repaired                                must fail
 *     -DNO_LOOK -DKEEPERLESS   a keeper that starts sleeps before it has looked   must fail
 *     -DALL_LISTEN -DKEEPERLESS   one without a keeper is taken for a watcher     must fail
 */
#ifndef PROCESSES
#define PROCESSES 3
#endif
#ifndef KILLS
#define KILLS 2
#endif
#ifndef HOLDER
#define HOLDER 2
#endif

#define LIVE 0
#define REAPING 1
#define FREE 2

byte state[PROCESSES + 1]; /* the word: state and by */
byte by[PROCESSES + 1];
bool dead[PROCESSES + 1]; /* both life words, as the kernel leaves them */
bool has_keeper[PROCESSES + 1];
byte object = HOLDER;     /* its owner */
bool told[PROCESSES + 1]; /* the command's count was raised */
bool asleep[PROCESSES + 1];
byte watched[PROCESSES + 1]; /* the life words that it sleeps on: one bit each */
byte previous[PROCESSES + 1]; /* whose life_next it sleeps on */
bool looks_again[PROCESSES + 1];
bool has_announced[PROCESSES + 1];

/* is_listening in death.c */
#ifdef ALL_LISTEN
#define IS_LIVE(process) (state[process] == LIVE && !dead[process])
#else
#define IS_LIVE(process) (state[process] == LIVE && !dead[process] && has_keeper[process])
#endif
#define BIT(process) (1 << (process))

/* kin__death_next_of and kin__death_previous_of; 0: nobody. Parts of atomic steps. */
inline find_next(whose, result)
{
    d_step {
        result = whose % PROCESSES + 1;
        do
        :: result != whose && !IS_LIVE(result) -> result = result % PROCESSES + 1
        :: else -> break
        od;
        result = (result == whose -> 0 : result)
    }
}

inline find_previous(whose, result)
{
    d_step {
        result = (whose == 1 -> PROCESSES : whose - 1);
        do
        :: result != whose && !IS_LIVE(result) -> result = (result == 1 -> PROCESSES : result - 1)
        :: else -> break
        od;
        result = (result == whose -> 0 : result)
    }
}

/* kin__death_watcher_of: the parent while it lives, else the first that does. */
inline find_watcher(whose, result)
{
    d_step {
        result = 1;
        do
        :: result <= PROCESSES && (result == whose || !IS_LIVE(result)) -> result++
        :: else -> break
        od;
        result = (result > PROCESSES -> 0 : result)
    }
}

#define TELL(process) \
    told[process] = (process != self || told[process]); \
    asleep[process] = false

inline tell_children(whose)
{
    if
    :: whose == 1 ->
        who = 2;
        do
        :: who == self -> who++ /* who tells itself would look for ever */
        :: who <= PROCESSES && who != self -> atomic { TELL(who); who++ }
        :: else -> who = 0; break
        od
    :: else
    fi
}

/* Moves a slot to REAPING in the own name, unless one that lives is at it. */
inline claim(whom)
{
    is_mine = false;
    atomic {
        if
#ifdef NO_SUCCESSOR
        :: state[whom] == LIVE ->
#else
        :: state[whom] == LIVE || (state[whom] == REAPING && (by[whom] == self || dead[by[whom]])) ->
#endif
            state[whom] = REAPING;
            by[whom] = self;
            is_mine = true
        :: else
        fi
    }
}

inline free_slot(whom)
{
#ifdef FREE_FIRST
    skip
#else
    atomic {
        assert(by[whom] == self && state[whom] == REAPING && has_announced[whom]);
        state[whom] = FREE;
        by[whom] = 0
    }
#endif
}

inline repair(whom)
{
    assert(by[whom] == self || state[whom] == FREE);
#ifdef FREE_FIRST
    state[whom] = FREE;
#endif
#ifndef NO_REPAIR
    atomic { object = (object == whom -> 0 : object) };
#endif
    has_announced[whom] = true
}

inline reap(whom)
{
    claim(whom);
    if
    :: is_mine ->
        is_mine = false;
        tell_children(whom);
        other = 1;
        do /* what it was reaping itself */
        :: other <= PROCESSES && state[other] == REAPING && by[other] == whom ->
            claim(other);
            if
            :: is_mine -> is_mine = false; repair(other); free_slot(other)
            :: else
            fi;
            other++
        :: other <= PROCESSES && !(state[other] == REAPING && by[other] == whom) -> other++
        :: else -> other = 0; break
        od;
        repair(whom);
        free_slot(whom);
        atomic { find_next(whom, who); TELL(who); who = 0 };
        atomic { find_watcher(0, who); TELL(who); find_watcher(who, who2); TELL(who2); who = 0; who2 = 0 }
    :: else
    fi
}

/* Whether a look would find something to do. */
#ifdef NO_SUCCESSOR
#define IS_LEFT(process) (dead[process] && state[process] == LIVE)
#else
#define IS_LEFT(process) \
    (dead[process] && (state[process] == LIVE || (state[process] == REAPING && dead[by[process]])))
#endif
#if PROCESSES > 3
#define IS_ANY_LEFT (IS_LEFT(1) || IS_LEFT(2) || IS_LEFT(3) || IS_LEFT(4))
#else
#define IS_ANY_LEFT (IS_LEFT(1) || IS_LEFT(2) || IS_LEFT(3))
#endif

proctype Keeper(byte self)
{
    byte whom = 0;
    byte who = 0;
    byte who2 = 0;
    byte other = 0;
    bool is_mine = false;
    bool has_reaped = false;
    {
        if
        :: has_keeper[self]
        :: !has_keeper[self] ->
            if
            :: true ->
                has_keeper[self] = true;
#ifdef NO_LOOK
                (told[self])
#else
                atomic { find_next(self, who); TELL(who); who = 0 }
#endif
            :: true -> false /* it lives without one until it is killed */
            fi
        fi;
        do
        ::
            atomic {
                told[self] = false;
                watched[self] = 0;
                looks_again[self] = false;
                has_reaped = false;
#ifndef NO_RING
                find_previous(self, previous[self]);
#endif
                whom = 1
            };
            do
            :: atomic { whom <= PROCESSES && (whom == self || state[whom] == FREE) -> whom++ }
            :: whom <= PROCESSES && whom != self && state[whom] != FREE ->
                if
                :: dead[whom] ->
                    atomic { /* the watcher may have gone to sleep with an old idea */
                        find_next(whom, who);
                        who2 = 1;
                        do
                        :: who2 <= PROCESSES ->
                            asleep[who2] = asleep[who2] && !(watched[who2] & BIT(whom)) &&
                                           previous[who2] != whom;
                            who2++
                        :: else -> who2 = 0; break
                        od
                    };
                    if
                    :: who == self ->
                        tell_children(whom);
                        atomic { find_watcher(whom, who); TELL(who); looks_again[self] = true }
                    :: else
                    fi;
                    atomic { find_watcher(whom, who); who = (who == self -> 1 : 0) };
                    if
                    :: who == 1 ->
                        atomic { who = 0; looks_again[self] = true };
                        reap(whom);
                        has_reaped = (state[whom] == FREE)
                    :: else -> who = 0
                    fi
                :: atomic {
                    !dead[whom] ->
                    find_watcher(whom, who);
                    watched[self] = (who == self -> watched[self] | BIT(whom) : watched[self]);
                    who = 0
                   }
                fi;
                whom++
            :: atomic { whom > PROCESSES -> whom = 0; break }
            od;
            if
            :: has_reaped -> has_reaped = false
            :: else ->
                atomic { /* the kernel compares all words, and sleeps */
                    who = 1;
                    asleep[self] = !told[self] && !dead[previous[self]];
                    do
                    :: who <= PROCESSES ->
                        asleep[self] = asleep[self] && !((watched[self] & BIT(who)) && dead[who]);
                        who++
                    :: else -> who = 0; break
                    od
                };
                atomic {
                    !asleep[self] || (looks_again[self] && IS_ANY_LEFT) -> asleep[self] = false;
                    previous[self] = 0;
                    watched[self] = 0
                }
            fi
        od
    } unless {
        atomic {
            dead[self] ->
            whom = 0;
            who = 0;
            who2 = 0;
            other = 0;
            is_mine = false;
            has_reaped = false
        }
    }
}

/* The kernel releases both words, and wakes one that sleeps on each. */
#define WAKE_WATCHER(process, whom) \
    :: asleep[process] && (watched[process] & BIT(whom)) -> asleep[process] = false
#define WAKE_NEXT(process, whom) \
    :: asleep[process] && previous[process] == whom -> asleep[process] = false

active proctype Killer()
{
    byte kills = 0;
    byte whom = 0;
    do
    :: kills == KILLS -> break
    :: atomic {
        kills < KILLS ->
        kills++;
        select(whom : 1 .. PROCESSES);
        if
        :: dead[whom]
        :: !dead[whom] ->
            dead[whom] = true;
            asleep[whom] = false;
            previous[whom] = 0;
            watched[whom] = 0;
            told[whom] = false;
            looks_again[whom] = false;
            if
            WAKE_WATCHER(1, whom)
            WAKE_WATCHER(2, whom)
            WAKE_WATCHER(3, whom)
#if PROCESSES > 3
            WAKE_WATCHER(4, whom)
#endif
            :: else
            fi;
            if
            WAKE_NEXT(1, whom)
            WAKE_NEXT(2, whom)
            WAKE_NEXT(3, whom)
#if PROCESSES > 3
            WAKE_NEXT(4, whom)
#endif
            :: else
            fi
        fi;
        whom = 0
       }
    od
}

#define LISTENS(process) (!dead[process] && has_keeper[process])
#if PROCESSES > 3
#define IS_ANY_LISTENING (LISTENS(1) || LISTENS(2) || LISTENS(3) || LISTENS(4))
#else
#define IS_ANY_LISTENING (LISTENS(1) || LISTENS(2) || LISTENS(3))
#endif

active proctype Quiet()
{
    byte process = 1;
end:
    timeout ->
    do
    :: process <= PROCESSES ->
        assert(!(dead[process] && state[process] != FREE) || !IS_ANY_LISTENING);
        assert(!(dead[process] && object == process) || !IS_ANY_LISTENING);
        process++
    :: else -> break
    od
}

init
{
    byte process = 1;
    atomic {
        dead[0] = false;
        do
        :: process <= PROCESSES ->
#ifdef KEEPERLESS
            has_keeper[process] = (process == 1);
#else
            has_keeper[process] = true;
#endif
            run Keeper(process);
            process++
        :: else -> break
        od
    }
}
